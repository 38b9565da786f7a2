"""Cases of facilities beside those of the whole network: what is usual in their strata, and how far days differ.

The engine gathers them by facility and stratum, whose sums are few; of each case only its day is asked, and its value
where a percentile is weighted. What is summed does not depend on the order in which rows come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sql.catalog import Metric
from sql.counterfactual import Floats, Weighted
from sql.fetched import frame_of
from sql.ordered import listed, percentile_of
from sql.seconds import minutes_of
from sql.shape import Z
from sql.strata import stratified
from sql.units import columns_of

__all__ = ["COMPARED", "MOST_UNCOVERED", "compared"]

Ints = npt.NDArray[np.int64]
#: Share of the network's cases without a like at a facility above which its percentile is not weighted to that mix.
MOST_UNCOVERED = 0.5
#: Share of the others in a stratum up to which there are none, but for what is lost in dividing.
_NO_PEERS = 1e-12
#: Columns of a facility's answer.
COMPARED: dict[str, type[pl.DataType]] = {"group_value": pl.String} | dict.fromkeys(
    ("observed", "expected", "variance", "dispersion", "share_alone", "share_pooled", "share_uncovered",
     "standardized", "standardized_lower", "standardized_upper"), pl.Float64)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A facility's cases, cell behind cell: how many each cell has, and of each case its day, y (what is summed), w
    (what it is divided by), what it counts for, and its value; of whole seconds in place of values their lengths
    (`sql.seconds`). What is made of so many stays near the core."""

    sizes: Ints
    days: Ints
    y: Floats
    w: Floats
    counted: Floats
    values: Floats
    lengths: npt.NDArray[np.uint32] | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    """Cells (a facility's cases of one stratum: g0, stratum, is_pooled; n and the sums y, w and cases) in order, and
    the cases of each facility, which has some, in that order."""

    cells: pl.DataFrame
    parts: list[Part]

    def by_facility(self, *columns: str) -> Iterator[tuple[Part, list[Floats]]]:
        """The cases of each facility, and what each of them has from its cell."""
        told = [self.cells[name].cast(pl.Float64).to_numpy() for name in columns]
        last = 0
        for part in self.parts:
            first, last = last, last + len(part.sizes)
            yield part, [np.repeat(each[first:last], part.sizes) for each in told]

    def summed(self, values: Iterable[Floats]) -> pl.Series:
        """Sums by cell of what the cases of each facility have."""
        told = [np.add.reduceat(each, np.cumsum(part.sizes) - part.sizes)
                for part, each in zip(self.parts, values, strict=True)]  # fmt: skip
        return pl.Series(np.concatenate([np.zeros(0), *told]), dtype=pl.Float64)


def compared(asked: Metric, p: float | None, rows: pa.Table, at: float | None = None) -> pl.DataFrame:
    """A row a facility, which is the first of the groups of `sql.units.units_statement`, from its rows: the columns of
    `COMPARED`.

    observed, expected and variance are those of cases with peers; without any, all three are NULL. What is told of
    chance is NULL for rates, what is standardized where `p` is None: no percentile is asked. `at` is the percentile of
    all together, where it is known.
    """
    return beside(asked, p, _gathered(asked, p, rows, at))


def beside(asked: Metric, p: float | None, cases: Cases) -> pl.DataFrame:
    """As `compared`, of cases that were gathered."""
    if cases.cells.is_empty():
        return pl.DataFrame(schema=COMPARED)
    cases = _usual(cases, is_share=asked.kind == "ratio" or p is not None)
    found = _sums(cases.cells)
    own = (pl.col("observed") - pl.col("expected")) / pl.col("compared")
    cases = _weighed(cases, found.select(pl.col("group_value").alias("g0"), own.alias("own")))
    told: list[dict[str, float | None]] = [
        {"dispersion": _dispersion(part, *each) if asked.kind != "rate" else None}
        for part, each in cases.by_facility("is_peered", "slope", "noise")
    ]
    if p is not None:
        total, covered = int(cases.cells["n"].sum()), _covered(cases.cells)
        for row, like, (part, (weights,)) in zip(told, covered, cases.by_facility("weight"), strict=True):
            uncovered = 1 - like / total
            row["share_uncovered"] = uncovered
            if uncovered <= MOST_UNCOVERED:
                row.update(_weighted(part, weights, p, row["dispersion"] or 1.0, like))
    rest = {name: kind for name, kind in COMPARED.items() if name not in found.columns}
    return pl.concat([found, pl.DataFrame(told, schema=rest)], how="horizontal").select(*COMPARED)


