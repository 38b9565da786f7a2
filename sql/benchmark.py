"""Facilities beside their peers, crude and at a standard case mix.

Indirect standardization: what a facility would have, did each of its strata go as in the whole network (expected),
beside what it has (observed); their ratio times the network's value is its standardized value (Breslow and Day, IARC
1987;82, ch. 2). A percentile is standardized directly: cases are weighted so that their mix is the network's. Its
observed and expected count the exams beyond the network's percentile.

The ratio is tested as Mantel and Haenszel do (1959), by strata: var(O - E) = sum of cases × (1 - own share of the
stratum) × variance within it, so strata without peers say nothing. It is widened where a facility's days differ by more
than chance, by their mean squared z (multiplicative overdispersion, Spiegelhalter, Stat Med 2005;24:1185): exams of one
night are no independent sample. Limits are those of a funnel plot: 95 % and 99.8 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import polars as pl

from sql.asked import QueryError
from sql.catalog import PERCENTILES, Metric
from sql.compare import judged
from sql.counterfactual import Floats, weighted_percentile
from sql.definitions import definition
from sql.filters import Filters
from sql.measure import metric
from sql.shape import Z
from sql.snapshot import Snapshot
from sql.strata import stratified
from sql.units import units

#: What makes cases alike, the last pooled first; of a metric those that it has.
STRATA = ("modality", "priority", "patient_class", "shift")
#: Share of the network's cases without a like at a facility above which its percentile is not weighted to that mix.
MOST_UNCOVERED = 0.5
#: Normal quantiles of the funnel's limits, the outer first.
LIMITS = ((3.090232306167813, "99.8 %"), (Z, "95 %"))
_NUMBERS = (
    "value", "lower", "upper", "standardized", "standardized_lower", "standardized_upper", "network", "observed",
    "expected", "ratio", "ratio_lower", "ratio_upper", "z", "dispersion", "share_alone", "share_pooled",
    "share_uncovered",
)  # fmt: skip
#: Columns of the answer.
BENCHMARK: dict[str, type[pl.DataType]] = {
    "group_name": pl.String, "group_value": pl.String, "n": pl.Int64, **dict.fromkeys(_NUMBERS, pl.Float64),
    "limit": pl.String, "verdict": pl.String,
}  # fmt: skip


def can_be_benchmarked(asked: Metric) -> bool:
    """Whether a metric's facilities can be compared at one case mix: not counts, sums and maxima."""
    return asked.kind in ("percentile", "ratio", "rate") and "facility" in asked.groups and bool(_strata(asked))


