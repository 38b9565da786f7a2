"""Field tables: one row a field with its columns, path of tags, type and place in PS3.3; and the loop over them.

A path is `group,element[/group,element...]`: each step but the last is a sequence, of which the first item is read.
Rows of the same columns are alternatives: the first that has a value wins. A type of several columns is taken whole.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from etl.plain_values import MOST, day, decimal
from etl.sources import dicom_kernel
from etl.sources.dicom_header import CHARSET, Header
from etl.sources.dicom_walk import Dataset, Wanted

CODE_VALUE, CODE_SCHEME, CODE_MEANING = 0x00080100, 0x00080102, 0x00080104
LONG_CODE, URN_CODE = 0x00080119, 0x00080120
CODE: Wanted = dict.fromkeys((CHARSET, CODE_VALUE, CODE_SCHEME, CODE_MEANING, LONG_CODE, URN_CODE))

#: No acquisition lasts longer than a day.
LONGEST_S = 86_400.0

Reader = Callable[[Header, Any, "Field"], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table; `first` is the top level tag, `rest` the tags within its items."""

    columns: tuple[str, ...]
    column: str
    first: int
    rest: tuple[int, ...]
    type: str
    chapter: str
    read: Reader

    @property
    def tag(self) -> int:
        """The tag of the value itself."""
        return self.rest[-1] if self.rest else self.first


def _text(header: Header, raw: Any, _field: Field) -> str | None:
    """Text and UIDs as written, several values joined by a backslash."""
    return header.text(raw) or None


def _first(header: Header, raw: Any, _field: Field) -> str | None:
    """The first of several values."""
    return header.text(raw).partition("\\")[0].strip() or None


def _person(header: Header, raw: Any, _field: Field) -> str | None:
    """PN (PS3.5 6.2.1): alphabetic representation of the first person, FAMILY^GIVEN^MIDDLE."""
    return header.text(raw).partition("\\")[0].partition("=")[0].strip().rstrip("^") or None


def _date(header: Header, raw: Any, field: Field) -> date | None:
    text = header.text(raw).replace(".", "")
    if not text:
        return None
    found = day(text)
    if found is None:
        header.defect(field.tag, "not a date")
    return found


def _decimal(header: Header, raw: Any, field: Field) -> float | None:
    """DS, IS: the first value as a number."""
    text = header.text(raw).partition("\\")[0].strip()
    if not text:
        return None
    value = decimal(text)
    if value is None:
        header.defect(field.tag, "not a number")
    return value


def _integer(header: Header, raw: Any, field: Field) -> int | None:
    value = _decimal(header, raw, field)
    return None if value is None else int(value)


def _thousandth(header: Header, raw: Any, field: Field) -> float | None:
    """A number of micro-units where the column has milli-units."""
    value = _decimal(header, raw, field)
    return None if value is None else value / 1000


def _short(header: Header, raw: Any, field: Field) -> int | None:
    """US: the first value."""
    try:
        value: int = header.short(raw[:2])[0]
    except (struct.error, TypeError):
        header.defect(field.tag, "not a number")
        return None
    return value


def _double(header: Header, raw: Any, field: Field) -> float | None:
    """FD: the first value."""
    try:
        value: float = header.double(raw[:8])[0]
    except (struct.error, TypeError):
        value = float("nan")
    if not abs(value) < MOST:
        header.defect(field.tag, "not a number")
        return None
    return value


def _seconds(header: Header, raw: Any, field: Field) -> float | None:
    """FD: a duration that instants can be moved by."""
    value = _double(header, raw, field)
    if value is not None and not 0 <= value <= LONGEST_S:
        header.defect(field.tag, "out of range")
        return None
    return value


def _yes(header: Header, raw: Any, _field: Field) -> bool | None:
    return {"Y": True, "N": False}.get(header.text(raw).upper())


def _meaning(header: Header, raw: Any, _field: Field) -> str | None:
    """Code meaning of the first item."""
    return code(header, raw[0])[1] if isinstance(raw, list) and raw else None


def _coded(header: Header, raw: Any, _field: Field) -> tuple[str | None, ...] | None:
    """Code value, meaning and scheme of the first item."""
    found = code(header, raw[0]) if isinstance(raw, list) and raw else (None, None, None)
    return found if found[0] or found[1] else None


def _second(header: Header, raw: Any, _field: Field) -> tuple[str | None, ...] | None:
    """Code value, meaning and scheme of the second item."""
    return _coded(header, raw[1:], _field) if isinstance(raw, list) else None