def _gathered(asked: Metric, p: float | None, rows: pa.Table, at: float | None) -> Cases:
    days = listed(rows.column("day"), lambda values: values.cast(pa.int32()))
    columns = [listed(rows.column(name)) for name in columns_of(asked)]
    keys = [name for name in rows.column_names if re.fullmatch(r"g\d+", name)]
    cells = frame_of(rows.select(keys)).with_row_index("place").sort(keys)
    first_day = pc.min(rows.column("day").combine_chunks().flatten()).cast(pa.int32()).as_py() or 0
    if p is not None and at is None:
        at = _percentile_of_all(columns[0], p)
    parts, sizes = [], list[Ints]()
    for mine in cells.partition_by("g0", maintain_order=True):
        places = mine["place"].to_list()
        of_day, *each = (np.concatenate([lists[place] for place in places]) for lists in (days, *columns))
        many = np.array([len(days[place]) for place in places], dtype=np.int64)
        part, n = _part(asked, at if p is not None else None, of_day - first_day, each, many)
        sizes.append(n)
        if n.any():
            parts.append(part)
    cells = cells.with_columns(pl.Series("n", np.concatenate([np.zeros(0, np.int64), *sizes]))).filter(pl.col("n") > 0)
    return in_strata(cells, parts)


def in_strata(cells: pl.DataFrame, parts: list[Part]) -> Cases:
    """The cases of cells (g0, g1, ... and n) with their sums and strata."""
    keys = [name for name in cells.columns if re.fullmatch(r"g\d+", name)]
    cases = Cases(cells, parts)
    y, w, counted = (cases.summed(getattr(part, name) for part in parts) for name in ("y", "w", "counted"))
    return replace(cases, cells=stratified(cells.with_columns(y=y, w=w, cases=counted), keys[1:], "cases"))


def _percentile_of_all(values: Sequence[Floats], p: float) -> float | None:
    known = np.concatenate([np.zeros(0), *(each[each >= 0] for each in values)])
    return percentile_of(known, p) if len(known) else None


def _part(asked: Metric, at: float | None, days: Ints, columns: list[Floats], sizes: Ints) -> tuple[Part, Ints]:
    """A facility's cases of which something is known, and how many each cell has; with `at`, y is whether a value lies
    beyond it. What is summed has decimals: it comes in order."""
    if asked.kind != "percentile":
        order = _order(days, sizes)
        numerators, denominators, n = (each[order] for each in columns)
        counted = denominators if asked.kind == "ratio" else n
        return Part(sizes, days[order], numerators, denominators, counted, numerators), sizes
    (values,) = columns
    is_known = values >= 0
    if not is_known.all():
        days, values = days[is_known], values[is_known]
        sizes = np.add.reduceat(is_known, np.cumsum(sizes) - sizes, dtype=np.int64)
    one = np.broadcast_to(np.float64(1.0), values.shape)
    if at is None:
        order = _order(values, sizes)
        days, values = days[order], values[order]
    y = values if at is None else (values > at).astype(np.float64)
    return Part(sizes[sizes > 0], days, y, one, one, values), sizes


def _order(by: npt.NDArray[Any], sizes: Ints) -> Ints:
    """The order of the rows of each cell, one cell behind the other."""
    last = np.cumsum(sizes)
    parts = [start + np.argsort(by[start:end]) for start, end in zip(last - sizes, last, strict=True)]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _usual(cases: Cases, *, is_share: bool) -> Cases:
    """With what is usual in the whole network by stratum: usual, within (the variance), others (how much of the stratum
    is of other facilities) and is_peered (whether any is)."""
    size = pl.col("w").sum().over("stratum")
    others = 1 - pl.col("w").sum().over("g0", "stratum") / size
    cells = cases.cells.with_columns((pl.col("y").sum().over("stratum") / size).alias("usual"), others.alias("others"),
                                     (others > _NO_PEERS).alias("is_peered"))  # fmt: skip
    cases = replace(cases, cells=cells)
    within = pl.col("usual") * (1 - pl.col("usual")) * size
    if not is_share:
        squares = cases.summed((part.y - part.w * usual) ** 2 for part, (usual,) in cases.by_facility("usual"))
        cells, within = cells.with_columns(squares.alias("squares")), pl.col("squares").sum().over("stratum")
    return replace(cases, cells=cells.with_columns((within / (size - 1)).alias("within")))