def benchmark(
    snapshot: Snapshot,
    metric_id: str,
    *,
    strata: Sequence[str] | None = None,
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """Each facility that the scope allows beside all of them together, whichever the filters name: a row each.

    Columns: group_name, group_value, n; value with lower and upper (crude); standardized with its bounds, network (the
    value of all facilities together), all in the metric's unit; observed, expected and their ratio with its bounds; z;
    limit (99.8 % or 95 %: the funnel's limit that the ratio is beyond; NULL within, below the metric's min_n, and for
    rates, whose chance is not known); verdict of what is beyond a limit; dispersion (factor on the variance); shares of
    its cases without peers (alone) and in pooled strata, and of the network's cases in strata where it has none
    (uncovered; for percentiles, which are not standardized above `MOST_UNCOVERED`). Bounds at 95 %. Empty below two
    facilities. Raises QueryError.
    """
    asked, filters = definition(snapshot, metric_id), (filters or Filters()).replace(facility=())
    chosen, keys = statistic or asked.statistic, tuple(_strata(asked) if strata is None else strata)
    if not can_be_benchmarked(asked) or "facility" in keys:
        raise QueryError(f"{asked.id} has no case mix at which facilities could be compared")
    rows = units(snapshot, metric_id, groups=("facility", *keys), filters=filters, statistic=chosen)
    crude = metric(snapshot, metric_id, groups=("facility",), filters=filters, statistic=chosen)
    crude = crude.filter(pl.col("value").is_not_null())
    whole = metric(snapshot, metric_id, filters=filters, statistic=chosen)
    if crude.height < 2:
        return pl.DataFrame(schema=BENCHMARK)
    cases = _cases(rows, asked, PERCENTILES.get(chosen), whole["value"][0])
    cases = stratified(cases, [f"g{number + 1}" for number in range(len(keys))], "cases")
    found = crude.join(_compared(cases, asked, PERCENTILES.get(chosen)), on="group_value", how="left")
    network = pl.lit(whole["value"][0], dtype=pl.Float64)
    if PERCENTILES.get(chosen) is None or asked.kind != "percentile":
        bounds = (
            ("standardized", "ratio"),
            ("standardized_lower", "ratio_lower"),
            ("standardized_upper", "ratio_upper"),
        )
        found = found.with_columns((pl.col(ratio) * network).alias(name) for name, ratio in bounds)
    else:
        found = found.join(_weighted(cases, PERCENTILES[chosen] or 0.0, found), on="group_value", how="left")
    return _judged(found.with_columns(network.alias("network")), asked)


def _strata(asked: Metric) -> list[str]:
    return [group for group in STRATA if group in asked.groups]


def _cases(rows: pl.DataFrame, asked: Metric, p: float | None, network: float | None) -> pl.DataFrame:
    """Rows with y (what is summed), w (what it is divided by) and cases (what counts for the size of a stratum)."""
    if asked.kind == "percentile":
        y = pl.col("value") if p is None else (pl.col("value") > network).cast(pl.Float64)
        return rows.with_columns(y.alias("y"), pl.lit(1.0).alias("w"), pl.lit(1.0).alias("cases"))
    size = "denominator" if asked.kind == "ratio" else "n"
    return rows.with_columns(y=pl.col("numerator"), w=pl.col("denominator"), cases=pl.col(size))


def _compared(cases: pl.DataFrame, asked: Metric, p: float | None) -> pl.DataFrame:
    """Observed, expected and their chance by facility, and the shares that limit the comparison."""
    usual = pl.col("y").sum() / pl.col("w").sum()
    is_share = asked.kind == "ratio" or p is not None
    size = pl.col("w").sum()
    within = usual * (1 - usual) * size / (size - 1) if is_share else pl.col("y").var()
    none = pl.lit(None, dtype=pl.Float64)
    known = cases.with_columns(
        usual.over("stratum").alias("usual"),
        (none if asked.kind == "rate" else within.over("stratum")).alias("within"),
        (1 - pl.col("w").sum().over("g0", "stratum") / size.over("stratum")).alias("others"),
    )
    is_peered = pl.col("others") > 1e-12
    peered = known.filter(is_peered).with_columns(
        (pl.col("w") * pl.col("usual")).alias("e"), (pl.col("w") * pl.col("others") * pl.col("within")).alias("v")
    )
    sums = peered.group_by(pl.col("g0").alias("group_value")).agg(
        pl.col("y").sum().alias("observed"), pl.col("e").sum().alias("expected"), pl.col("v").sum().alias("variance"),
        pl.col("w").sum().alias("compared"),
    )  # fmt: skip
    shares = known.group_by(pl.col("g0").alias("group_value")).agg(
        (pl.col("w").filter(~is_peered).sum() / size).alias("share_alone"),
        (pl.col("w").filter("is_pooled").sum() / size).alias("share_pooled"),
    )
    spread = _dispersion(peered, sums) if asked.kind != "rate" else sums.select("group_value", none.alias("dispersion"))
    found = shares.join(sums, on="group_value", how="left").join(spread, on="group_value", how="left")
    deviation = (pl.col("variance") * pl.col("dispersion")).sqrt() if asked.kind != "rate" else none
    excess = pl.col("observed") - pl.col("expected")
    ratio = pl.when(pl.col("expected") > 0).then(pl.col("observed") / pl.col("expected"))
    reach = pl.when(pl.col("expected") > 0).then(Z * deviation / pl.col("expected"))
    return found.with_columns(
        ratio.alias("ratio"),
        pl.max_horizontal(ratio - reach, pl.when(reach.is_not_null()).then(0.0)).alias("ratio_lower"),
        (ratio + reach).alias("ratio_upper"),
        pl.when(deviation > 0).then(excess / deviation).alias("z"),
    )


def _dispersion(peered: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """Mean squared z of a facility's days about its own excess, 1 at least."""
    own = sums.select("group_value", ((pl.col("observed") - pl.col("expected")) / pl.col("compared")).alias("own"))
    days = peered.group_by(pl.col("g0").alias("group_value"), "day").agg(pl.col("y", "e", "v", "w").sum())
    squares = days.join(own, on="group_value").filter(pl.col("v") > 0).with_columns(
        ((pl.col("y") - pl.col("e") - pl.col("own") * pl.col("w")) ** 2 / pl.col("v")).alias("square")
    )  # fmt: skip
    mean = pl.when(pl.len() > 1).then(pl.col("square").sum() / (pl.len() - 1)).otherwise(1.0)
    return squares.group_by("group_value").agg(pl.max_horizontal(mean, pl.lit(1.0)).first().alias("dispersion"))


def _weighted(cases: pl.DataFrame, p: float, compared: pl.DataFrame) -> pl.DataFrame:
    """Percentile of each facility at the network's mix, with the ranks of its effective size (Kish 1965) as bounds."""
    spread = dict(compared.select("group_value", "dispersion").iter_rows())
    sizes = dict(cases.group_by("stratum").len().iter_rows())
    rows: list[dict[str, Any]] = []
    for (facility,), part in cases.group_by("g0"):
        own = dict(part.group_by("stratum").len().iter_rows())
        weights = part["stratum"].replace_strict({s: sizes[s] / n for s, n in own.items()}).cast(pl.Float64).to_numpy()
        values = part["value"].to_numpy()
        effective = weights.sum() ** 2 / (weights**2).sum()
        reach = Z * sqrt(p * (1 - p) * (spread.get(facility) or 1.0) / effective)
        uncovered = 1 - sum(sizes[s] for s in own) / cases.height
        told = {
            "standardized": weighted_percentile(values, weights, p),
            "standardized_lower": _at(values, weights, p - reach),
            "standardized_upper": _at(values, weights, p + reach),
        }
        rows.append(
            {
                "group_value": facility,
                "share_uncovered": uncovered,
                **(told if uncovered <= MOST_UNCOVERED else dict.fromkeys(told)),
            }
        )
    numbers = dict.fromkeys([name for name in rows[0] if name != "group_value"], pl.Float64)
    return pl.DataFrame(rows, schema={"group_value": pl.String, **numbers})


def _at(values: Floats, weights: Floats, rank: float) -> float | None:
    """First value at which weighted values reach a rank; None for a rank outside."""
    if not 0 < rank < 1:
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reached + 1e-12, rank)), len(values) - 1)])


def _judged(found: pl.DataFrame, asked: Metric) -> pl.DataFrame:
    limit = pl.lit(None, dtype=pl.String)
    for beyond, name in reversed(LIMITS):
        limit = pl.when(pl.col("z").abs() >= beyond).then(pl.lit(name)).otherwise(limit)
    limit = pl.when(pl.col("n") >= asked.min_n).then(limit)
    made = found.with_columns(
        pl.lit("facility").alias("group_name"), limit.alias("limit"),
        pl.when(limit.is_not_null()).then(judged(asked.better, pl.col("z"))).alias("verdict"),
        *(pl.lit(None, dtype=pl.Float64).alias(name) for name in _NUMBERS if name not in found.columns),
    )  # fmt: skip
    return made.select(pl.col(name).cast(kind) for name, kind in BENCHMARK.items()).sort("group_value")
