"""Cases of facilities beside those of the whole network: what is usual in their strata, and how far days differ.

The engine gathers them by facility and stratum, whose sums are few; of each case only its day is asked, and its value
where a percentile is weighted. What is summed does not depend on the order in which rows come.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from sql.ordered import listed, percentile_of
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
class Cases:
    """Cells (a facility's cases of one stratum: g0, stratum, is_pooled; n and the sums y, w and cases) in order, and
    of each case, cell behind cell, its day from 0, y (what is summed), w (what it is divided by) and value."""

    cells: pl.DataFrame
    days: Ints
    y: Floats
    w: Floats
    values: Floats

    @property
    def sizes(self) -> Ints:
        """How many cases each cell has."""
        return self.cells["n"].to_numpy()

    def each(self, column: str) -> Floats:
        """What a case has from its cell."""
        return np.repeat(self.cells[column].cast(pl.Float64).to_numpy(), self.sizes)

    def summed(self, values: Floats) -> pl.Series:
        """Sums by cell."""
        return pl.Series(_summed(values, self.sizes), dtype=pl.Float64)

    def by_facility(self) -> Iterator[Cases]:
        """Those of each facility: what is made of so many stays near the core."""
        last = 0
        for cells in self.cells.partition_by("g0", maintain_order=True):
            first, last = last, last + int(cells["n"].sum())
            at = slice(first, last)
            yield Cases(cells, self.days[at], self.y[at], self.w[at], self.values[at])


def compared(asked: Metric, p: float | None, rows: pa.RecordBatchReader) -> pl.DataFrame:
    """A row a facility, which is the first of the groups of `sql.units.units_statement`: the columns of `COMPARED`.

    observed, expected and variance are those of cases with peers; without any, all three are NULL. What is told of
    chance is NULL for rates, what is standardized where `p` is None: no percentile is asked.
    """
    cases = _gathered(asked, p, rows)
    if cases.cells.is_empty():
        return pl.DataFrame(schema=COMPARED)
    cases = _usual(cases, is_share=asked.kind == "ratio" or p is not None)
    found = _sums(cases.cells)
    own = (pl.col("observed") - pl.col("expected")) / pl.col("compared")
    cases = _weighed(cases, found.select(pl.col("group_value").alias("g0"), own.alias("own")))
    told: list[dict[str, float | None]] = []
    for part in cases.by_facility():
        dispersion = _dispersion(part) if asked.kind != "rate" else None
        weighted = _weighted(part, p, dispersion or 1.0, len(cases.values)) if p is not None else {}
        told.append({"dispersion": dispersion, **weighted})
    rest = {name: kind for name, kind in COMPARED.items() if name not in found.columns}
    return pl.concat([found, pl.DataFrame(told, schema=rest)], how="horizontal").select(*COMPARED)


def _gathered(asked: Metric, p: float | None, rows: pa.RecordBatchReader) -> Cases:
    table = rows.read_all()
    units = table.column("units")
    cells = pl.DataFrame(table.drop_columns(["units"])).with_row_index("place")
    keys = [name for name in cells.columns if name != "place"]
    cells = cells.with_columns(pl.Series("n", pc.list_value_length(units), dtype=pl.Int64)).sort(keys)
    places = cells["place"].to_list()
    days = _in_order(units, "day", pa.int32(), places)
    first, *others = (_in_order(units, name, pa.float64(), places) for name in columns_of(asked))
    if p is None:  # what is summed has decimals
        order = _order(first if not others else days, cells["n"].to_numpy())
        days, first, others = days[order], first[order], [each[order] for each in others]
    y = first if p is None else (first > percentile_of(first, p)).astype(np.float64) if len(first) else first
    one = np.broadcast_to(np.float64(1.0), y.shape)
    w, size = (one, one) if not others else (others[0], others[0 if asked.kind == "ratio" else 1])
    cases = Cases(cells, days - days.min(initial=0), y, w, first)
    sums = {name: cases.summed(each) for name, each in (("y", y), ("w", w), ("cases", size))}
    return replace(cases, cells=stratified(cells.with_columns(**sums), keys[1:], "cases"))


def _in_order(units: pa.ChunkedArray, name: str, kind: pa.DataType, places: list[int]) -> npt.NDArray[Any]:
    """A field of lists of structs, those of some places one behind the other."""
    told = listed(units, lambda values: values.field(name).cast(kind))
    return np.concatenate([np.empty(0, kind.to_pandas_dtype()), *(told[place] for place in places)])


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
        squares = cases.summed((cases.y - cases.w * cases.each("usual")) ** 2)
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


def _dispersion(cases: Cases) -> float | None:
    """Mean squared z of a facility's days about its own excess, 1 at least; None without any that could differ."""
    y, expected, noise = (np.bincount(cases.days, of * cases.each(column)) for column, of in (
        ("is_peered", cases.y), ("slope", cases.w), ("noise", cases.w)))  # fmt: skip
    is_known = noise > 0
    squares = (y - expected)[is_known] ** 2 / noise[is_known]
    if not len(squares):
        return None
    return max(1.0, float(squares.sum()) / (len(squares) - 1)) if len(squares) > 1 else 1.0


def _weighted(cases: Cases, p: float, dispersion: float, total: int) -> dict[str, float | None]:
    """Percentile of a facility at the network's mix, with the ranks of its effective size (Kish 1965) as bounds."""
    covered = sum(dict(cases.cells.select("stratum", "alike").iter_rows()).values())
    uncovered = 1 - covered / total
    if uncovered > MOST_UNCOVERED:
        return {"share_uncovered": uncovered}
    weights = cases.each("weight")
    of, effective = Weighted(cases.values, weights), covered**2 / float(np.square(weights).sum())
    reach = Z * sqrt(p * (1 - p) * dispersion / effective)
    return {
        "share_uncovered": uncovered,
        "standardized": of.percentile(p),
        "standardized_lower": _at(of, p - reach),
        "standardized_upper": _at(of, p + reach),
    }


def _at(of: Weighted, rank: float) -> float | None:
    """The value at a rank; None for a rank outside."""
    return float(of.at(np.array([rank]))[0]) if 0 < rank < 1 else None


def _summed(values: Floats, sizes: Ints) -> Floats:
    """Sums of as many values as each size says, one behind the other."""
    return np.add.reduceat(values, np.cumsum(sizes) - sizes) if len(values) else np.zeros(len(sizes))
