"""A snapshot's comments on its tables, columns and metrics in the language of the request.

A comment joins texts that have their translations: what a table is and its row, a note and its unit, a title and its
question.
"""

from __future__ import annotations

import re
from typing import Any

from app.texts import text
from sql.words import ENGLISH, language, said

_UNIT, _ROW = re.compile(r"(.+) \[([^\]]+)\]"), re.compile(r"(.+?) One row: (.+)\.")


def spoken_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The answer of `sql.adhoc_schema.schema` with its comments translated; itself in English."""
    if language() == ENGLISH:
        return schema
    tables = [
        {**table, "note": _table(table["note"]), "columns": [{**column, "note": _column(column["note"])}
                                                              for column in table["columns"]]}
        for table in schema["tables"]
    ]  # fmt: skip
    macros = [{**macro, "note": _macro(macro["note"])} for macro in schema["macros"]]
    return schema | {"tables": tables, "macros": macros}


def _table(note: str) -> str:
    found = _ROW.fullmatch(note)
    return f"{said(found[1])} {text('sqlpage.row', row=said(found[2]))}" if found else said(note)


def _column(note: str) -> str:
    found = _UNIT.fullmatch(note)
    return f"{said(found[1])} [{said(found[2])}]" if found else said(note)


def _macro(note: str) -> str:
    title, dot, question = note.partition(". ")
    return f"{said(title)}{dot}{said(question)}" if dot else said(note)
