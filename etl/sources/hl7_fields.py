"""Field tables: one row a field with its columns, address, type and chapter; and the loop that reads them.

An address is `SEG-field[.component[.subcomponent]]`. Rows of the same columns are alternatives: the first that has a
value wins. A type of several columns (a person, a code) is taken from one place as a whole, never mixed from two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.plain_values import day, decimal
from etl.sources.hl7_dialect import Plan, Segment
from etl.sources.hl7_message import Message

Reader = Callable[[Message, str, "Field"], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table. `column` is the first of `columns`; a type with one column yields a bare value."""

    columns: tuple[str, ...]
    address: str
    segment: str
    number: int
    component: int
    subcomponent: int
    type: str
    chapter: str
    read: Reader

    @property
    def column(self) -> str:
        return self.columns[0]


def _text(message: Message, raw: str, field: Field) -> str | None:
    """ST, ID, IS, NM as text: one component; '' where the sender deletes the value, None where it has none."""
    value = message.part(raw, field.component, field.subcomponent)
    mark = message.delimiters.truncation if value else ""
    if mark and mark in raw and message.components(raw)[field.component - 1].endswith(mark):
        # section 2.5.5.2: the sender cut the value, so it identifies nothing
        message.defect(field.address, "truncated_value")
        return None
    return value or ("" if raw == '""' else None)


def _entity(message: Message, raw: str, field: Field) -> str | None:
    """EI: value^namespace, the sending application where no namespace is given (2A.3.28)."""
    value = _text(message, raw, field)
    if not value:
        return value
    authority = message.part(raw, 2) or message.part(raw, 3) or message.sending
    return f"{value}^{authority}"


def _extended_id(message: Message, raw: str, field: Field) -> str | None:
    """CX (2A.3.14): value^authority, the sending application where no authority is given."""
    value = _text(message, raw, field)
    if not value:
        return value
    authority = message.part(raw, 4) or message.part(raw, 4, 2) or message.sending
    return f"{value}^{authority}"


def _person(message: Message, raw: str, field: Field) -> tuple[str | None, ...] | None:
    """XCN (2A.3.86): id, authority, FAMILY^GIVEN^MIDDLE."""
    parts = message.texts(raw)
    return _who(parts[0], parts[8] if len(parts) > 8 else "", parts[1:4])


def _performer(message: Message, raw: str, field: Field) -> tuple[str | None, ...] | None:
    """NDL component 1 (2A.3.46), a CNN of sub-components: id, authority (9), name (2-4).

    Many senders write an XCN here; then component 2 is a name and not a time.
    """
    parts = message.components(raw)
    mark = message.delimiters.subcomponent
    if not (mark and mark in parts[0]) and len(parts) > 1 and parts[1][:1].isalpha():
        return _person(message, raw, field)
    names = [message.text(part) for part in parts[0].split(mark)] if mark else [message.text(parts[0])]
    return _who(names[0], names[8] if len(names) > 8 else "", names[1:4])


def _who(identifier: str, authority: str, names: Sequence[str]) -> tuple[str | None, ...] | None:
    name = "^".join(names).rstrip("^")
    return (identifier or None, authority or None, name or None) if identifier or name else None


def _performer_time(message: Message, raw: str, field: Field) -> Any:
    """NDL component 2 or 3: reading start or end. A name there (XCN) is no time and no defect."""
    value = message.part(raw, field.component)
    return message.instant(value, field.address) if value[:1].isdigit() else None


def _performer_when(message: Message, raw: str, field: Field) -> tuple[Any, ...] | None:
    """NDL component 2 or 3 with precision and zone source."""
    return _when(message, raw, field) if message.part(raw, field.component)[:1].isdigit() else None


def _coded(message: Message, raw: str, field: Field) -> tuple[str | None, ...] | None:
    """CE, CWE: code, text, system, then the alternate code, text, system."""
    parts = [part or None for part in message.texts(raw)[:6]]
    parts += [None] * (6 - len(parts))
    return tuple(parts) if parts[0] or parts[1] else None