def _sums(cells: pl.DataFrame) -> pl.DataFrame:
    """Observed, expected and their chance by facility, and the shares that limit the comparison."""
    w, others = pl.col("w"), pl.col("others")
    mine = cells.with_columns((w * pl.col("usual")).alias("e"), (w * others * pl.col("within")).alias("v"))
    of_peered = {"observed": pl.col("y"), "expected": pl.col("e"), "variance": pl.col("v"), "compared": w}
    return mine.group_by(pl.col("g0").alias("group_value"), maintain_order=True).agg(
        *(pl.when(pl.col("is_peered").any()).then(of.filter("is_peered").sum()).first().alias(name)
          for name, of in of_peered.items()),
        (w.filter(~pl.col("is_peered")).sum() / w.sum()).alias("share_alone"),
        (w.filter("is_pooled").sum() / w.sum()).alias("share_pooled"),
    )  # fmt: skip


def _weighed(cases: Cases, own: pl.DataFrame) -> Cases:
    """With what a case adds to its day (slope, and noise as variance; of cases with peers) and its weight at the mix of
    the network, in which as many are alike; `own` is the excess of each facility's cases."""
    n, is_peered = pl.col("n"), pl.col("is_peered")
    cells = cases.cells.join(own, on="g0", how="left", maintain_order="left").with_columns(
        pl.when(is_peered).then(pl.col("usual") + pl.col("own")).otherwise(0.0).alias("slope"),
        pl.when(is_peered).then(pl.col("others") * pl.col("within")).otherwise(0.0).alias("noise"),
        n.sum().over("stratum").alias("alike"),
        (n.sum().over("stratum") / n.sum().over("g0", "stratum")).alias("weight"),
    )
    return replace(cases, cells=cells)


def _covered(cells: pl.DataFrame) -> list[int]:
    """How many cases of the network have a like at each facility."""
    strata = cells.unique(["g0", "stratum"], maintain_order=True)
    found: list[int] = strata.group_by("g0", maintain_order=True).agg(pl.col("alike").sum())["alike"].to_list()
    return found


def _dispersion(part: Part, is_peered: Floats, slope: Floats, noise: Floats) -> float | None:
    """Mean squared z of a facility's days about its own excess, 1 at least; None without any that could differ."""
    y, expected, chance = (np.bincount(part.days, of * each) for of, each in (
        (part.y, is_peered), (part.w, slope), (part.w, noise)))  # fmt: skip
    is_known = chance > 0
    squares = (y - expected)[is_known] ** 2 / chance[is_known]
    if not len(squares):
        return None
    return max(1.0, float(squares.sum()) / (len(squares) - 1)) if len(squares) > 1 else 1.0


def _weighted(part: Part, weights: Floats, p: float, dispersion: float, covered: int) -> dict[str, float | None]:
    """Percentile of a facility at the network's mix, with the ranks of its effective size (Kish 1965) as bounds;
    `covered` are the network's cases that have a like among its own."""
    of, effective = _in_order(part, weights), covered**2 / float(np.square(weights).sum())
    reach = Z * sqrt(p * (1 - p) * dispersion / effective)
    return {
        "standardized": of.percentile(p),
        "standardized_lower": _at(of, p - reach),
        "standardized_upper": _at(of, p + reach),
    }


def _in_order(part: Part, weights: Floats) -> Weighted:
    """The weighted values; whole seconds are ordered with the numbers of their cells in half the time."""
    if part.lengths is None:
        return Weighted(part.values, weights)
    bits = len(part.sizes).bit_length()
    kind: np.dtype[Any] = np.dtype(np.uint32 if int(part.lengths.max()) << bits < 1 << 32 else np.uint64)
    numbers = part.lengths.astype(kind) << kind.type(bits)
    numbers |= np.repeat(np.arange(len(part.sizes), dtype=kind), part.sizes)
    numbers.sort()
    of_cell = weights[np.cumsum(part.sizes) - part.sizes]
    in_order = of_cell[(numbers & kind.type((1 << bits) - 1)).astype(np.intp)]
    return Weighted(minutes_of(numbers >> kind.type(bits)), in_order, float(np.sum(weights)))


def _at(of: Weighted, rank: float) -> float | None:
    """The value at a rank; None for a rank outside."""
    return float(of.at(np.array([rank]))[0]) if 0 < rank < 1 else None
