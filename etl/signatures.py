"""The signature of the metrics' definitions, made again only when something that it is made of has changed.

Making it writes every macro of every metric, which takes longer than all else of a run that finds nothing new.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import sql
from sql.fingerprint import fingerprint

#: File of a home: what the signature was made of, and the signature, each as SHA-256 in hex; the
#: signature of marts as two: of their identities and of the rest.
NOTE = "definitions.signature"
_WRITTEN = re.compile(r"([0-9a-f]{64}) ((?:[0-9a-f]{64}){1,2})\n")


def read_note(note: Path, made_of: str) -> str | None:
    """The signature that a note tells of what is the same now; None where it tells of something else."""
    found = _WRITTEN.fullmatch(note.read_text("ascii", "replace")) if note.is_file() else None
    return found[2] if found and found[1] == made_of else None


def write_note(note: Path, made_of: str, signature: str) -> None:
    """Replace a note."""
    aside = note.with_name(f".{note.name}.tmp")
    aside.write_text(f"{made_of} {signature}\n", "ascii")
    os.replace(aside, note)


def signature(root: Path) -> str:
    """`sql.metric_macros.signature`, from the note of a home where nothing has changed since it was written."""
    note, made_of = root / NOTE, fingerprint(Path(sql.__file__).parent)
    noted = read_note(note, made_of)
    if noted is not None:
        return noted
    from sql import metric_macros  # noqa: PLC0415 - all the statements; not needed where nothing has changed

    made = metric_macros.signature()
    write_note(note, made_of, made)
    return made
