"""Questions: what a chart, a table and its CSV file ask. The three cannot differ, because they ask the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from app.context import Context
from app.texts import text
from sql.catalog import Metric

#: As the metric of a question: the one that the address names.
CHOSEN = "chosen"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a page: id (`page.name`), the ask, the metric it is about, units of columns for the CSV."""

    id: str
    ask: Callable[[Context], pl.DataFrame]
    metric: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its title in the catalogue of texts."""
        return text(f"q.{self.id}")

    @property
    def note(self) -> str:
        """What to know when reading it."""
        return text(f"q.{self.id}.note")

    def csv_href(self, context: Context) -> str:
        """Address of its CSV file in the state of the page."""
        return context.state.href(f"/csv/{self.id}.csv")

    def about(self, context: Context) -> Metric | None:
        """The metric it is about; None where it is about none or several."""
        if self.metric == CHOSEN:
            return context.chosen
        return context.definition(self.metric) if self.metric else None

    def statistic(self, context: Context) -> str:
        """The statistic whose rows the evidence is about: the chosen one, else the metric's usual one."""
        about = self.about(context)
        if about is None:
            return ""
        return context.statistic if self.metric == CHOSEN else about.statistic

    def csv_units(self, context: Context) -> dict[str, str]:
        """Unit of each column: of the metric's values, and those given."""
        about = self.about(context)
        if about is None:
            return dict(self.units)
        unit = about.unit
        columns = ("value", "lower", "upper", "previous", "previous_lower", "previous_upper", "delta", "mix",
                   "rate", "part", "moved", "start", "end", "standardized", "standardized_lower", "standardized_upper",
                   "network")  # fmt: skip
        return {**dict.fromkeys(columns, unit), **self.units}


def of_metric(metric_id: str, *groups: str, **options: Any) -> Callable[[Context], pl.DataFrame]:
    """The ask of a metric by groups."""
    return lambda context: context.metric(metric_id, groups, **options)


def of_compare(metric_id: str, *groups: str, statistic: str | None = None) -> Callable[[Context], pl.DataFrame]:
    """The ask of a metric by groups beside its earlier period."""
    return lambda context: context.compare(metric_id, groups, statistic)


def of_trend(metric_id: str, *groups: str, statistic: str | None = None) -> Callable[[Context], pl.DataFrame]:
    """The ask of a metric over time."""
    return lambda context: context.trend(metric_id, groups, statistic)


def of_several(asked: Sequence[tuple[str, str | None]]) -> Callable[[Context], pl.DataFrame]:
    """The ask of several metrics beside their earlier period: (metric, statistic), a row each, named in columns."""

    def ask(context: Context) -> pl.DataFrame:
        return pl.concat([
            context.compare(metric, (), statistic).with_columns(
                pl.lit(metric).alias("metric"), pl.lit(statistic or "value").alias("statistic"))
            for metric, statistic in asked
        ])  # fmt: skip

    return ask
