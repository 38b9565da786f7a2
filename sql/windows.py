"""Which rows of a table a metric needs for a period, so that a month of a large warehouse costs a month.

A filter on the period of a row reaches the table that its anchor comes from. Tables that are joined to it, or folded
before, are told their window in the metric's header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sql.elsewhere import Use
from sql.headers import CatalogError

#: A table that is read: FROM or JOIN, its name, and by which alias.
_USE = re.compile(r"\b(FROM|JOIN) (\w+) ((?:AS )?(\w+))")


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


def windowed(body: str, windows: Iterable[Window], since: str, until: str, uses: Iterable[Use] = ()) -> str:
    """A metric's body over no more rows than a period needs, and than the rules of some uses of tables ask for;
    `since` and `until` as for `bounds`."""
    rules: list[tuple[Window | Use, list[str]]]
    rules = [(window, bounds(window.column, since, until, window.before, window.after)) for window in windows]
    rules += [(use, [use.rule]) for use in uses]

    def narrowed(use: re.Match[str]) -> str:
        place, table, named, alias = use.groups()
        held = [rule for each, told in rules if each.table == table and each.alias in ("", alias) for rule in told]
        return f"{place} (SELECT * FROM {table} w WHERE {' AND '.join(held)}) {named}" if held else use[0]

    return _USE.sub(narrowed, body)
