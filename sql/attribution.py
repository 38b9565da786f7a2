"""What moved a number: its change between two periods as parts of groups that add up to it exactly.

Shares and means of a whole are sums over groups of share × rate. Their change falls into mix and rate in the symmetric
form of Kitagawa (J Am Stat Assoc 1955;50:1168; Oaxaca and Blinder 1973 with the mean of both as weights; Das Gupta,
Standardization and Decomposition of Rates, 1993), which leaves no residual:

    mix  = (share now - share before) × (mean of the group's two values - mean of the whole's two values)
    rate = (value now - value before) × mean of the two shares

A percentile is no sum: its parts are differences of counterfactual percentiles (`sql.counterfactual`). A count or
sum has no mix: each group's part is its own change.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from sql.asked import QueryError, must_have
from sql.bundle import Bundle, at_once
from sql.catalog import PERCENTILES, Metric
from sql.compare import compare, judged
from sql.counterfactual import Floats, Mixtures
from sql.definitions import definition
from sql.filters import Filters
from sql.measure import metric
from sql.noted import Call, noted
from sql.ordered import lists_statement
from sql.snapshot import Snapshot

__all__ = ["OTHERS", "PARTS", "attribution", "attribution_asked", "can_be_parted", "steps"]

#: Values by group.
Values = dict[str, Floats]
_NONE = np.zeros(0)
#: Columns of the answer.
PARTS: dict[str, type[pl.DataType]] = {
    "group_name": pl.String, "group_value": pl.String, "n": pl.Int64, "previous_n": pl.Int64, "value": pl.Float64,
    "previous": pl.Float64, "delta": pl.Float64, "share": pl.Float64, "previous_share": pl.Float64,
    "mix": pl.Float64, "rate": pl.Float64, "part": pl.Float64, "verdict": pl.String,
}  # fmt: skip
#: Groups of a percentile that are told apart; the smallest beyond go together under `OTHERS`.
MOST_GROUPS = 40
OTHERS = "(others)"
_STEP = ("group_name", "group_value", "effect", "n", "previous_n", "value", "previous", "share", "previous_share")


def can_be_parted(asked: Metric) -> bool:
    """Whether a metric's change has parts: a maximum has none, nor has a metric without dates or groups."""
    return asked.kind not in ("max", "forecast") and asked.has_dates and bool(asked.groups)


def attribution(
    snapshot: Snapshot,
    metric_id: str,
    *,
    by: Sequence[str],
    filters: Filters | None = None,
    statistic: str | None = None,
) -> pl.DataFrame:
    """The change since the period that `filters.compare` names, by group: a row a value of `by`, the largest part
    first.

    Columns: group_name, group_value, n, previous_n; value, previous and delta of the group itself (NULL where it was
    absent); share and previous_share (0-1, of what the whole is divided by; NULL for counts and sums); mix, rate (NULL
    for these) and part = mix + rate, in the metric's unit; verdict of the part. The parts add up to the change of the
    whole. A group that is new or gone moves the mix. Empty where nothing is compared or a period has no value. Raises
    QueryError.
    """
    asked, filters, by = definition(snapshot, metric_id), filters or Filters(), tuple(by)
    if not by or not can_be_parted(asked):
        raise QueryError(f"{asked.id}: a change is parted by at least one group, and not of a maximum")
    chosen = statistic or asked.statistic
    if _is_of_values(asked, chosen):
        found = _of_percentile(snapshot, asked.id, by=by, filters=filters, statistic=chosen)
    else:
        found = _of_sum(snapshot, asked, by, filters, chosen)
    return (
        found.with_columns(
            pl.lit(" | ".join(by)).alias("group_name"),
            (pl.col("value") - pl.col("previous")).alias("delta"),
            judged(asked.better, pl.col("part")).alias("verdict"),
        )
        .select(pl.col(name).cast(kind) for name, kind in PARTS.items())
        .sort(pl.col("part").abs(), "group_value", descending=[True, False])
    )


