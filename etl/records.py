"""The typed records that sources yield and `etl.load` stores: the contract between both.

A record is one row; rows are collected column-wise, without an object a field. `RECORDS` is the only
list of record types and columns: the raw tables, the parsers and the tests are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from etl import rows_twin
from etl.record_columns import (
    COMMON,
    ENVELOPE,
    IDENTIFIERS,
    LOADED,
    PATIENT,
    PROCEDURE,
    RECORDS,
    SQL_TYPE,
    WHEN,
    Column,
    Kind,
)

__all__ = [
    "COMMON", "ENVELOPE", "IDENTIFIERS", "LOADED", "PATIENT", "PROCEDURE", "RECORDS", "SQL_TYPE", "WHEN",
    "Column", "Defect", "Kind", "Parsed", "Rejected", "Rows",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Defect:
    """A field that could not be used. Names the place and the reason, never the value."""

    position: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message or object that could not be used at all; its bytes go to quarantine."""

    position: int
    reason: str
    detail: str = ""


@dataclass(slots=True)
class Rows:
    """Rows of one record type: tuples of the values of `names`, which end with position and row number."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.columns, "position", "row_number")

    @property
    def n(self) -> int:
        return len(self.rows)

    def add(self, position: int, row: dict[str, Any]) -> None:
        """Append one row; columns that `row` does not name are NULL. An unknown name is a bug."""
        if (kernel := rows_twin.KERNEL) is not None and kernel.add(self.rows, self.columns, position, row):
            return
        empty = _empty(self.columns)
        whole = empty | row  # in the order of the columns
        if len(whole) != len(empty):
            raise KeyError(f"not a column: {sorted(row.keys() - empty.keys())}")
        self._put(position, whole.values())

    def put(self, position: int, values: list[Any]) -> None:
        """Append one row: a value for each of `columns`."""
        if (kernel := rows_twin.KERNEL) is not None:
            kernel.put(self.rows, position, values)
            return
        self._put(position, values)

    def _put(self, position: int, values: Iterable[Any]) -> None:
        is_next = bool(self.rows) and self.rows[-1][-2] == position
        self.rows.append((*values, position, self.rows[-1][-1] + 1 if is_next else 0))


@lru_cache(maxsize=64)
def _empty(columns: tuple[str, ...]) -> dict[str, Any]:
    return dict.fromkeys(columns)


_NAMES = {record: tuple(column.name for column in columns) for record, columns in RECORDS.items()}
_ENVELOPE = tuple(column.name for column in ENVELOPE)


@dataclass(slots=True)
class Parsed:
    """What one file became. `read` = messages or objects seen = kept + len(rejected) (+ duplicates found by load)."""

    standard: str
    read: int = 0
    rows: dict[str, Rows] = field(default_factory=dict)
    defects: list[Defect] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    envelopes: Rows = field(default_factory=lambda: Rows(_ENVELOPE))

    def add(self, record: str, position: int, row: dict[str, Any]) -> None:
        self.of(record).add(position, row)

    def of(self, record: str) -> Rows:
        """The rows of one record type, to add to."""
        rows = self.rows.get(record)
        if rows is None:
            rows = self.rows[record] = Rows(_NAMES[record])
        return rows

    def records(self, record: str) -> Iterator[dict[str, Any]]:
        """Rows of one record type as dicts, for tests and tools."""
        rows = self.rows.get(record)
        if rows is None:
            return
        names = rows.names
        for values in rows.rows:
            yield dict(zip(names, values, strict=True))
