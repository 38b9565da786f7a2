"""The report of a month as a PDF, set by Typst from a document of words. No system font, no clock, nothing outside."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

TEMPLATE = Path(__file__).with_name("pack_report.typ")
#: Package that holds the typeface, and the faces that are used; others would be found in the order of the disk.
FONT_PACKAGE, FACES = "font_source_sans_pro", ("Regular", "Semibold", "Bold", "It")
#: The setting `paper` -> the sheet as Typst names it.
PAPERS = {"a4": "a4", "letter": "us-letter"}
#: Light colours of the dashboard (app/theme.py; a test holds them equal).
COLOURS = {
    "ink": "#15212c", "muted": "#566472", "line": "#dfe5ea", "grid": "#e9edf1", "ground": "#f4f6f8",
    "accent": "#1c6a96", "better": "#1c6a96", "worse": "#b4500f", "target": "#8a5a00",
}  # fmt: skip


def to_pdf(document: dict[str, Any], *, created: datetime) -> bytes:
    """The report as a PDF; `created` (UTC) is the only time in the file, so the same document gives the same bytes.

    `paper` in the document is a sheet of Typst's, A4 where it names none. An archive can keep the file (PDF/A-2a) and a
    screen reader can read it (PDF/UA-1). A name with signs that the typeface
    lacks is set with replacement signs, and the file then claims no standard.
    """
    told = json.dumps({"paper": PAPERS["a4"]} | document | {"colours": COLOURS}, ensure_ascii=False, sort_keys=True)
    moment = created.replace(microsecond=0, tzinfo=created.tzinfo or UTC)
    with _typeface() as folder:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])
        compiler = typst.Compiler(root=str(folder), font_paths=fonts, ignore_system_fonts=True)
        template, given = TEMPLATE.read_bytes(), {"document": told}
        try:
            made = compiler.compile(template, sys_inputs=given, timestamp=moment, pdf_standards=["a-2a", "ua-1"])
        except typst.TypstError as error:
            if "could not be displayed" not in error.message:
                raise
            made = compiler.compile(template, sys_inputs=given, timestamp=moment)
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@contextmanager
def _typeface() -> Iterator[Path]:
    """A folder that holds the faces in use and nothing else."""
    found = importlib.util.find_spec(FONT_PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{FONT_PACKAGE} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        for face in FACES:
            shutil.copy(Path(found.origin).parent / "files" / f"SourceSansPro-{face}.ttf", folder)
        yield Path(folder)
