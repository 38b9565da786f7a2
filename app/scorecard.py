"""The scorecard of facilities: one row each from several metrics, and what is said of it in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import polars as pl

from app import words
from app.context import Context
from app.everywhere import everywhere
from app.habits import ask_ahead
from app.state import drill
from app.texts import text
from sql import query
from sql.noted import Call


@dataclass(frozen=True, slots=True)
class Measure:
    """One column of the scorecard: name, metric, statistic, unit."""

    name: str
    metric: str
    unit: str
    statistic: str | None = None


#: Days that a repeat may lie behind the exam it repeats.
REPEAT_DAYS = 30
MEASURES = (
    Measure("p50", "report_final", "min", "p50"),
    Measure("p90", "report_final", "min", "p90"),
    Measure("within", "within_target", "share"),
    Measure("utilization", "utilization", "share"),
    Measure("repeats", "repeat_exam_rate", "share", f"{REPEAT_DAYS}d"),
    Measure("waiting", "backlog", "exams", "waiting"),
    Measure("past_target", "backlog", "exams", "past_target"),
)
#: Columns kept of each measure, behind its name: value, n, delta, verdict, is_clear.
_KEPT = ("value", "n", "delta", "relative", "verdict", "is_clear")


def scorecard(context: Context) -> pl.DataFrame:
    """A row per facility: every measure as name, name_n, name_delta, name_verdict, name_is_clear, and n_silent."""
    return _card(context, ("facility",))


def network(context: Context) -> pl.DataFrame:
    """The same measures of all facilities together, in one row."""
    return _card(context, ())


def _card(context: Context, groups: tuple[str, ...]) -> pl.DataFrame:
    found = context.metric("report_final", groups).select(pl.col("group_value").alias("facility"))
    for measure in MEASURES:
        frame = context.compare(measure.metric, groups, measure.statistic)
        named = [pl.col(c).alias(measure.name if c == "value" else f"{measure.name}_{c}") for c in _KEPT]
        found = found.join(frame.select(pl.col("group_value").alias("facility"), *named), on="facility", how="full",
                           coalesce=True)  # fmt: skip
    if context.short_until(REPEAT_DAYS) is not None:  # a rise while the data begin is no finding, nor coloured
        found = found.with_columns(repeats_verdict=pl.lit("same"))
    silent = context.counts("dq_freshness", groups, where={"is_silent": True}).select(
        (pl.col("facility") if groups else pl.lit("all")).alias("facility"), pl.col("n").alias("n_silent")
    )
    return found.join(silent, on="facility", how="left").with_columns(pl.col("n_silent").fill_null(0)).sort("facility")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at: how grave (2 act, 1 watch), the words, where to look; `ask` tells since when and why, by
    the answers to `questions`."""

    weight: int
    told: str
    href: str
    ask: Callable[[], str] = str
    questions: tuple[Call, ...] = ()

    @property
    def why(self) -> str:
        """Since when and why, as far as it can be told; asked for where it is shown, since it takes statements."""
        return self.ask()

    @property
    def whole(self) -> str:
        """All of it in one line."""
        why = self.why
        return f"{self.told}; {why}" if why else self.told


def findings(frame: pl.DataFrame, context: Context) -> list[Finding]:
    """What is out of order, gravest first: clear turns for the worse, reports past their target, silent sources."""
    by_row = (item for row in frame.iter_rows(named=True) for item in _findings(row, context))
    found = [*_groups(context), *by_row, *_silent(context)]
    return sorted(found, key=lambda item: -item.weight)


def explained(found: Sequence[Finding], context: Context) -> list[tuple[Finding, str]]:
    """Findings, each with its `why`; what they ask is asked at once."""
    ask_ahead(context.snapshot, [call for item in found for call in item.questions])
    return [(item, item.why) for item in found]


def _groups(context: Context) -> Iterator[Finding]:
    """Groups of patients whose share within target fell clearly."""
    frame = context.compare("within_target", ("priority", "patient_class"))
    for row in frame.sort("n", descending=True).iter_rows(named=True):
        if row["verdict"] == "worse" and row["is_clear"]:
            told = text("finding.group", group=context.names(row["group_name"], row["group_value"]),
                        value=words.share(row["value"]), n=words.count(row["denominator"]),
                        delta=words.delta(row["delta"], "share"))  # fmt: skip
            href = drill(context.state, row["group_name"], row["group_value"], show="late", sort="-report_final_min")
            yield Finding(2, told, href)


