"""Cases of facilities beside those of the whole network: what is usual in their strata, and how far days differ.

The engine gathers them by facility and stratum, whose sums are few; of each case only its day is asked, and its value
where a percentile is weighted. What is summed does not depend on the order in which rows come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sql.catalog import Metric
from sql.counterfactual import Floats
from sql.fetched import frame_of
from sql.ordered import listed, percentile_of
from sql.ranked import Ranked, ranked
from sql.strata import stratified
from sql.units import columns_of

__all__ = ["COMPARED", "MOST_UNCOVERED", "compared"]

Ints = npt.NDArray[np.int64]
#: Share of the network's cases without a like at a facility above which its percentile is not weighted to that mix.
MOST_UNCOVERED = 0.5
#: Share of the others in a stratum up to which there are none, but for what is lost in dividing.
_NO_PEERS = 1e-12
#: Facilities whose cases are worked on at once, and what of their cells is needed for that.
_SIDE_BY_SIDE, _OF_CELLS = 2, ("is_peered", "slope", "noise", "weight")
#: Columns of a facility's answer.
COMPARED: dict[str, type[pl.DataType]] = {"group_value": pl.String} | dict.fromkeys(
    ("observed", "expected", "variance", "dispersion", "share_alone", "share_pooled", "share_uncovered",
     "standardized", "standardized_lower", "standardized_upper"), pl.Float64)  # fmt: skip


class Part(Protocol):
    """A facility's cases; what is told of cells comes in their order."""

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """By cell: y (what is summed), w (what it is divided by), and how many cases."""
        ...

    def by_day(self, is_peered: Floats, slope: Floats, noise: Floats) -> tuple[Floats, Floats, Floats]:
        """By day: y of the cases with peers, what is expected of them, and its variance; of each cell whether it has
        peers, and what adds to the other two per w."""
        ...


@dataclass(frozen=True, slots=True)
class Summed:
    """A facility's units, cell behind cell: how many each cell has, and of each unit its day, y, w and how many cases
    it counts for."""

    sizes: Ints
    days: Ints
    y: Floats
    w: Floats
    counted: Floats

    def sums(self) -> tuple[Floats, Floats, Floats]:
        """By cell: y, w and cases."""
        return self._by_cell(self.y), self._by_cell(self.w), self._by_cell(self.counted)

    def squares(self, usual: Floats) -> Floats:
        """By cell: how far units are from what is usual in it, squared."""
        return self._by_cell((self.y - self.w * np.repeat(usual, self.sizes)) ** 2)

    def by_day(self, is_peered: Floats, slope: Floats, noise: Floats) -> tuple[Floats, Floats, Floats]:
        """By day: y of what has peers, expected, and its variance."""
        return self._by_day(self.y, is_peered), self._by_day(self.w, slope), self._by_day(self.w, noise)

    def _by_day(self, of: Floats, cells: Floats) -> Floats:
        return np.asarray(np.bincount(self.days, of * np.repeat(cells, self.sizes)), np.float64)

    def _by_cell(self, values: Floats) -> Floats:
        told: Floats = np.add.reduceat(values, np.cumsum(self.sizes) - self.sizes)
        return told


@dataclass(frozen=True, slots=True)
class Cases:
    """Cells (a facility's cases of one stratum: g0, stratum, is_pooled; n and the sums y, w and cases) in order, and
    the cases of each facility, which has some, in that order; n says how many of them a cell has."""

    cells: pl.DataFrame
    parts: Sequence[Part]

    def by_facility(self, *columns: str) -> Iterator[tuple[Part, list[Floats]]]:
        """The cases of each facility, and what its cells have."""
        told = [self.cells[name].cast(pl.Float64).to_numpy() for name in columns]
        ends = np.cumsum(self.cells["g0"].rle().struct.field("len").cast(pl.Int64).to_numpy())
        for part, end, many in zip(self.parts, ends, np.diff(ends, prepend=0), strict=True):
            yield part, [each[end - many : end] for each in told]


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
    tell = partial(_told, asked, p, int(cases.cells["n"].sum()))
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        told = list(pool.map(tell, _covered(cases.cells), cases.by_facility(*_OF_CELLS)))
    rest = {name: kind for name, kind in COMPARED.items() if name not in found.columns}
    return pl.concat([found, pl.DataFrame(told, schema=rest)], how="horizontal").select(*COMPARED)


