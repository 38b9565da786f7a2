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
from functools import partial

import polars as pl
import pyarrow as pa

from sql.asked import QueryError, answer_key, must_have
from sql.bundle import Bundle
from sql.bundled import answers
from sql.cases import MOST_UNCOVERED, compared
from sql.catalog import PERCENTILES, Metric
from sql.compare import judged
from sql.definitions import definition, is_current
from sql.filters import Filters
from sql.many_cases import Put, many_compared
from sql.measure import metric
from sql.noted import noted
from sql.ordered import told_of
from sql.shape import Z
from sql.snapshot import Snapshot
from sql.units import units_bundle, units_statement

__all__ = ["BENCHMARK", "LIMITS", "MOST_UNCOVERED", "STRATA", "benchmark", "can_be_benchmarked"]

#: What makes cases alike, the last pooled first; of a metric those that it has.
STRATA = ("modality", "priority", "patient_class", "shift")
#: Normal quantiles of the funnel's limits, the outer first.
LIMITS = ((3.090232306167813, "99.8 %"), (Z, "95 %"))
#: All facilities together, and each.
_NETWORK = (((), "all"), (("facility",), "all"))
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
    asked, every = definition(snapshot, metric_id), _of_all(filters)
    chosen, keys = statistic or asked.statistic, tuple(_strata(asked) if strata is None else strata)
    if not can_be_benchmarked(asked) or "facility" in keys:
        raise QueryError(f"{asked.id} has no case mix at which facilities could be compared")
    must_have(asked, ("facility", *keys), "all", chosen)
    ask_peers = partial(_peers, snapshot, metric_id, strata=keys, filters=filters, statistic=chosen)
    peers = None
    if filters is not None and filters.facility:
        if asked.kind == "percentile":
            peers = ask_peers()
        else:
            _ask_network(snapshot, metric_id, filters=filters, statistic=chosen)
    crude = metric(snapshot, metric_id, groups=("facility",), filters=every, statistic=chosen)
    crude = crude.filter(pl.col("value").is_not_null())
    whole = metric(snapshot, metric_id, filters=every, statistic=chosen)
    if crude.height < 2:
        return pl.DataFrame(schema=BENCHMARK)
    peers = ask_peers() if peers is None else peers
    found = crude.join(peers, on="group_value", how="left").with_columns(network=pl.lit(whole["value"][0], pl.Float64))
    return _judged(_told(found, is_weighted=_percentile(asked, chosen) is not None), asked)


def _strata(asked: Metric) -> list[str]:
    return [group for group in STRATA if group in asked.groups]


def _of_all(filters: Filters | None) -> Filters:
    """The filters but for the facility: a facility is compared with all."""
    return (filters or Filters()).replace(facility=())


def _percentile(asked: Metric, statistic: str) -> float | None:
    """The percentile that is asked, None for means and for what is no percentile."""
    return PERCENTILES[statistic] if asked.kind == "percentile" else None


@noted
def _ask_network(snapshot: Snapshot, metric_id: str, *, filters: Filters | None, statistic: str) -> None:
    """Ask in one statement for each facility and for all together where the filters name some, so that a page has asked
    for others; where they name none it asks for these itself. Of percentiles both are told of the rows of `_peers`."""
    asked, every = definition(snapshot, metric_id), _of_all(filters)
    keys = [answer_key(asked.id, groups, period, statistic, every) for groups, period in _NETWORK]
    if is_current(snapshot) and any(snapshot.kept(key) is None for key in keys):
        answers(snapshot, Bundle(asked, _NETWORK, (statistic,), (every.replace(compare="none"),)))


@noted
def _peers(
    snapshot: Snapshot, metric_id: str, *, strata: tuple[str, ...], filters: Filters | None, statistic: str
) -> pl.DataFrame:
    """Each facility beside what is usual in its strata (`sql.cases.compared`)."""
    asked = definition(snapshot, metric_id)
    p = _percentile(asked, statistic)
    bundle = units_bundle(asked, ("facility", *strata), _of_all(filters), statistic, *_NETWORK)
    is_told = asked.kind == "percentile" and filters is not None and bool(filters.facility) and is_current(snapshot)
    put = partial(_put, snapshot, bundle) if is_told else None
    many = many_compared(snapshot, bundle, p, put)
    if many is not None:
        return many
    fold = partial(_compared, bundle, p, put)
    return snapshot.execute(*units_statement(bundle), fold=fold, of=("peers", p))


def _compared(bundle: Bundle, p: float | None, put: Put | None, rows: pa.RecordBatchReader) -> pl.DataFrame:
    """Facilities beside their peers; `put` gets the answers to all together and to each facility."""
    lists, at = rows.read_all(), None
    if put is not None:
        whole, crude = told_of(bundle, (1, 2), lists)
        put(whole, crude)
        at = None if p is None or whole.is_empty() else whole["value"][0]
    return compared(bundle.metric, p, lists, at)


def _put(snapshot: Snapshot, bundle: Bundle, whole: pl.DataFrame, crude: pl.DataFrame) -> None:
    for (groups, period), frame in zip(_NETWORK, (whole, crude), strict=True):
        snapshot.put(answer_key(bundle.metric.id, groups, period, bundle.statistics[0], bundle.slices[0]), frame)


def _told(found: pl.DataFrame, *, is_weighted: bool) -> pl.DataFrame:
    """With ratio, z and bounds, and what is standardized by the ratio where no percentile is weighted."""
    deviation = (pl.col("variance") * pl.col("dispersion")).sqrt()
    expected, excess = pl.col("expected"), pl.col("observed") - pl.col("expected")
    ratio, reach = (pl.when(expected > 0).then(each / expected) for each in (pl.col("observed"), Z * deviation))
    told = found.with_columns(
        ratio.alias("ratio"),
        pl.max_horizontal(ratio - reach, pl.when(reach.is_not_null()).then(0.0)).alias("ratio_lower"),
        (ratio + reach).alias("ratio_upper"),
        pl.when(deviation > 0).then(excess / deviation).alias("z"),
    )
    if is_weighted:
        return told
    return told.with_columns(
        (pl.col(f"ratio{bound}") * pl.col("network")).alias(f"standardized{bound}")
        for bound in ("", "_lower", "_upper")
    )


def _judged(found: pl.DataFrame, asked: Metric) -> pl.DataFrame:
    limit = pl.lit(None, dtype=pl.String)
    for beyond, name in reversed(LIMITS):
        limit = pl.when(pl.col("z").abs() >= beyond).then(pl.lit(name)).otherwise(limit)
    limit = pl.when(pl.col("n") >= asked.min_n).then(limit)
    return (
        found.with_columns(
            pl.lit("facility").alias("group_name"),
            limit.alias("limit"),
            pl.when(limit.is_not_null()).then(judged(asked.better, pl.col("z"))).alias("verdict"),
        )
        .select(pl.col(name).cast(kind) for name, kind in BENCHMARK.items())
        .sort("group_value")
    )
