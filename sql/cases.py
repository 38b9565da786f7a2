"""Cases of facilities beside those of the whole network: what is usual in their strata, and how far days differ.

The engine gathers them by facility and stratum, whose sums are few; of each case only its day is asked, and its value
where a percentile is weighted. What is summed does not depend on the order in which rows come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sql.catalog import Metric
from sql.counterfactual import Floats, Weighted
from sql.ordered import percentile_of
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
_OF_WEIGHTED = ("group_value", "share_uncovered", "standardized", "standardized_lower", "standardized_upper")


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
    if asked.kind != "rate":
        found = _with_dispersion(cases, found)
    if p is not None:
        found = found.join(_weighted(cases, p, found), on="group_value", how="left", maintain_order="left")
    none = (pl.lit(None).alias(name) for name in COMPARED if name not in found.columns)
    return found.with_columns(none).select(pl.col(name).cast(kind) for name, kind in COMPARED.items())


def _gathered(asked: Metric, p: float | None, rows: pa.RecordBatchReader) -> Cases:
    table = rows.read_all()
    held = table.column("units").combine_chunks()
    ends = held.offsets.to_numpy()
    cells = pl.DataFrame(table.drop_columns(["units"])).with_row_index("place")
    keys = [name for name in cells.columns if name != "place"]
    cells = cells.with_columns(pl.Series("n", np.diff(ends), dtype=pl.Int64)).sort(keys)
    places = cells["place"].to_list()
    days = _in_order(held.values.field("day").cast(pa.int32()).to_numpy(), ends, places)
    first, *others = (
        _in_order(held.values.field(name).cast(pa.float64()).to_numpy(), ends, places) for name in columns_of(asked)
    )
    if p is None:  # what is summed has decimals
        order = _order(first if not others else days, cells["n"].to_numpy())
        days, first, others = days[order], first[order], [each[order] for each in others]
    y = first if p is None else (first > percentile_of(first, p)).astype(np.float64) if len(first) else first
    one = np.broadcast_to(np.float64(1.0), y.shape)
    w, size = (one, one) if not others else (others[0], others[0 if asked.kind == "ratio" else 1])
    cases = Cases(cells, days - days.min(initial=0), y, w, first)
    sums = {name: cases.summed(each) for name, each in (("y", y), ("w", w), ("cases", size))}
    return replace(cases, cells=stratified(cells.with_columns(**sums), keys[1:], "cases"))


def _in_order(column: npt.NDArray[Any], ends: Ints, places: list[int]) -> npt.NDArray[Any]:
    """A column of lists, those of some places one behind the other."""
    return np.concatenate([column[:0], *(column[ends[place] : ends[place + 1]] for place in places)])


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


def _with_dispersion(cases: Cases, found: pl.DataFrame) -> pl.DataFrame:
    """With dispersion: the mean squared z of a facility's days about its own excess, 1 at least."""
    own = (pl.col("observed") - pl.col("expected")) / pl.col("compared")
    facilities = found.select(pl.col("group_value").alias("g0"), own.alias("own")).with_row_index("facility")
    cells = cases.cells.join(facilities, on="g0", how="left", maintain_order="left").with_columns(
        pl.when("is_peered").then(pl.col("usual") + pl.col("own")).otherwise(0.0).alias("slope"),
        pl.when("is_peered").then(pl.col("others") * pl.col("within")).otherwise(0.0).alias("noise"),
    )
    cases = replace(cases, cells=cells)
    n_days = int(cases.days.max()) + 1
    place = np.repeat(cells["facility"].cast(pl.Int64).to_numpy() * n_days, cases.sizes) + cases.days

    def by_day(values: Floats) -> Floats:
        return np.asarray(np.bincount(place, values, len(facilities) * n_days).reshape(-1, n_days), dtype=np.float64)

    excess = by_day(cases.y * cases.each("is_peered")) - by_day(cases.w * cases.each("slope"))
    variance = by_day(cases.w * cases.each("noise"))
    is_known = variance > 0
    squares = np.divide(excess**2, variance, out=np.zeros_like(excess), where=is_known).sum(axis=1)
    many = is_known.sum(axis=1)
    mean = np.where(many > 1, np.maximum(squares / np.maximum(many - 1, 1), 1.0), 1.0)
    return found.with_columns(pl.Series("dispersion", mean).set(pl.Series(many == 0), None))


def _weighted(cases: Cases, p: float, found: pl.DataFrame) -> pl.DataFrame:
    """Percentile of each facility at the network's mix, with the ranks of its effective size (Kish 1965) as bounds."""
    n, alike = pl.col("n"), pl.col("n").sum().over("stratum")
    own = n.sum().over("g0", "stratum")
    cells = cases.cells.with_columns(alike.alias("alike"), (alike / own).alias("weight"))
    cases = replace(cases, cells=cells)
    weights, total = cases.each("weight"), len(cases.values)
    facilities = cells.group_by("g0", maintain_order=True).agg(
        n.sum(), (n * pl.col("weight") ** 2).sum().alias("squares"),
        pl.struct("stratum", "alike").unique().struct.field("alike").sum().alias("covered"),
    )  # fmt: skip
    spread = dict(found.select("group_value", "dispersion").iter_rows())
    rows: list[dict[str, Any]] = []
    last = 0
    for facility, many, squares, covered in facilities.iter_rows():
        first, last, uncovered = last, last + many, 1 - covered / total
        rows.append({"group_value": facility, "share_uncovered": uncovered})
        if uncovered > MOST_UNCOVERED:
            continue
        of = Weighted(cases.values[first:last], weights[first:last])
        reach = Z * sqrt(p * (1 - p) * (spread[facility] or 1.0) * squares) / covered
        rows[-1] |= {
            "standardized": of.percentile(p),
            "standardized_lower": _at(of, p - reach),
            "standardized_upper": _at(of, p + reach),
        }
    return pl.DataFrame(rows, schema={name: COMPARED[name] for name in _OF_WEIGHTED})


def _at(of: Weighted, rank: float) -> float | None:
    """The value at a rank; None for a rank outside."""
    return float(of.at(np.array([rank]))[0]) if 0 < rank < 1 else None


def _summed(values: Floats, sizes: Ints) -> Floats:
    """Sums of as many values as each size says, one behind the other."""
    return np.add.reduceat(values, np.cumsum(sizes) - sizes) if len(values) else np.zeros(len(sizes))
