"""Lengths of very many rows as whole seconds, and their groups as numbers: for years of a whole network, or of what
is asked for at all its facilities, as one modality.

To put millions of values in lists by group, and to copy these lists, takes the engine longer than to read them. So rows
pass by as they lie, each text as its place among all that there are: the engine looks a text up once where it lies, not
in each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import sqlglot
from sqlglot import exp

from sql.bundle import Bundle, asked
from sql.catalog import CLOCK_GROUPS, Metric
from sql.filters import NO_VALUE
from sql.fine import MINUTES_OF_WEEK
from sql.grouped import picked
from sql.snapshot import Snapshot

#: The texts of each group that there are.
Texts = dict[str, list[str | None]]
#: Days of a period from which on rows are read so; where few facilities are asked for, lists are as fast, and where one
#: of what there are hundreds of is.
MANY_DAYS, FEW_FACILITIES = 366, 8
_FINE = ("device", "radiologist", "procedure")
#: Texts of a group: where a block is not kept by its texts, a row is compared with all of them.
MOST_TEXTS = 128
#: The longest length, in seconds (34 years), and a value's seconds: it is minutes.
_LONGEST, _MINUTE = float(1 << 30), 60.0
#: Microseconds of a minute; minutes of a day, and from a Monday to the day from which days are counted.
_MICROSECONDS, _DAY, _MONDAY = 60_000_000, 1440, 3 * 1440


class UnfitError(Exception):
    """Rows that are no whole seconds, have no time, or have more texts or groups than are told apart here."""


@dataclass(frozen=True, slots=True)
class Read:
    """Rows as they lie: `lengths` are 1 + seconds, 0 where nothing is known. Of each its slice where there are two, its
    day (since 1970), its minute of the week where a group is told of it, and by group the place of its text among
    `texts`, of which one is None."""

    lengths: npt.NDArray[np.uint32]
    slices: npt.NDArray[np.uint8]
    days: npt.NDArray[np.uint16]
    minutes: npt.NDArray[np.uint16]
    places: dict[str, npt.NDArray[np.uint8]]
    texts: Texts


def is_many(bundle: Bundle) -> bool:
    """Whether a question about percentiles is about so many rows of a table that they are read so."""
    filters = bundle.slices[0]
    is_wide = all(each is None or len(each) > FEW_FACILITIES for each in (filters.facility or None, filters.scope))
    is_coarse = is_wide and not any(getattr(filters, key) for key in _FINE)
    return is_coarse and bundle.days >= MANY_DAYS and _table(bundle.metric) != ""


@lru_cache(maxsize=64)
def _table(metric: Metric) -> str:
    """The table whose rows a metric tells, each once at most; '' where it makes rows of others."""
    tree = sqlglot.parse_one(metric.body, read="duckdb")
    parts = ("with_", "group", "distinct", "limit", "joins")
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in parts):
        return ""
    base = tree.args["from_"].this
    return base.name if isinstance(base, exp.Table) else ""


def read(snapshot: Snapshot, bundle: Bundle, fold: Callable[[Read], pl.DataFrame], of: object) -> pl.DataFrame:
    """What `fold` makes of a bundle's rows, where they are many (`is_many`); `of` says what for. Raises UnfitError."""
    most: int = snapshot.execute(f"SELECT count(*) AS n FROM {_table(bundle.metric)}")["n"].item()
    groups = tuple(group for group in bundle.keys if group not in CLOCK_GROUPS)
    has_clock = len(groups) < len(bundle.keys)
    plain = replace(bundle, sets=((groups, "all"),))
    texts = _texts(snapshot, plain)
    fold_rows = partial(_folded, fold, texts, most, has_clock)
    return snapshot.execute(*_statement(plain, texts), fold=fold_rows, of=("seconds", of))


def _rows(bundle: Bundle) -> tuple[str, dict[str, Any]]:
    ask, params = asked(bundle)
    values = {"value": "coalesce(CAST(b.value AS DOUBLE), -1.0)", "moment": "CAST(b.period_local AS TIMESTAMP)"}
    return picked(bundle, ask, params, values), params


