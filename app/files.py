"""Files of the browser: ours under names that hold a digest, Dash's behind its own names; each compressed once."""

from __future__ import annotations

import mimetypes
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import plotly
from dash.fingerprint import check_fingerprint
from flask import Flask, Response, request

from app import theme
from app.bodies import ASK_AGAIN, FILE_EFFORT, FOR_EVER, Body

ASSETS = Path(__file__).parent / "assets"
#: plotly.js as browsers get it, and the part that `make charts` left here.
CHARTS, PART = "plotly.min.js", "plotly-part.min.js"
_VERSION = re.compile(rb"plotly\.js v([0-9.]+)")
#: Made, not kept: name -> text.
MADE = {"theme.css": theme.css_variables}
#: Dash's route of the files of its packages.
SUITES = "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"


def charts(folder: Path = ASSETS) -> bytes:
    """plotly.js: the part that our charts need where `make charts` made it for this version, else the whole of it."""
    whole = (Path(plotly.__file__).parent / "package_data" / CHARTS).read_bytes()
    part = folder / PART
    told = part.read_bytes() if part.is_file() else b""
    made_for, is_for = (_VERSION.search(text, 0, 300) for text in (told, whole))
    return told if made_for and is_for and made_for[1] == is_for[1] else whole


class Files:
    """Our files: their addresses, and their answers."""

    def __init__(self) -> None:
        found = {path.name: path.read_bytes() for path in ASSETS.iterdir() if path.is_file() and path.name != PART}
        found[CHARTS] = charts()
        found |= {name: make().encode("utf-8") for name, make in MADE.items()}
        self._bodies = {name: _file(raw, _type(name)) for name, raw in found.items()}

    def address(self, name: str) -> str:
        """Where a file is, for as long as it stays as it is."""
        return f"/files/{self._bodies[name].etag}/{name}"

    def answer(self, tag: str, name: str) -> Response:
        """A file; one that is not of that tag any more is asked for again."""
        body = self._bodies.get(name)
        if body is None:
            return Response("not found\n", status=404, mimetype="text/plain")
        return body.answer(request, FOR_EVER if tag == body.etag else ASK_AGAIN)


@lru_cache(maxsize=128)
def _file(raw: bytes, mimetype: str) -> Body:
    """A file that is sent; compressed once a process, however many applications that has."""
    return Body(raw, mimetype, FILE_EFFORT)


def _type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def keep_suites(server: Flask) -> None:
    """Answer the files of Dash's packages from memory, compressed once; Dash says which there are."""
    read: Any = server.view_functions[SUITES]
    kept: dict[tuple[str, str], Body] = {}

    def suites(package_name: str, fingerprinted_path: str) -> Response:
        path, is_fixed = check_fingerprint(fingerprinted_path)  # type: ignore[no-untyped-call]  # dash.fingerprint is plain
        body = kept.get((package_name, path))
        if body is None:
            found: Response = read(package_name=package_name, fingerprinted_path=fingerprinted_path)
            if found.status_code != 200:
                return found
            body = kept[package_name, path] = _file(found.get_data(), found.mimetype or _type(path))
        return body.answer(request, FOR_EVER if is_fixed else ASK_AGAIN)

    server.view_functions[SUITES] = suites
