"""Percentiles of a curve of what still waits, from its steps: a few thousand numbers, which the engine's windows take
several times as long for.

The same as those of the statement that is shown (`sql.kaplan_meier`), which any client can run; a test holds them
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sql.catalog import PERCENTILES
from sql.fetched import frame_of
from sql.kaplan_meier import SLACK
from sql.shape import SHAPE, Z

_COUNTED = {"n": pl.Int64, "numerator": pl.Float64, "denominator": pl.Float64}
_TOLD = dict.fromkeys(("value", "lower", "upper"), pl.Float64)
_NAMES = {"period_start": pl.Date, "period_end": pl.Date, "group_name": pl.String, "group_value": pl.String}
REACHED = {"statistic": pl.String, **_NAMES, **_COUNTED, **_TOLD}


def reached(
    statistics: Sequence[str], dates: tuple[date | None, date | None], rows: pa.RecordBatchReader
) -> pl.DataFrame:
    """A row a percentile, with statistic and the columns of `SHAPE`, from the rows of
    `sql.kaplan_meier.steps_statement`; none without rows. `dates` are those that were asked for."""
    steps = frame_of(rows.read_all())
    if steps.is_empty():
        return pl.DataFrame(schema=REACHED).select("statistic", *SHAPE)
    lasted = steps["lasted_s"].to_numpy() / 60.0
    n, ended = (steps[name].to_numpy().astype(np.int64) for name in ("n", "n_finished"))
    curves = _curves(n, ended)
    since, until = dates
    total = int(n.sum())
    common = {
        "period_start": since or steps["first_day"].min(),
        "period_end": until or steps.select(pl.col("last_day").max().dt.offset_by("1d")).item(),
        "group_name": "all", "group_value": "all",
        "n": total, "numerator": float(ended.sum()), "denominator": float(total),
    }  # fmt: skip
    told = [
        {"statistic": name, **common, **dict(zip(_TOLD, (_first(lasted, each, p) for each in curves), strict=True))}
        for name in statistics
        if (p := PERCENTILES[name]) is not None
    ]
    return pl.DataFrame(told, schema=REACHED).select("statistic", *SHAPE)


def _curves(n: npt.NDArray[np.int64], ended: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.floating[Any]], ...]:
    """The share that still waits after each step, and its bounds; these are NaN where none can be told."""
    at_risk = np.cumsum(n[::-1])[::-1]
    survival = np.cumprod(1 - ended / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = ended / (at_risk * (at_risk - ended))
        variance = np.cumsum(np.where(at_risk > ended, part, 0.0))
        log = np.log(survival)
        middle, reach = np.log(-log), Z * np.sqrt(variance) / np.abs(log)
        is_between = (survival > 0) & (survival < 1)
        low, high = (np.where(is_between, np.exp(-np.exp(each)), np.nan) for each in (middle + reach, middle - reach))
    return survival, low, high


def _first(lasted: npt.NDArray[np.float64], curve: npt.NDArray[np.floating[Any]], p: float) -> float | None:
    """The first length at which a curve is down to what a percentile leaves; None where it never is."""
    is_down = curve <= 1 - p + SLACK
    return float(lasted[is_down.argmax()]) if is_down.any() else None
