"""A forecast's bundle: the engine gives the rows, numpy adds their draws place by place and orders the sums.

The same numbers as those of the statement that is shown (`sql.shape`); a test holds them together.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sql.bundle import Bundle, asked
from sql.catalog import INTERVALS
from sql.fetched import frame_of
from sql.grouped import picked
from sql.ordered import dates_sql, named, ordered
from sql.quantiles import interpolated
from sql.shape import SHAPE, exact_sql, text_sql

#: Parts of what is summed: as the engine sums it, without decimals.
_PARTS = 1_000_000_000


def rows_statement(bundle: Bundle) -> tuple[str, dict[str, Any]]:
    """The statement and its parameters: a row of the body each, with slice, since and until of the slice, first_at
    and last_at where dates are open, the columns of groups and periods, parts (of an exam), n and drawn."""
    ask, params = asked(bundle)
    values = {
        "parts": f"CAST(CAST({exact_sql('b.value')} AS DECIMAL(28, 9)) * {_PARTS} AS BIGINT)",
        "n": "b.n",
        "drawn": "b.drawn",
    }
    texts = "".join(f", {text_sql(f'g.{name}')} AS {name}" for name in bundle.keys.values())
    days = ", g.at AS first_at, g.at AS last_at" if bundle.is_open else ""
    sql = f"""{picked(bundle, ask, params, values)}
SELECT g.*{f" REPLACE ({texts[2:]})" if texts else ""}, {dates_sql(bundle)}{days} FROM picked g"""
    return sql, params


def told(bundle: Bundle, rows: pa.RecordBatchReader) -> pl.DataFrame:
    """The answers of a bundle from the rows of `rows_statement`, with slice, part, statistic and the shape."""
    table = rows.read_all()
    frame = frame_of(table.drop_columns(["drawn"])).with_row_index("place")
    draws = table.column("drawn").combine_chunks().values.to_numpy(zero_copy_only=False)
    matrix = draws.reshape(len(frame), -1) if len(frame) else draws.reshape(0, 1)
    parts = [_part(bundle, number, frame, matrix) for number in range(len(bundle.sets))]
    return pl.concat(parts).sort("slice", "part", maintain_order=True)


def _part(bundle: Bundle, number: int, frame: pl.DataFrame, draws: npt.NDArray[np.int32]) -> pl.DataFrame:
    """The answers of one set of groups."""
    part = bundle.sets[number]
    days = [pl.col("first_at").min(), pl.col("last_at").max()] if bundle.is_open else []
    sums = [*map(_sum, ("parts", "n")), pl.col("place").len().alias("many"), pl.col("since", "until").first(), *days,
            "place"]  # fmt: skip
    found = frame.group_by(["slice", *bundle.columns(part)], maintain_order=True).agg(sums)
    found = ordered(bundle, part, named(bundle, part, found))
    # Divided by numpy: polars would multiply by the reciprocal, which ends in other digits.
    found = found.with_columns(pl.Series("parts", found["parts"].to_numpy() / _PARTS).fill_nan(None))
    whole = found.select(
        "slice", pl.lit(number).alias("part"), "period_start", "period_end", "group_name", "group_value", "n",
        pl.col("parts").alias("numerator"), pl.col("many").cast(pl.Float64).alias("denominator"),
        pl.col("parts").alias("value"),
    )  # fmt: skip
    sums_drawn = _sorted(found["place"].to_list(), draws)
    return pl.concat(
        whole.with_columns(pl.lit(name).alias("statistic"), *_bounds(name, sums_drawn))
        .select("slice", "part", "statistic", *SHAPE) for name in bundle.statistics
    )  # fmt: skip


def _sum(column: str) -> pl.Expr:
    """As the engine sums: of nothing known, nothing is known."""
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum()).alias(column)


def _sorted(places: list[list[int]], draws: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The sums of the draws of each group's rows, in order along the group."""
    if not places:
        return np.zeros((0, 1), np.int64)
    sums = np.stack([draws[mine].sum(axis=0, dtype=np.int64) for mine in places])
    sums.sort(axis=1)
    return sums


def _bounds(name: str, sums: npt.NDArray[np.int64]) -> list[pl.Series]:
    """lower and upper: interpolated quantiles (type 7) of the sums."""
    p = Fraction(str(INTERVALS[name]))
    return [pl.Series(column, interpolated(sums, float(share) / 2)) for column, share in
            (("lower", 1 - p), ("upper", 1 + p))]  # fmt: skip
