"""What moved a number, in words: from the rows of `sql.query.steps`, nothing is calculated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from app import words
from app.context import Context
from app.texts import text
from sql.attribution import OTHERS
from sql.catalog import Metric
from sql.filters import NO_VALUE

#: Units of lengths, which grow slower and not higher.
_LENGTHS = frozenset({"min", "h", "d", "s"})
_SEPARATOR = " | "


def group_words(context: Context, group_name: str, group_value: str) -> str:
    """A group of one or several groupings as people say it: CT, night at Northgate."""
    if group_value == OTHERS:
        return text("moved.others")
    pairs = dict(zip(group_name.split(_SEPARATOR), group_value.split(_SEPARATOR), strict=True))
    told = [
        text("moved.without", group=words.within(text(f"group.{name}")))
        if value == NO_VALUE
        else words.group(name, context.name(name, value))
        for name, value in pairs.items()
        if name != "facility" or len(pairs) == 1
    ]
    if "facility" not in pairs or len(pairs) == 1:
        return ", ".join(told)
    return text("moved.at", value=", ".join(told), facility=context.name("facility", pairs["facility"]))


def effect(context: Context, row: Mapping[str, Any], unit: str) -> str:
    """One effect without its size: slower MR at Northgate, fewer CT, everything else."""
    if row["effect"] in ("before", "now", "rest"):
        return text(f"moved.{row['effect']}")
    group = group_words(context, row["group_name"], row["group_value"])
    if row["effect"] == "mix":
        return text("moved.mix.up" if row["share"] > row["previous_share"] else "moved.mix.down", group=group)
    way = "up" if row["moved"] > 0 else "down"
    kind = f"rate.{'length' if unit in _LENGTHS else 'other'}" if row["effect"] == "rate" else "part"
    return text(f"moved.{kind}.{way}", group=group)


def sentence(context: Context, metric: Metric, statistic: str, whole: pl.DataFrame, effects: pl.DataFrame) -> str:
    """The change and its largest effects in one sentence, and another where it may be chance; '' without a comparison.

    `whole` is the metric compared without groups, `effects` are its steps.
    """
    if effects.is_empty() or whole.is_empty() or whole["delta"][0] is None:
        return ""
    delta, unit = whole["delta"][0], metric.unit
    way = "moved.rose" if delta > 0 else "moved.fell" if delta < 0 else "moved.same"
    named = words.statistic(statistic)
    what = metric.title if len(metric.statistics) == 1 else f"{metric.title} ({words.within(named)})"
    told = text(way, what=what, delta=words.size(delta, unit), now=words.value(whole["value"][0], unit))
    parts = [
        text("moved.effect", moved=words.delta(row["moved"], unit), effect=effect(context, row, unit))
        for row in effects.filter(pl.col("moved").is_not_null()).iter_rows(named=True)
    ]
    listed = ": " + "; ".join(parts) if parts else ""
    is_sampled = metric.kind in ("percentile", "ratio")
    chance = " " + text("moved.chance") if is_sampled and not whole["is_clear"][0] else ""
    return f"{told}{listed}.{chance}"
