"""What is taken of a statement's rows: as many as its limits allow, as Arrow that any reader of Arrow understands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

#: Rows that are taken from the engine at once.
_BATCH = 2048
#: Types whose values every reader of Arrow has; values of others are told in the engine's own words.
_PLAIN = (
    pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_string,
    pa.types.is_date, pa.types.is_time, pa.types.is_timestamp,
)  # fmt: skip
#: First and last value of types of time that Python's own types hold, by unit.
_SECONDS = (-62_135_596_800, 253_402_300_799)
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAYS = (-719_162, 2_932_896)
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows with names that differ, the engine's types of the columns, and by what bound more was left out, if any."""

    table: Any
    names: list[str]
    types: list[str]
    cut: str  # "", "rows" or "bytes"


class TooLarge(ValueError):
    """A single row is larger than a whole result may be."""


def take(asked: duckdb.DuckDBPyRelation, max_rows: int, max_bytes: int) -> Taken:
    """The first rows of a relation, which gives them bit by bit (what `execute` gives to Arrow is made whole first).

    In Arrow they have at most `max_bytes`. Raises TooLarge, duckdb.Error.
    """
    names, types = [str(name) for name in asked.columns], [str(kind) for kind in asked.types]
    reader = asked.to_arrow_reader(_BATCH)
    unique = _unique(names)
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, unique, strict=True)])
    kept: list[Any] = []
    rows, size, cut = 0, 0, ""
    for batch in reader:
        left = max_rows - rows
        part = batch.slice(0, left)
        fitting = _fitting(part, max_bytes - size)
        cut = "bytes" if fitting < part.num_rows else "rows" if batch.num_rows > left else ""
        if fitting:
            part = part.slice(0, fitting)
            kept.append(pa.RecordBatch.from_arrays(part.columns, schema=schema))
            rows, size = rows + fitting, size + part.nbytes
        if cut:
            break
    if cut == "bytes" and rows == 0:
        raise TooLarge
    reader.close()
    return Taken(_in_words(pa.Table.from_batches(kept, schema=schema)), names, types, cut)


def _fitting(batch: Any, room: int) -> int:
    """How many of a batch's first rows fit into some bytes."""
    low, high = 0, batch.num_rows
    while low < high:
        middle = (low + high + 1) // 2
        if batch.slice(0, middle).nbytes <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _unique(names: list[str]) -> list[str]:
    """The same names, with a number behind those that occurred before."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for name in names:
        made = name
        while made in found:
            seen[name] += 1
            made = f"{name}_{seen[name]}"
        found.append(made)
    return found


def _is_plain(column: Any) -> bool:
    """Whether every reader has a column's values: its type is common, and times are within the years 1 to 9999."""
    kind = column.type
    if not any(is_kind(kind) for is_kind in _PLAIN):
        return False
    if not (pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind)):
        return True
    import pyarrow.compute as pc  # noqa: PLC0415 - takes long, and few statements give times

    found = pc.min_max(column.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())).as_py()
    if found["min"] is None:
        return True
    if pa.types.is_date(kind):
        low, high = _DAYS
    elif pa.types.is_time(kind):
        low, high = 0, _DAY_SECONDS * _PER_SECOND[kind.unit] - 1
    else:
        low, high = (second * _PER_SECOND[kind.unit] for second in _SECONDS)
    return bool(low <= found["min"] and found["max"] <= high)


def _in_words(table: Any) -> Any:
    """The table with values of nested and rare types as the engine writes them."""
    rare = [number for number, column in enumerate(table.columns) if not _is_plain(column)]
    if not rare or table.num_rows == 0:
        for number in rare:
            table = table.set_column(number, table.schema.names[number], pa.array([], pa.string()))
        return table
    columns = pa.table({f"c{number}": table.column(number) for number in rare})
    casts = ", ".join(f"CAST(c{number} AS VARCHAR)" for number in rare)
    bounds: dict[str, str | bool | int | float | list[str]]
    bounds = {"threads": 1, "memory_limit": "256MiB", "enable_external_access": False, "temp_directory": ""}
    with duckdb.connect(config=bounds) as engine:
        told = engine.from_arrow(columns).project(casts).to_arrow_table()
    for place, number in enumerate(rare):
        table = table.set_column(number, table.schema.names[number], told.column(place))
    return table
