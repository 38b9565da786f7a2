"""Worked queries, read from the one text that holds them: the README's part is made from it, and the app shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("worked.md")
_QUERY = re.compile(r"^\*\*(\d+)\. (.+?)\*\* ?(.*?)\n\n```sql\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Worked:
    """One query: its number, what it answers, what is said of it (Markdown) and the statement."""

    number: int
    title: str
    note: str
    statement: str


def text() -> str:
    """The queries as Markdown."""
    return FILE.read_text("utf-8")


@cache
def worked() -> tuple[Worked, ...]:
    """The queries in their order."""
    return tuple(Worked(int(number), title, " ".join(note.split()), statement.strip())
                 for number, title, note, statement in _QUERY.findall(text()))  # fmt: skip