def attribution_asked(
    snapshot: Snapshot, metric_id: str, *, by: tuple[str, ...], filters: Filters, statistic: str | None = None
) -> list[Call]:
    """What `attribution` asks where something is compared, to be asked at once (`sql.together.ask_all`)."""
    asked, before = definition(snapshot, metric_id), filters.before()
    chosen = statistic or asked.statistic
    if before is None:
        return []
    if _is_of_values(asked, chosen):
        return [Call(_of_percentile, (snapshot, asked.id), {"by": by, "filters": filters, "statistic": chosen})]
    return [Call(metric, (snapshot, asked.id), {"groups": by, "filters": each, "statistic": chosen})
            for each in (filters, before)]  # fmt: skip


def _is_of_values(asked: Metric, statistic: str) -> bool:
    """Whether its parts are told of the values themselves, since it is no sum."""
    return asked.kind == "percentile" and PERCENTILES[statistic] is not None


def _of_sum(snapshot: Snapshot, asked: Metric, by: tuple[str, ...], filters: Filters, statistic: str) -> pl.DataFrame:
    """Parts of what adds up: a mean, a ratio or rate, a count or sum."""
    before = filters.before()
    now, then = (
        metric(snapshot, asked.id, groups=by, filters=f, statistic=statistic).filter(pl.col("value").is_not_null())
        for f in (filters, before or filters)
    )
    if before is None or now.is_empty() or then.is_empty():
        return pl.DataFrame(schema=PARTS)
    weight = "n" if asked.kind == "percentile" else "denominator"
    earlier = then.select("group_value", pl.col("n").alias("previous_n"), pl.col("value").alias("previous"),
                          pl.col(weight).alias("previous_weight"))  # fmt: skip
    joined = now.select("group_value", "n", "value", pl.col(weight).alias("weight")).join(
        earlier, on="group_value", how="full", coalesce=True
    )
    joined = joined.with_columns(pl.col("n", "previous_n", "weight", "previous_weight").fill_null(0))
    none = pl.lit(None, dtype=pl.Float64)
    if asked.kind in ("sum", "last"):
        change = pl.col("value").fill_null(0.0) - pl.col("previous").fill_null(0.0)
        nothing = (none.alias(name) for name in ("share", "previous_share", "mix", "rate"))
        return joined.with_columns(*nothing, change.alias("part"))
    share, previous_share = (pl.col(name) / pl.col(name).sum() for name in ("weight", "previous_weight"))
    value, previous = pl.coalesce("value", "previous"), pl.coalesce("previous", "value")
    whole = ((share * value).sum() + (previous_share * previous).sum()) / 2
    return joined.with_columns(
        share.alias("share"),
        previous_share.alias("previous_share"),
        ((share - previous_share) * ((value + previous) / 2 - whole)).alias("mix"),
        ((value - previous) * (share + previous_share) / 2).alias("rate"),
    ).with_columns((pl.col("mix") + pl.col("rate")).alias("part"))


@noted
def _of_percentile(
    snapshot: Snapshot, metric_id: str, *, by: tuple[str, ...], filters: Filters, statistic: str
) -> pl.DataFrame:
    """Parts of a percentile, of the values themselves."""
    before, now = filters.before(), filters.replace(compare="none")
    if before is None:
        return pl.DataFrame(schema=PARTS)
    periods = before.replace(compare="none"), now
    key = "parts", metric_id, by, periods, statistic
    return snapshot.keep(key, lambda: _of_values(*_values(snapshot, metric_id, by, periods), statistic))


def _values(
    snapshot: Snapshot, metric_id: str, by: tuple[str, ...], periods: tuple[Filters, Filters]
) -> tuple[Values, Values]:
    """The values of each group that has any, in either period."""
    asked = definition(snapshot, metric_id)
    must_have(asked, by, "all", asked.statistic)
    parts: tuple[dict[str, list[Floats]], ...] = {}, {}
    first = 0
    for slices in at_once(asked, periods):
        bundle = Bundle(asked, ((by, "all"),), (asked.statistic,), slices)
        lists = snapshot.execute(*lists_statement(bundle))
        names = lists.select(pl.concat_str(list(bundle.keys.values()), separator=" | ")).to_series().to_list()
        values, ends = lists["v"].explode().to_numpy(), lists["v"].list.len().cum_sum().to_list()
        for name, slice_, start, end in zip(names, lists["slice"].to_list(), [0, *ends], ends, strict=False):
            known = values[start:end]
            parts[first + slice_].setdefault(name, []).append(known[known >= 0])
        first += len(slices)
    whole = ({name: np.concatenate(each) for name, each in part.items()} for part in parts)
    then, now = ({name: values for name, values in each.items() if len(values)} for each in whole)
    return then, now


