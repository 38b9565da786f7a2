"""Percentiles of a bundle: the engine gathers the values of fine groups, numpy orders those of each group asked for.

The same numbers, bit for bit but for the bounds of a mean, as those of the statement that is shown (`sql.shape`), which
any client can run; a test holds them together. Ordering takes a fourth of the time here: numpy sorts numbers with
vector instructions, the engine's lists are of any type. Values are read once for all sets of groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sql.bundle import Bundle, asked, of_slice
from sql.catalog import CLOCK_GROUPS, PERCENTILES
from sql.fetched import frame_of
from sql.fine import ALL_TOGETHER, Set, fine_sets
from sql.grouped import DAYS, keys_sql, part_sql, picked, sets_sql
from sql.ranges import NO_RANGES, ranged
from sql.shape import SHAPE, Z, text_sql

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Held(Protocol):
    """Values by their places, one group behind the other."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any, /) -> Any: ...


#: Groups that are gathered, about: a list each.
MOST_FINE = 5000
#: Values that are taken together where they pass by: as many as a core holds near it.
_AT_ONCE = 1 << 14
#: A value that is not known, in a list; those that run backwards are left out like it.
_UNKNOWN = "-1.0"
_TOLD = ("value", "lower", "upper")
#: A grain's length as polars writes it.
_EVERY = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "3mo", "year": "1y"}