def _texts(snapshot: Snapshot, bundle: Bundle) -> Texts:
    """The texts of each group as they are told in order: of all rows, since some are of years ago only."""
    if not bundle.keys:
        return {}
    lists = ", ".join(f"list(DISTINCT CAST(p.{name} AS VARCHAR)) AS {name}" for name in bundle.keys.values())
    rows, params = _rows(bundle)
    found = snapshot.execute(*_named(f"{rows}\nSELECT {lists} FROM picked p", params))
    there = {group: {*found[name].explode()} | {None} for group, name in bundle.keys.items()}
    if any(len(each) > MOST_TEXTS or NO_VALUE in each for each in there.values()):
        raise UnfitError
    return {group: sorted(each, key=lambda text: NO_VALUE if text is None else text) for group, each in there.items()}


def _statement(bundle: Bundle, texts: Texts) -> tuple[str, dict[str, Any]]:
    """A row a row: value, moment, slice where there are two, and the place of each text, from 1."""
    rows, params = _rows(bundle)
    slices = ["CAST(p.slice AS UTINYINT) AS slice"] if len(bundle.slices) > 1 else []
    places = [
        f"CAST(list_position([{', '.join(map(_literal, texts[group]))}]::VARCHAR[], CAST(p.{name} AS VARCHAR))"
        f" AS UTINYINT) AS {group}"
        for group, name in bundle.keys.items()
    ]
    return _named(f"{rows}\nSELECT {', '.join(['p.value', 'p.moment', *slices, *places])} FROM picked p", params)


def _named(sql: str, params: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A statement with the parameters that it names: the engine takes no others."""
    return sql, {name: value for name, value in params.items() if re.search(rf"\${name}\b", sql)}


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def _folded(
    fold: Callable[[Read], pl.DataFrame], texts: Texts, most: int, has_clock: bool, rows: pa.RecordBatchReader
) -> pl.DataFrame:
    """What `fold` makes of the rows, of which there are `most`. Pages of memory that are new cost more than what is
    done in them, so each batch is made small before the next one comes."""
    lengths, days, minutes = np.empty(most, np.uint32), np.empty(most, np.uint16), np.empty(most, np.uint16)
    slices, places = np.empty(most, np.uint8), {group: np.empty(most, np.uint8) for group in texts}
    last = 0
    for batch in rows:
        first, last = last, last + batch.num_rows
        mine = slice(first, last)
        lengths[mine] = _seconds(batch.column("value").to_numpy())
        of_epoch = _minutes(batch.column("moment"))
        days[mine] = of_epoch // _DAY
        if has_clock:
            minutes[mine] = (of_epoch + _MONDAY) % MINUTES_OF_WEEK
        if "slice" in batch.schema.names:
            slices[mine] = batch.column("slice").to_numpy()
        for group, held in places.items():
            np.subtract(batch.column(group).to_numpy(), 1, out=held[mine])
    if not last:
        raise UnfitError
    cut = slice(0, last)
    told = {group: each[cut] for group, each in places.items()}
    return fold(Read(lengths[cut], slices[cut], days[cut], minutes[cut], told, texts))


def _minutes(moments: pa.Array) -> npt.NDArray[np.int64]:
    """Minutes since 1970. Raises UnfitError."""
    if moments.null_count:
        raise UnfitError
    told: npt.NDArray[np.int64] = moments.cast(pa.int64()).to_numpy() // _MICROSECONDS
    if len(told) and (told.min() < 0 or told.max() >= _DAY << 16):
        raise UnfitError
    return told


def _seconds(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 + seconds of minutes, 0 of those that are not known or run backwards. Raises UnfitError."""
    seconds = np.rint(values * _MINUTE)
    is_unknown = values < 0
    if not ((seconds / _MINUTE == values) | is_unknown).all() or (len(seconds) and seconds.max() > _LONGEST):
        raise UnfitError
    seconds += 1
    seconds[is_unknown] = 0
    return seconds


def minutes_of(lengths: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float64]:
    """The values of lengths, below 0 where they are not known: those that were read, to the last bit."""
    told: npt.NDArray[np.float64] = (lengths.astype(np.int32) - 1) / _MINUTE
    return told
