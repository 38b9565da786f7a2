"""The language of whoever is answered, and what this room says in it.

English stands where it is used: in the headers of the SQL files, in the table of filters. Another language is a table
beside this file, from each English text to its own (`de.po`, the format of translators' programs). So a text that
changes loses its translation until it has a new one, which a test asks for, and the words of an older snapshot are
translated where they are the same as today's.

The language is kept for one request or block and nowhere else; without one it is English.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

ENGLISH = "en"
#: Code of a language -> its own name; the first one is spoken where none is asked for.
LANGUAGES = {ENGLISH: "English", "de": "Deutsch"}
_NOW: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """Code of the language of the request in progress."""
    return _NOW.get()


def speak(code: str) -> None:
    """Take a language for all that follows in this context: that of a request. Raises KeyError for an unknown one."""
    _NOW.set(code if code in LANGUAGES else LANGUAGES[code])


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Take a language for a block. Raises KeyError for an unknown one."""
    token = _NOW.set(code if code in LANGUAGES else LANGUAGES[code])
    try:
        yield
    finally:
        _NOW.reset(token)


def said(english: str, /, **values: object) -> str:
    """A text of this room in the language of the request, with its values put in; English where it has no other."""
    code = _NOW.get()
    told = english if code == ENGLISH else table(code).get(english, english)
    return told.format(**values) if values else told


@cache
def table(code: str) -> dict[str, str]:
    """What a language has for each English text; English has nothing."""
    file = Path(__file__).with_name(f"{code}.po")
    return {} if code == ENGLISH else parsed(file.read_text("utf-8"))


def parsed(told: str) -> dict[str, str]:
    """Pairs of a PO file whose texts stand on one line each. Raises ValueError naming a line that is something else."""
    found: dict[str, str] = {}
    asked = ""
    for number, line in enumerate(told.splitlines(), 1):
        key, _, quoted = line.partition(" ")
        if not line or key.startswith("#"):
            continue
        if key not in ("msgid", "msgstr") or (key == "msgid" and json.loads(quoted) in found):
            raise ValueError(f"line {number} is no text, or one that is there already")
        if key == "msgid":
            asked = json.loads(quoted)
        elif asked:
            found[asked] = json.loads(quoted)
    return found