def lists_statement(bundle: Bundle, beside: Mapping[str, str] | None = None) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters: a row a fine group, with slice, fine (its number), the columns of groups and
    periods, since and until of the slice, first_at and last_at where dates are open, the values as `v`, and what else
    is asked of their rows (`beside`: name -> SQL over a row `b`), each as a list in the same order.
    """
    ask, params = asked(bundle)
    fine = [part for part, _ in _fine(bundle)]
    values = {"value": f"coalesce(CAST(b.value AS DOUBLE), {_UNKNOWN})", **(beside or {})}
    lists = "".join(f", list(p.{name}) AS {name}" for name in beside or {})
    texts = "".join(f", {text_sql(f'g.{name}')} AS {name}" for name in bundle.keys.values())
    days = "".join(f"{of}(p.at) AS {name}, " for name, of in DAYS.items()) if bundle.is_open else ""
    sql = f"""{picked(bundle, ask, params, values)}, grouped AS (
SELECT {keys_sql(bundle, fine)}, {part_sql(bundle, fine, range(len(fine)))} AS fine,
{days}list(p.value) AS v{lists}
FROM picked p
GROUP BY {sets_sql(bundle, fine)}
)
SELECT g.*{f" REPLACE ({texts[2:]})" if texts else ""}, {dates_sql(bundle)} FROM grouped g"""
    return sql, params


def dates_sql(bundle: Bundle) -> str:
    """since and until of the slice of a row `g`."""
    return ", ".join(f"CAST({of_slice('g', bundle.dates(key))} AS DATE) AS {key}" for key in ("since", "until"))


def _fine(bundle: Bundle) -> list[tuple[Set, list[int]]]:
    """Sets of groups whose values are gathered, each with the numbers of the sets that are told of it."""
    return fine_sets(bundle.sets, bundle.days, MOST_FINE)


def told(bundle: Bundle, ranges: dict[int, pl.DataFrame], rows: pa.RecordBatchReader) -> pl.DataFrame:
    """The answers of a bundle from the rows of `lists_statement`, with slice, part, statistic and the shape; where all
    values are asked for together, their `ranges` (`sql.ranges.ranged`) are put down by slice."""
    fine, values = _read(rows)
    # Every set has all rows, so one room is enough: pages of memory that are new cost more than ordering what is there.
    sets = _fine(bundle)
    room = np.empty(sum(map(len, values)) // len(sets))
    parts = [
        _part(bundle, number, fine if len(sets) == 1 else fine.filter(pl.col("fine") == place), values, room, ranges)
        for place, (_, numbers) in enumerate(sets)
        for number in numbers
    ]
    return parts[0] if len(parts) == 1 else pl.concat(parts).sort("slice", "part", maintain_order=True)


def told_of(bundle: Bundle, numbers: Sequence[int], lists: pa.Table) -> list[pl.DataFrame]:
    """The answers to some sets of a bundle of one fine set and one statistic, from the rows of `lists_statement`."""
    fine, values = _of(lists)
    room = np.empty(sum(map(len, values)))
    return [_part(bundle, number, fine, values, room).select(SHAPE) for number in numbers]


def with_values(bundle: Bundle, rows: pa.RecordBatchReader) -> tuple[pl.DataFrame, list[Numbers]]:
    """The answer of a bundle of one set and one statistic, and the values of each of its rows in order."""
    fine, values = _read(rows)
    room = np.empty(sum(map(len, values)))
    found = _part(bundle, 0, fine, values, room)
    lasts = found["denominator"].cast(pl.Int64).cum_sum().to_list()
    return found.select(SHAPE), [room[last - n : last] for last, n in zip(lasts, found["n"].to_list(), strict=True)]


def _read(rows: pa.RecordBatchReader) -> tuple[pl.DataFrame, list[Numbers]]:
    """The fine groups with their place, and the values of each."""
    return _of(rows.read_all())


def _of(lists: pa.Table) -> tuple[pl.DataFrame, list[Numbers]]:
    groups = [field.name for field in lists.schema if not pa.types.is_list(field.type)]
    return frame_of(lists.select(groups)).with_row_index("place"), listed(lists.column("v"))


def listed(
    column: pa.ChunkedArray, of: Callable[[pa.Array], pa.Array] = lambda values: values
) -> list[npt.NDArray[Any]]:
    """Each list of a column, or what `of` makes of its values, as they lie: one array of all would be a copy of all."""
    return [
        values[start:end]
        for chunk in column.chunks
        for values in [of(chunk.values).to_numpy(zero_copy_only=True)]
        for start, end in pairwise(chunk.offsets.to_pylist())
    ]


def values_of(rows: pa.RecordBatchReader) -> list[Numbers]:
    """The values of each row of `lists_statement`."""
    return _read(rows)[1]


def _part(
    bundle: Bundle,
    number: int,
    fine: pl.DataFrame,
    values: list[Numbers],
    room: Numbers,
    ranges: dict[int, pl.DataFrame] | None = None,
) -> pl.DataFrame:
    """The answers of one set, from the fine groups that hold its rows."""
    part = bundle.sets[number]
    columns = ["slice", *bundle.columns(part)]
    days = [pl.col("first_at").min(), pl.col("last_at").max()] if bundle.is_open else []
    found = fine.group_by(columns, maintain_order=True).agg("place", pl.col("since", "until").first(), *days)
    found = ordered(bundle, part, named(bundle, part, found))
    many = _gathered(found["place"].to_list(), values, room)
    lasts = np.cumsum(many)
    unknown = [np.searchsorted(room[last - length : last], 0.0)
               for last, length in zip(lasts.tolist(), many.tolist(), strict=True)]  # fmt: skip
    n = many - np.array(unknown, dtype=np.int64)
    return shaped(bundle, number, found.with_columns(first=lasts - n, n=n, many=many), room, ranges)


def shaped(
    bundle: Bundle, number: int, found: pl.DataFrame, values: Held, ranges: dict[int, pl.DataFrame] | None = None
) -> pl.DataFrame:
    """The answers of one set from its groups in their order: each has `many` rows, of which `n` have a value, and these
    lie in order from `first` on. Where all are asked for together, their ranges are put down by slice."""
    firsts, n, many = (found[name].to_numpy() for name in ("first", "n", "many"))
    if ranges is not None and bundle.sets[number] == ALL_TOGETHER:
        ranges.update(dict.fromkeys(range(len(bundle.slices)), NO_RANGES))
        for slice_, first, known in zip(found["slice"].to_list(), firsts.tolist(), n.tolist(), strict=True):
            ranges[slice_] = ranged(values, first, known)
    counted = [pl.Series("n", n), pl.Series("numerator", n.astype(np.float64)),
               pl.Series("denominator", many.astype(np.float64))]  # fmt: skip
    return pl.concat(
        found.select("slice", pl.lit(number).alias("part"), pl.lit(name).alias("statistic"), *SHAPE[:4],
                     *counted, *_statistic(name, values, firsts, n))
        for name in bundle.statistics
    )  # fmt: skip


def named(bundle: Bundle, part: Set, found: pl.DataFrame) -> pl.DataFrame:
    """Groups with period_start, period_end, group_name and group_value."""
    groups, grain = part
    start = pl.lit(None, pl.Date) if grain == "all" else pl.col(bundle.starts[grain])
    end = start if grain == "all" else start.dt.offset_by(_EVERY[grain])
    firsts, lasts = [start, pl.col("since")], [end, pl.col("until")]
    if bundle.is_open:
        firsts.append(pl.col("first_at").min().over("slice").dt.date())
        lasts.append(pl.col("last_at").max().over("slice").dt.offset_by("1d").dt.date())
    names = [bundle.keys[group] for group in groups]
    return found.with_columns(
        pl.coalesce(firsts).alias("period_start"), pl.coalesce(lasts).alias("period_end"),
        pl.lit(" | ".join(groups) or "all").alias("group_name"),
        (pl.concat_str(names, separator=" | ") if names else pl.lit("all")).alias("group_value"),
    )  # fmt: skip


def ordered(bundle: Bundle, part: Set, found: pl.DataFrame) -> pl.DataFrame:
    """Groups in the order of an answer: by period, hours and weekdays by number, others by their text."""
    groups, grain = part
    by = [pl.col("slice"), *([] if grain == "all" else [pl.col(bundle.starts[grain])])]
    for group in groups:
        key = pl.col(bundle.keys[group])
        by += [key.cast(pl.Int32, strict=False)] if group in CLOCK_GROUPS and group != "shift" else []
        by.append(key)
    return found.sort(by, nulls_last=True, maintain_order=True)


def _gathered(places: list[list[int]], values: list[Numbers], room: Numbers) -> Counts:
    """The values of each group in order, one group behind the other in `room`; `places` are its fine groups. Returns
    how many each has."""
    lengths, last = [], 0
    for mine in places:
        first, last = last, last + sum(len(values[place]) for place in mine)
        group = room[first:last]
        np.concatenate([values[place] for place in mine], out=group)
        group.sort()
        lengths.append(last - first)
    return np.array(lengths, dtype=np.int64)


def _statistic(name: str, whole: Held, begins: Counts, n: Counts) -> list[pl.Series]:
    """value, lower and upper (`sql.shape` says how) of the `n` ordered values that begin at `begins`."""
    p = PERCENTILES[name]
    if p is None:
        means = [_mean(whole[first : first + many]) for first, many in zip(begins.tolist(), n.tolist(), strict=True)]
        return [pl.Series(column, [row[k] for row in means], dtype=pl.Float64) for k, column in enumerate(_TOLD)]
    above, below = Fraction(str(p)).as_integer_ratio()
    low, share = _placed(p, n)
    spread = Z * np.sqrt(n * above * (below - above) / (below * below))
    middle = n * above / below
    first, last = np.floor(middle - spread).astype(np.int64), np.ceil(middle + spread).astype(np.int64)
    lows = _at(whole, begins, n, low + 1)
    value = lows + (_at(whole, begins, n, np.minimum(low + 2, n)) - lows) * share
    told = (value, _at(whole, begins, n, first), _at(whole, begins, n, last))
    known = (n > 0, (n > 0) & (first >= 1), (n > 0) & (last <= n))
    return [pl.Series(column, each).set(pl.Series(~mask), None)
            for column, each, mask in zip(_TOLD, told, known, strict=True)]  # fmt: skip


def _placed(p: float, n: Counts) -> tuple[Counts, Numbers]:
    """The lower neighbour of a percentile among n values in order, from 0, and how far it lies towards the next."""
    above, below = Fraction(str(p)).as_integer_ratio()
    position = np.maximum(n - 1, 0) * above
    return position // below, position % below / below


def percentile_of(values: Numbers, p: float) -> float:
    """A percentile of values in any order, of which there are some: the one that `metric` tells."""
    low = int(_placed(p, np.array([len(values)]))[0][0])
    return percentile_in(np.partition(values, [low, min(low + 1, len(values) - 1)]), p)


def percentile_in(values: Numbers, p: float) -> float:
    """As `percentile_of`, of values in order."""
    lows, shares = _placed(p, np.array([len(values)]))
    low, high = values[int(lows[0])], values[min(int(lows[0]) + 1, len(values) - 1)]
    return float(low + (high - low) * shares[0])


def _at(whole: Held, begins: Counts, n: Counts, rank: Counts) -> Numbers:
    """The value of a rank from 1 in each group; any number where the group has none."""
    if not len(whole):
        return np.zeros(len(n))
    told: Numbers = whole[np.clip(begins + np.clip(rank, 1, np.maximum(n, 1)) - 1, 0, len(whole) - 1)]
    return told


def _mean(values: Numbers) -> tuple[float | None, float | None, float | None]:
    """Mean and its bounds; summed from the first to the last, as the engine does."""
    n = len(values)
    if not n:
        return None, None, None
    pieces = [values[first : first + _AT_ONCE] for first in range(0, n, _AT_ONCE)]
    total = 0.0
    for piece in pieces:
        total = float(np.cumsum(np.concatenate([[total], piece]))[-1])
    mean = total / n
    if n == 1:
        return mean, None, None
    squares = sum(float(np.square(piece - mean).sum()) for piece in pieces)
    error = Z * float(np.sqrt(squares / (n - 1))) / float(np.sqrt(n))
    return mean, mean - error, mean + error
