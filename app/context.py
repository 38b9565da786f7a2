"""One request's view: one snapshot, the state of the URL and the person; every number of the response is asked here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from app import notes, words
from app.guard import Person
from app.habits import Grain
from app.naming import names
from app.spoken import spoken
from app.state import State
from sql import query
from sql.catalog import Metric
from sql.definitions import definition, definitions
from sql.filters import Filters
from sql.snapshot import Snapshot, Store
from sql.team.notes import Note

#: Metric shown where none is named.
HEADLINE = "report_final"


@dataclass(frozen=True)
class Context:
    """Snapshot, state and person of one response, and the questions asked of them."""

    snapshot: Snapshot
    state: State
    person: Person
    scheme: str = "light"
    store: Store | None = field(default=None, repr=False)
    _names: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    @property
    def filters(self) -> Filters:
        """The filters kept to what the person may see."""
        return self.state.filters.within(self.person.facilities)

    def definition(self, metric_id: str) -> Metric:
        """A metric as the snapshot defines it."""
        return spoken(definition(self.snapshot, metric_id))

    @property
    def definitions(self) -> dict[str, Metric]:
        """The metrics of the snapshot by id."""
        return {key: spoken(metric) for key, metric in definitions(self.snapshot).items()}

    @property
    def chosen(self) -> Metric:
        """The metric that the address names; the headline where it names none. Raises CatalogError."""
        return self.definition(self.state.own.get("metric", HEADLINE))

    @property
    def statistic(self) -> str:
        """Statistic of the chosen metric that the address names; its usual one where it names none of its own."""
        wanted = self.state.own.get("stat", "")
        return wanted if wanted in self.chosen.statistics else self.chosen.statistic

    def _filters_of(self, metric_id: str) -> Filters:
        """The filters of a metric; what looks ahead of the data has all its days, whatever the dates."""
        looks_ahead = self.definition(metric_id).kind == "forecast"
        return self.filters.replace(since=None, until=None, compare="none") if looks_ahead else self.filters

    def metric(self, metric_id: str, groups: Sequence[str] = (), **options: Any) -> pl.DataFrame:
        """`sql.query.metric` under these filters."""
        return query.metric(self.snapshot, metric_id, groups=groups, filters=self._filters_of(metric_id), **options)

    def compare(self, metric_id: str, groups: Sequence[str] = (), statistic: str | None = None) -> pl.DataFrame:
        """`sql.query.compare` under these filters."""
        filters = self._filters_of(metric_id)
        return query.compare(self.snapshot, metric_id, groups=groups, filters=filters, statistic=statistic)

    def trend(self, metric_id: str, groups: Sequence[str] = (), statistic: str | None = None) -> pl.DataFrame:
        """`sql.query.trend` by day or week, as the period's length asks."""
        return query.trend(
            self.snapshot, metric_id, period=self.grain, groups=groups, filters=self.filters, statistic=statistic
        )

    def attribution(self, metric_id: str, by: Sequence[str], statistic: str | None = None) -> pl.DataFrame:
        """`sql.query.attribution` under these filters."""
        return query.attribution(self.snapshot, metric_id, by=by, filters=self.filters, statistic=statistic)

    def steps(self, metric_id: str, by: Sequence[str], statistic: str | None = None, most: int = 8) -> pl.DataFrame:
        """`sql.query.steps` under these filters."""
        return query.steps(self.snapshot, metric_id, by=by, filters=self.filters, statistic=statistic, most=most)

    def turns(self, metric_id: str, groups: Sequence[str] = (), statistic: str | None = None) -> pl.DataFrame:
        """`sql.query.turns` under these filters."""
        return query.turns(self.snapshot, metric_id, groups=groups, filters=self.filters, statistic=statistic)

    def waiting(self, metric_id: str) -> pl.DataFrame:
        """`sql.query.beside` under these filters: percentiles with waiting exams and without."""
        return query.beside(self.snapshot, metric_id, filters=self.filters)

    def marks(self, metric_id: str, filters: Filters) -> pl.DataFrame:
        """`sql.query.marks`; `filters` are these with another window."""
        return query.marks(self.snapshot, metric_id, filters=filters)

    def benchmark(self, metric_id: str, statistic: str | None = None) -> pl.DataFrame:
        """`sql.query.benchmark` under these filters."""
        return query.benchmark(self.snapshot, metric_id, filters=self.filters, statistic=statistic)

    def completeness(self, metric_id: str, statistic: str | None = None) -> pl.DataFrame:
        """`sql.query.completeness` under these filters."""
        return query.completeness(self.snapshot, metric_id, self._filters_of(metric_id), statistic)

    def clocks(self, metric_id: str) -> pl.DataFrame:
        """`sql.query.clocks` under these filters."""
        return query.clocks(self.snapshot, metric_id, self._filters_of(metric_id))

    def rows(self, table: str, **options: Any) -> pl.DataFrame:
        """`sql.query.rows` under these filters."""
        return query.rows(self.snapshot, table, filters=self.filters, **options)

    def counts(self, table: str, by: Sequence[str], **options: Any) -> pl.DataFrame:
        """`sql.query.counts` under these filters."""
        return query.counts(self.snapshot, table, by=by, filters=self.filters, **options)

    def weights(self) -> pl.DataFrame:
        """`sql.query.weights`: of the whole snapshot, as they are learned."""
        return query.weights(self.snapshot)

    def weight_agreement(self) -> pl.DataFrame:
        """`sql.query.weight_agreement`, of the whole snapshot."""
        return query.weight_agreement(self.snapshot)

    def kept(self) -> Iterable[Snapshot]:
        """The kept snapshots, the newest first; each is opened when it is its turn."""
        return self.store.kept() if self.store is not None else [self.snapshot]

    def numbers(self) -> list[int]:
        """Numbers of the kept snapshots, the newest first; none of them is opened."""
        return [self.snapshot.seq] if self.store is None else list(self.store.numbers())

    def notes(self) -> list[Note]:
        """The notes that stand within these filters, in order of days."""
        return [] if self.store is None else notes.shown(self.store, self.person, self.snapshot, self.filters)

    def data_from(self) -> date | None:
        """Day of the first exam that counts; None without one."""
        return query.data_from(self.snapshot)

    def short_until(self, days: int) -> date | None:
        """Day before which shares of what was done up to `days` days earlier are too low, because the data begin too
        late to know; None where the period and the one compared with lie behind it."""
        first, since = self.data_from(), (self.filters.before() or self.filters).since
        whole = None if first is None else first + timedelta(days=days)
        return whole if whole is not None and (since is None or since < whole) else None

    @property
    def grain(self) -> Grain:
        """Period of a trend: days up to two months, weeks up to a year, then months."""
        since, until = self.filters.since, self.filters.until
        days = (until - since).days if since is not None and until is not None else 365
        return Grain("day" if days <= 62 else "week" if days <= 400 else "month")

    def names(self, group_name: str, group_value: str) -> str:
        """What people call a group of one or several groupings."""
        pairs = zip(group_name.split(" | "), group_value.split(" | "), strict=True)
        return ", ".join(self.name(group, value) for group, value in pairs)

    def name(self, group: str, value: str) -> str:
        """What people call a group's value in the language of the request; the value itself where it has no name."""
        if group not in self._names:
            self._names[group] = names(self.snapshot, group)
        return words.named(group, value, self._names[group])