def _of_values(then: Values, now: Values, statistic: str) -> pl.DataFrame:
    """Parts of a percentile by group; the smallest groups go together."""
    if not then or not now:
        return pl.DataFrame(schema=PARTS)
    sizes = {name: len(then.get(name, _NONE)) + len(now.get(name, _NONE)) for name in {**then, **now}}
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    if len(names) > MOST_GROUPS:
        rest = names[MOST_GROUPS - 1 :]
        for values in (then, now):
            values[OTHERS] = np.concatenate([values.get(name, _NONE) for name in rest])
        names = [*names[: MOST_GROUPS - 1], OTHERS]
    earlier, present = ([values.get(name, _NONE) for name in names] for values in (then, now))
    mixtures = Mixtures(earlier, present, PERCENTILES[statistic] or 0.0)
    mix, rate = mixtures.effects()
    return pl.DataFrame({
        "group_value": names, "n": mixtures.counts[1], "previous_n": mixtures.counts[0],
        "value": mixtures.groups(1), "previous": mixtures.groups(0),
        "share": mixtures.shares[1], "previous_share": mixtures.shares[0], "mix": mix, "rate": rate, "part": mix + rate,
    }, schema_overrides={"value": pl.Float64, "previous": pl.Float64})  # fmt: skip


def steps(
    snapshot: Snapshot,
    metric_id: str,
    *,
    by: Sequence[str],
    filters: Filters | None = None,
    statistic: str | None = None,
    most: int = 8,
) -> pl.DataFrame:
    """The way from the earlier to the present value in effects, the largest first, for a chart and for sentences.

    Columns: those of a group, and effect (before; mix and rate, or part where there is no mix; rest, which sums what is
    left after the `most` largest; now), moved, and level before and after it (start, end; of before and now from NULL).
    Effects without movement are left out. Empty where nothing is compared. Raises QueryError.
    """
    parts = attribution(snapshot, metric_id, by=by, filters=filters, statistic=statistic)
    whole = compare(snapshot, metric_id, filters=filters, statistic=statistic)
    if parts.is_empty():
        return pl.DataFrame(schema={**{c: PARTS.get(c, pl.String) for c in _STEP}, "verdict": pl.String,
                                    **dict.fromkeys(("moved", "start", "end"), pl.Float64)})  # fmt: skip
    names = ("mix", "rate") if parts["mix"].null_count() < parts.height else ("part",)
    effects = pl.concat([parts.with_columns(pl.lit(name).alias("effect"), pl.col(name).alias("moved"))
                         for name in names])  # fmt: skip
    effects = effects.filter(pl.col("moved") != 0).sort(
        pl.col("moved").abs(), "group_value", "effect", descending=[True, False, False]
    )
    told, left = effects.head(most), effects.tail(max(effects.height - most, 0))
    rows = [
        whole.select(pl.lit("before").alias("effect"), pl.col("previous_n"), pl.col("previous").alias("end")),
        told.with_columns(judged(definition(snapshot, metric_id).better, pl.col("moved")).alias("verdict")),
        left.select(pl.lit("rest").alias("effect"), pl.col("moved").sum()).head(1 if left.height else 0),
        whole.select(pl.lit("now").alias("effect"), "n", pl.col("value").alias("end")),
    ]
    found = pl.concat(rows, how="diagonal")
    level = pl.lit(whole["previous"][0]) + pl.col("moved").fill_null(0.0).cum_sum()
    is_step = pl.col("moved").is_not_null()
    return found.with_columns(
        pl.when(is_step).then(level - pl.col("moved")).alias("start"),
        pl.when(is_step).then(level).otherwise("end").alias("end"),
    ).select(*_STEP, "verdict", "moved", "start", "end")