def _silent(context: Context) -> Iterator[Finding]:
    """Senders that have been silent for longer than ever before."""
    senders = context.rows("dq_freshness", where={"is_silent": True}, order_by=("facility", "source"))
    for row in senders.iter_rows(named=True):
        told = text("finding.silent", name=context.name("facility", row["facility"]), source=row["source"],
                    age=words.hours(row["silent_hours"]), pause=words.days(row["longest_pause_days"]))  # fmt: skip
        yield Finding(1, told, "/interoperability#freshness-now")


_PAGE_OF = {"within": "/turnaround", "p50": "/turnaround", "p90": "/turnaround", "utilization": "/utilization",
            "repeats": "/repeats"}  # fmt: skip


def _findings(row: dict[str, Any], context: Context) -> Iterator[Finding]:
    facility = row["facility"]
    name = name_of(facility, context)
    here = context.state.bare() if facility == "all" else context.state.bare().having(facility=(facility,))
    for measure in MEASURES:
        if measure.name not in _PAGE_OF or row[f"{measure.name}_verdict"] != "worse":
            continue
        if row[f"{measure.name}_is_clear"]:
            told = text(f"finding.{measure.name}", name=name, value=words.value(row[measure.name], measure.unit),
                        delta=words.delta(row[f"{measure.name}_delta"], measure.unit))  # fmt: skip
            at = context if facility == "all" else replace(context, state=context.state.having(facility=(facility,)))
            yield Finding(2, told, here.href(_PAGE_OF[measure.name]), partial(_why, at, measure), _asked(at, measure))
    if facility == "all":
        return
    if row["past_target"]:
        told = text("finding.past_target", name=name, n=words.count(row["past_target"]),
                    all=words.count(row["waiting"]))  # fmt: skip
        yield Finding(1, told, drill(context.state.having(since=None, until=None), "facility", facility,
                                     show="waiting", sort="exam_ended_local"))  # fmt: skip


#: What parts the change of a number that is worse.
_BY = ("modality",)


def _asked(at: Context, measure: Measure) -> tuple[Call, ...]:
    """What `_why` asks of the snapshot."""
    asked = at.snapshot, measure.metric
    return (*query.turns_asked(*asked, filters=at.filters, statistic=measure.statistic),
            *query.attribution_asked(*asked, by=_BY, filters=at.filters, statistic=measure.statistic))  # fmt: skip


def _why(at: Context, measure: Measure) -> str:
    """Since when a number is worse and which modality made most of it, as far as either can be told."""
    better = at.definition(measure.metric).better
    turned = at.turns(measure.metric, (), measure.statistic).filter(pl.col("is_up") == (better == "lower"))
    since = [text("finding.since", day=words.day(turned["since"][0]))] if not turned.is_empty() else []
    parts = at.attribution(measure.metric, _BY, measure.statistic).filter(pl.col("verdict") == "worse")
    most = [text("finding.most", group=at.name("modality", parts["group_value"][0]),
                 part=words.delta(parts["part"][0], measure.unit))] if not parts.is_empty() else []  # fmt: skip
    return text("finding.and").join([*since, *most])


def name_of(facility: str, context: Context) -> str:
    """What people call a row of the scorecard."""
    return everywhere(context.snapshot) if facility == "all" else context.name("facility", facility)


def sentence(row: dict[str, Any], name: str) -> str:
    """A facility in one sentence; what is not known is left out."""
    if row["p50"] is None:
        return text("sentence.none", name=name)
    parts = [text("sentence.report", name=name, value=words.minutes(row["p50"]), change=_turn(row))]
    if row["within"] is not None:
        parts.append(text("sentence.within", value=words.share(row["within"])))
    if row["utilization"] is not None:
        parts.append(text("sentence.utilization", value=words.share(row["utilization"])))
    return ", ".join(parts) + "."


def _turn(row: dict[str, Any]) -> str:
    if row["p50_delta"] is None:
        return ""
    if not row["p50_is_clear"]:
        return text("sentence.same")
    way = "sentence.slower" if row["p50_delta"] > 0 else "sentence.faster"
    return text(way, value=words.minutes(abs(row["p50_delta"])))