READERS: dict[str, Reader] = {
    "TEXT": _text, "UI": _text, "FIRST": _first, "PN": _person, "DA": _date, "DS": _decimal, "IS": _decimal,
    "COUNT": _integer, "MICRO": _thousandth, "US": _short, "FD": _double, "YES": _yes, "MEANING": _meaning,
    "CODE": _coded, "CODE2": _second, "SECONDS": _seconds,
}  # fmt: skip
#: Types that read a whole code sequence.
CODED = frozenset({"MEANING", "CODE", "CODE2"})


def code(header: Header, item: Dataset) -> tuple[str | None, str | None, str | None]:
    """(value, meaning, scheme) of a code item (PS3.3 8)."""
    header = header.within(item)
    value = item.get(CODE_VALUE) or item.get(LONG_CODE) or item.get(URN_CODE) or b""
    texts = (header.text(value), header.text(item.get(CODE_MEANING, b"")), header.text(item.get(CODE_SCHEME, b"")))
    return (texts[0] or None, texts[1] or None, texts[2] or None)


def tag_of(text: str) -> int:
    """`0008,0050` -> 0x00080050."""
    return int(text.replace(",", ""), 16)


#: Types that the compiled twin reads where the value is plain -> their number there (etl/sources/_dicom_values.c).
_PLAIN = {
    "TEXT": 1, "UI": 1, "FIRST": 2, "PN": 3, "DA": 4, "DS": 5, "IS": 5, "COUNT": 6, "US": 7, "CODE": 8, "CODE2": 9,
    "MEANING": 10,
}  # fmt: skip


def is_decimal(field: Field) -> bool:
    """Whether the value is one number in digits."""
    return field.read is _decimal and not field.rest


class Table(tuple[Field, ...]):
    """Rows in order; `compiled` is what the compiled twin made of them."""

    compiled: Any = None


def table(text: str) -> Table:
    """Rows of `columns path type place`, columns joined by commas."""
    rows = []
    for line in text.strip().splitlines():
        columns, path, kind, chapter = line.split(None, 3)
        tags = [tag_of(step) for step in path.split("/")]
        names = tuple(columns.split(","))
        rows.append(Field(names, names[0], tags[0], tuple(tags[1:]), kind, chapter, READERS[kind]))
    return Table(rows)


def wanted_of(rows: Iterable[Field]) -> Wanted:
    """The tags that tables read, as the walker wants them."""
    found: Wanted = {CHARSET: None}
    for row in rows:
        level = found
        for tag in (row.first, *row.rest)[:-1]:
            inner = level.setdefault(tag, {CHARSET: None})
            assert inner is not None  # noqa: S101 - a tag is a value or a sequence, in every table
            level = inner
        level[row.tag] = merged(level.get(row.tag), CODE) if row.type in CODED else None
    return found


def merged(one: Wanted | None, other: Wanted | None) -> Wanted | None:
    """Both sets of wanted tags together."""
    if one is None or other is None:
        return one or other
    both = dict(one)
    for tag, inner in other.items():
        both[tag] = merged(both.get(tag), inner)
    return both


def compiled(rows: Table) -> Any:
    """`rows` as the compiled twin takes them."""
    if rows.compiled is None:
        numbers = {name: n for n, name in enumerate(dict.fromkeys(name for row in rows for name in row.columns))}
        rows.compiled = dicom_kernel.compiled.table([
            (row.columns, row.first, row.rest, _PLAIN.get(row.type, 0), row, tuple(map(numbers.get, row.columns)))
            for row in rows
        ])  # fmt: skip
    return rows.compiled


def read(header: Header, dataset: Dataset, rows: Table, into: dict[str, Any] | None = None) -> dict[str, Any]:
    """The values that `rows` find in `dataset`, by column, put into the given dict; what is absent is left out."""
    into = {} if into is None else into
    if (kernel := dicom_kernel.compiled) is not None:
        kernel.fields(compiled(rows), header, dataset, header.codec, header.is_big, _value, into)
        return into
    found: dict[str, Any] = {}
    for row in [row for row in rows if row.first in dataset]:
        raw = dataset[row.first]
        if not raw or row.column in found:
            continue
        value = _value(header, raw, row)
        if value is None:
            continue
        if len(row.columns) == 1:
            found[row.column] = value
        else:
            found.update(zip(row.columns, value, strict=True))
    into |= found
    return into


def _value(header: Header, raw: Any, row: Field) -> Any:
    """The value of `row`, whose element at the top is `raw`."""
    for tag in row.rest:
        if not isinstance(raw, list):
            return None
        header = header.within(raw[0])
        raw = raw[0].get(tag)
        if not raw:
            return None
    return row.read(header, raw, row)