def _coded_pair(message: Message, raw: str, field: Field) -> tuple[str | None, ...] | None:
    """CE, CWE of which only the first coding is wanted."""
    found = _coded(message, raw, field)
    return found[:3] if found else None


def _location(message: Message, raw: str, field: Field) -> str | None:
    """PL (2A.3.53): point of care^room, either alone where the other is empty; beds stand in a room."""
    parts = [message.text(part) for part in message.components(raw)[:2]]
    return "^".join(part for part in parts if part) or None


def _instant(message: Message, raw: str, field: Field) -> Any:
    """TS, DTM: UTC instant."""
    value = message.part(raw, field.component) if field.component > 1 else raw
    return message.instant(value, field.address) if value else None


def _when(message: Message, raw: str, field: Field) -> tuple[Any, ...] | None:
    """TS, DTM with precision and zone source. A date keeps its precision and has no instant."""
    value = message.part(raw, field.component) if field.component > 1 else raw
    stamp = message.stamp(value, field.address) if value else None
    return (stamp.at, stamp.precision, stamp.zone_source) if stamp else None


def _date(message: Message, raw: str, field: Field) -> date | None:
    """DT, or the date of a TS as written."""
    text = message.part(raw, 1)[:8]
    found = day(text) if text else None
    if text and found is None:
        message.defect(field.address, "not a date")
    return found


def _number(message: Message, raw: str, field: Field) -> float | None:
    """NM (2A.3.47); `""` and non-numbers are None, the latter with a defect."""
    text = message.part(raw, field.component)
    value = decimal(text) if text else None
    if text and value is None:
        message.defect(field.address, "not a number")
    return value


READERS: dict[str, Reader] = {
    "ST": _text, "ID": _text, "IS": _text, "CX": _extended_id, "EI": _entity, "XCN": _person, "NDL": _performer,
    "NDLTIME": _performer_time, "NDLWHEN": _performer_when, "CWE": _coded, "CWE3": _coded_pair, "DTM": _instant,
    "PL": _location, "WHEN": _when, "DT": _date, "NM": _number,
}  # fmt: skip


#: Types that the kernel reads by itself.
CODES = {
    "ST": 1, "ID": 1, "IS": 1, "EI": 2, "CX": 3, "XCN": 4, "NDL": 5, "CWE": 6, "CWE3": 7, "DTM": 8, "WHEN": 9,
    "NDLTIME": 10, "NDLWHEN": 11, "DT": 12,
}  # fmt: skip


class Table(tuple[Field, ...]):
    """Rows, and the same as plain tuples for the loop that reads them."""

    plan: Plan

    def __new__(cls, rows: Iterable[Field] = ()) -> Table:
        made = super().__new__(cls, rows)
        made.plan = tuple(
            (
                row.column, row.columns, row.segment, row.number, row.component, row.subcomponent,
                CODES.get(row.type, 0), row.read, row,
            )
            for row in made
        )  # fmt: skip
        return made


def table(text: str) -> Table:
    """Rows of `columns address type chapter`, columns joined by commas."""
    rows = []
    for line in text.strip().splitlines():
        columns, address, kind, chapter = line.split()
        segment, _, rest = address.partition("-")
        numbers = [int(part) for part in rest.split(".")] + [1, 1]
        rows.append(
            Field(
                tuple(columns.split(",")), address, segment, numbers[0], numbers[1], numbers[2], kind, chapter,
                READERS[kind],
            )
        )  # fmt: skip
    return Table(rows)


def read(message: Message, segments: Mapping[str, Segment], rows: Table) -> dict[str, Any]:
    """The values that `rows` find in `segments` (name -> fields), by column. Absent fields are left out."""
    return message.dialect.read(message, segments, rows.plan)
