"""Which rows of a table a metric needs for a period, so that a month of a large warehouse costs a month.

A filter on the period of a row reaches the table that its anchor comes from. Tables that are joined to it, or folded
before, are told their window in the metric's header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Window(NamedTuple):
    """Rows that matter for a period: from `before` days before it to `after` days behind it; None: any.

    `alias` is the one use of the table that is meant, '' for all. Rows without a value in the column do not matter.
    """

    table: str
    alias: str
    column: str
    before: int | None
    after: int | None


def read_window(line: str) -> Window:
    """`table[:alias] column days-before days-after`, `-` for any. Raises ValueError."""
    named, column, before, after = line.split()
    table, _, alias = named.partition(":")
    return Window(table, alias, column, *(None if days == "-" else int(days) for days in (before, after)))


def windowed(body: str, windows: Iterable[Window], since: str, until: str) -> str:
    """A metric's body over no more rows than a period needs; `since` and `until` are SQL dates, or NULL for open."""
    for window in windows:
        bounds = []
        if window.before is not None and since != "NULL":
            first = f"coalesce(CAST({since} AS DATE), DATE '0100-01-01') - {window.before}"
            bounds.append(f"w.{window.column} >= {first}")
        if window.after is not None and until != "NULL":
            last = f"coalesce(CAST({until} AS DATE), DATE '9000-01-01') + {window.after}"
            bounds.append(f"w.{window.column} < {last}")
        if bounds:
            rows = f"(SELECT * FROM {window.table} w WHERE {' AND '.join(bounds)})"
            use = rf"(?:AS )?{window.alias}\b" if window.alias else r"\w"
            named = rf"\b(FROM|JOIN) {window.table} (?={use})"
            body = re.sub(named, rf"\1 {rows} ", body)
    return body