def _told(
    asked: Metric, p: float | None, total: int, covered: int, cases: tuple[Part, list[Floats]]
) -> dict[str, float | None]:
    """What is told of a facility's cases one by one; `covered` of all `total` cases have a like among them."""
    part, (is_peered, slope, noise, weights) = cases
    dispersion = _dispersion(*part.by_day(is_peered, slope, noise)) if asked.kind != "rate" else None
    told: dict[str, float | None] = {"dispersion": dispersion}
    if p is not None and isinstance(part, Ranked):
        told["share_uncovered"] = uncovered = 1 - covered / total
        if uncovered <= MOST_UNCOVERED:
            told.update(part.weighted(weights, p, dispersion or 1.0, covered))
    return told


def _gathered(asked: Metric, p: float | None, rows: pa.Table, at: float | None) -> Cases:
    days = listed(rows.column("day"), lambda values: values.cast(pa.int32()))
    columns = [listed(rows.column(name)) for name in columns_of(asked)]
    keys = [name for name in rows.column_names if re.fullmatch(r"g\d+", name)]
    cells = frame_of(rows.select(keys)).with_row_index("place").sort(keys)
    first_day = pc.min(rows.column("day").combine_chunks().flatten()).cast(pa.int32()).as_py() or 0
    if p is not None and at is None:
        at = _percentile_of_all(columns[0], p)
    parts, sizes = list[Part](), list[Ints]()
    for mine in cells.partition_by("g0", maintain_order=True):
        places = mine["place"].to_list()
        of_day, *each = (np.concatenate([lists[place] for place in places]) for lists in (days, *columns))
        many = np.array([len(days[place]) for place in places], dtype=np.int64)
        part, n = _part(asked, at if p is not None else None, of_day - first_day, each, many)
        sizes.append(n)
        if part is not None:
            parts.append(part)
    cells = cells.with_columns(pl.Series("n", np.concatenate([np.zeros(0, np.int64), *sizes]))).filter(pl.col("n") > 0)
    return in_strata(cells, parts)


def in_strata(cells: pl.DataFrame, parts: Sequence[Part]) -> Cases:
    """The cases of cells (g0, g1, ... and n) with their sums and strata."""
    keys = [name for name in cells.columns if re.fullmatch(r"g\d+", name)]
    y, w, counted = map(_joined, zip(*(part.sums() for part in parts), strict=True)) if parts else [_joined(())] * 3
    return Cases(stratified(cells.with_columns(y=y, w=w, cases=counted), keys[1:], "cases"), parts)


def _joined(told: Iterable[Floats]) -> pl.Series:
    """What cells of one facility after the other have."""
    return pl.Series(np.concatenate([np.zeros(0), *told]), dtype=pl.Float64)


def _percentile_of_all(values: Sequence[Floats], p: float) -> float | None:
    known = np.concatenate([np.zeros(0), *(each[each >= 0] for each in values)])
    return percentile_of(known, p) if len(known) else None


def _part(asked: Metric, at: float | None, days: Ints, columns: list[Floats], sizes: Ints) -> tuple[Part | None, Ints]:
    """A facility's cases of which something is known, where there are, and how many each cell has; with `at`, y is
    whether a value lies beyond it. What is summed has decimals: it comes in order."""
    if asked.kind != "percentile":
        order = _order(days, sizes)
        numerators, denominators, counted = (each[order] for each in columns)
        counted = denominators if asked.kind == "ratio" else counted
        return Summed(sizes, days[order], numerators, denominators, counted), sizes
    (values,) = columns
    is_known = values >= 0
    cell = np.repeat(np.arange(len(sizes)), sizes)[is_known]
    days, values = days[is_known], values[is_known]
    n = np.bincount(cell, minlength=len(sizes))
    if not len(values):
        return None, n
    if at is not None:
        order = np.lexsort((cell, values))
        values = values[order]
        return ranked(values, cell[order], days[order], n, int(np.searchsorted(values, at, side="right"))), n
    order, one = _order(values, n), np.broadcast_to(np.float64(1.0), values.shape)
    return Summed(n[n > 0], days[order], values[order], one, one), n


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
        squares = _joined(part.squares(usual) for part, (usual,) in cases.by_facility("usual")
                          if isinstance(part, Summed))  # fmt: skip
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


def _dispersion(y: Floats, expected: Floats, chance: Floats) -> float | None:
    """Mean squared z of a facility's days about its own excess, 1 at least; None without any that could differ."""
    is_known = chance > 0
    squares = (y - expected)[is_known] ** 2 / chance[is_known]
    if not len(squares):
        return None
    return max(1.0, float(squares.sum()) / (len(squares) - 1)) if len(squares) > 1 else 1.0
