"""Which rows of a table a metric needs for a period, so that a month of a large warehouse costs a month.

A filter on the period of a row reaches the table that its anchor comes from. Tables that are joined to it, or folded
before, are told their window in the metric's header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sql.headers import CatalogError


class Window(NamedTuple):
    """Rows that matter for a period: from `before` days before it to `after` days behind it; None: any.

    `alias` is the one use of the table that is meant, '' for all. Rows without a value in the column do not matter.
    """

    table: str
    alias: str
    column: str
    before: int | None
    after: int | None


def read_window(path: Path, line: str) -> Window:
    """`table[:alias] column days-before days-after`, `-` for any. Raises CatalogError."""
    try:
        named, column, before, after = line.split()
        table, _, alias = named.partition(":")
        return Window(table, alias, column, *(None if days == "-" else int(days) for days in (before, after)))
    except ValueError as error:
        raise CatalogError(f"{path.name}: window is not `table column days-before days-after`") from error


def bounds(column: str, since: str, until: str, before: int | None = 0, after: int | None = 0) -> list[str]:
    """Conditions on a column of the alias `w`; `since` and `until` are SQL dates that may be NULL for open."""
    found = []
    if before is not None and since != "NULL":
        found.append(f"({since} IS NULL OR w.{column} >= CAST({since} AS DATE) - {before})")
    if after is not None and until != "NULL":
        found.append(f"({until} IS NULL OR w.{column} < CAST({until} AS DATE) + {after})")
    return found


def windowed(body: str, windows: Iterable[Window], since: str, until: str) -> str:
    """A metric's body over no more rows than a period needs; `since` and `until` as for `bounds`."""
    for window in windows:
        held = bounds(window.column, since, until, window.before, window.after)
        if held:
            rows = f"(SELECT * FROM {window.table} w WHERE {' AND '.join(held)})"
            use = rf"(?:AS )?{window.alias}\b" if window.alias else r"\w"
            body = re.sub(rf"\b(FROM|JOIN) {window.table} (?={use})", rf"\1 {rows} ", body)
    return body
