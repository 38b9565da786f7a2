"""What a department asks, as radops is asked and as somebody who knows the marts well would write it for each peer.

Statements give the groups (of a period first its first day), n and the value, and nothing else; radops also gives
numerators, denominators and intervals. `$during` becomes the condition on the day, which is absent for all days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from string import Template
from typing import Any

from sql.filters import Filters
from tests.bench import frames

#: Columns that the questions need: table -> column -> kind.
TABLES: dict[str, dict[str, str]] = {
    "fct_exam": {
        "exam_key": "text", "facility": "text", "modality": "text", "priority": "text", "region": "text",
        "patient_key": "text", "exam_local": "time", "exam_started_at": "time", "exam_ended_local": "time",
        "exam_ended_at": "time", "first_final_at": "time", "wait_min": "number", "report_final_min": "number",
        "time_to_read_min": "number", "target_min": "number", "is_within_target": "flag", "is_countable": "flag",
    },
    "fct_repeat": {"exam_key": "text", "kind": "text", "exam_started_local": "time", "is_30d": "flag"},
    "fct_device_hour": {"device": "text", "hour_local": "time", "busy_staffed_min": "number", "staffed_min": "number"},
    "fct_read": {"radiologist": "text", "modality": "text", "role": "text", "read_local": "time", "wrvu": "number"},
    "fct_backlog_hour": {"facility": "text", "hour_at": "time", "hour_local": "time", "n_waiting": "number"},
}  # fmt: skip
#: Indexes of each table in the databases that have some: on its day, and on what is joined.
INDEXED = {
    "fct_exam": ("exam_ended_local", "exam_local"), "fct_repeat": ("exam_key",), "fct_device_hour": ("hour_local",),
    "fct_read": ("read_local",), "fct_backlog_hour": ("hour_local",),
}  # fmt: skip
#: A table's day, by which a peer may hold less than all of it: the last by which a question counts one of its rows.
DAY = {"fct_exam": "greatest(exam_local, exam_ended_local)", "fct_repeat": "exam_started_local",
       "fct_device_hour": "hour_local", "fct_read": "read_local", "fct_backlog_hour": "hour_local"}  # fmt: skip
#: First day of a row's week, from Monday on.
_WEEK = {
    "duckdb": "CAST(date_trunc('week', exam_ended_local) AS DATE)",
    "postgres": "CAST(date_trunc('week', exam_ended_local) AS DATE)",
    "sqlite": "date(exam_ended_local, 'weekday 0', '-6 days')",
}
_MONTH = {
    "duckdb": "CAST(date_trunc('month', read_local) AS DATE)",
    "postgres": "CAST(date_trunc('month', read_local) AS DATE)",
    "sqlite": "date(read_local, 'start of month')",
}
ENGINES = ("duckdb", "postgres", "sqlite")


@dataclass(frozen=True, slots=True)
class Window:
    """Days asked for, from `since` up to and not including `until`, open where None; data reach `through`, UTC."""

    since: date | None
    until: date | None
    through: datetime

    def during(self, column: str) -> str:
        """The condition on a column, with AND before it."""
        bounds = ((">=", self.since), ("<", self.until))
        return "".join(f" AND {column} {sign} '{day} 00:00:00'" for sign, day in bounds if day is not None)


@dataclass(frozen=True, slots=True)
class Question:
    """One question: how radops is asked, a statement for each engine, and what is done with pandas' frames."""

    id: str
    metric: str
    day: str
    sql: Mapping[str, str]
    frame: Callable[[frames.Tables, Window], Any]
    groups: tuple[str, ...] = ()
    period: str = "all"
    statistic: str | None = None
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def asked(self, window: Window) -> dict[str, Any]:
        """Arguments of `sql.query.metric`."""
        chosen = Filters(since=window.since, until=window.until, **self.filters)  # type: ignore[arg-type]
        return {"groups": self.groups, "period": self.period, "statistic": self.statistic, "filters": chosen}

    def keys(self, start: date | None, group: str) -> tuple[str, ...]:
        """What a row of our answer is of, as text: the first day of its period, then its groups."""
        return (*([] if self.period == "all" else [str(start)]), *(group.split(" | ") if self.groups else []))

    def statement(self, engine: str, window: Window) -> str:
        """The statement for one of `ENGINES`."""
        return Template(self.sql[engine]).substitute(
            during=window.during(self.day),
            joined=window.during("r.exam_started_local"),
            through=f"{window.through:%Y-%m-%d %H:%M:%S}",
            last_hour=f"{window.through:%Y-%m-%d %H:00:00}",
        )


def _percentile(column: str, share: float, keys: tuple[Any, ...], where: str = "") -> dict[str, str]:
    """The ways to write an interpolated percentile of exams' minutes by text keys or keys by engine."""
    places = ", ".join(str(place) for place in range(1, len(keys) + 1))
    condition = f"is_countable AND {column} >= 0{where}$during"
    found = {}
    for engine, made in (("duckdb", f"quantile_cont({column}, {share})"),
                         ("postgres", f"percentile_cont({share}) WITHIN GROUP (ORDER BY {column})")):  # fmt: skip
        named = ", ".join(_of(key, engine) for key in keys)
        found[engine] = (
            f"SELECT {named}, count(*), {made} FROM fct_exam WHERE {condition} GROUP BY {places} ORDER BY {places}"
        )
    named = ", ".join(f"{_of(key, 'sqlite')} AS k{place}" for place, key in enumerate(keys, 1))
    ks = ", ".join(f"k{place}" for place in range(1, len(keys) + 1))
    at = f"CAST((n - 1) * {share} AS INTEGER)"
    found["sqlite"] = f"""
        SELECT {ks}, n, low + (high - low) * ((n - 1) * {share} - {at})
        FROM (SELECT {ks}, n, max(CASE WHEN place = {at} + 1 THEN x END) AS low,
                     max(CASE WHEN place = min({at} + 2, n) THEN x END) AS high
              FROM (SELECT {ks}, x, row_number() OVER (PARTITION BY {ks} ORDER BY x) AS place,
                           count(*) OVER (PARTITION BY {ks}) AS n
                    FROM (SELECT {named}, {column} AS x FROM fct_exam WHERE {condition}))
              GROUP BY {ks}, n) ORDER BY {ks}"""
    return found


def _of(key: Any, engine: str) -> str:
    return key if isinstance(key, str) else str(key[engine])


def _same(sql: str, **differently: str) -> dict[str, str]:
    """One statement for every engine but those named, in which `@name` is written by engine."""
    return dict.fromkeys(ENGINES, sql) | differently


#: An exam that waits and is past its target has missed it.
_LATE = {
    "duckdb": "exam_ended_at + to_seconds(target_min * 60) < '$through'",
    "postgres": "exam_ended_at + target_min * INTERVAL '1 minute' < '$through'",
    "sqlite": "(julianday('$through') - julianday(exam_ended_at)) * 1440 > target_min",
}
_TARGET = {
    engine: f"""
    SELECT priority, count(*), 1.0 * count(*) FILTER (WHERE report_final_min >= 0 AND is_within_target) / count(*)
    FROM fct_exam
    WHERE is_countable AND target_min IS NOT NULL$during
          AND (report_final_min >= 0 OR (first_final_at IS NULL AND {late}))
    GROUP BY 1 ORDER BY 1"""
    for engine, late in _LATE.items()
}
_REPEATS = """
    SELECT e.modality, count(*), 1.0 * count(*) FILTER (WHERE r.is_30d) / count(*)
    FROM fct_exam e
    LEFT JOIN fct_repeat r ON r.exam_key = e.exam_key AND r.kind IN ('repeat', 'duplicate')$joined
    WHERE e.is_countable AND e.exam_started_at IS NOT NULL AND e.region IS NOT NULL AND e.patient_key IS NOT NULL$during
    GROUP BY 1 ORDER BY 1"""
_WRVU = {
    engine: f"""
    SELECT {month}, modality, count(*), sum(wrvu) FROM fct_read WHERE role = 'final' AND wrvu IS NOT NULL$during
    GROUP BY 1, 2 ORDER BY 1, 2"""
    for engine, month in _MONTH.items()
}
_UNREAD = """
    SELECT facility, coalesce(sum(n_waiting) FILTER (WHERE hour_at = '$last_hour'), 0),
           coalesce(sum(n_waiting) FILTER (WHERE hour_at = '$last_hour'), 0)
    FROM fct_backlog_hour WHERE hour_at <= '$last_hour'$during GROUP BY 1 ORDER BY 1"""

QUESTIONS: tuple[Question, ...] = (
    Question("turnaround by facility and modality", "report_final", "exam_ended_local",
             _percentile("report_final_min", 0.5, ("facility", "modality")),
             lambda t, w: frames.percentile(t, w, "report_final_min", 0.5, ["facility", "modality"]),
             groups=("facility", "modality"), statistic="p50"),
    Question("turnaround by week", "report_final", "exam_ended_local", _percentile("report_final_min", 0.9, (_WEEK,)),
             frames.by_week, period="week", statistic="p90"),
    Question("waiting for a reader", "time_to_read", "exam_ended_local",
             _percentile("time_to_read_min", 0.9, ("priority",)),
             lambda t, w: frames.percentile(t, w, "time_to_read_min", 0.9, ["priority"]),
             groups=("priority",), statistic="p90"),
    Question("waiting for CT by facility", "wait", "exam_local",
             _percentile("wait_min", 0.75, ("facility",), " AND modality = 'CT'"),
             frames.waiting_for_ct, groups=("facility",), statistic="p75", filters={"modality": ("CT",)}),
    Question("within target by priority", "within_target", "exam_ended_local", _TARGET, frames.within_target,
             groups=("priority",)),
    Question("utilization by device", "utilization", "hour_local", _same("""
             SELECT device, count(*), sum(busy_staffed_min) / sum(staffed_min) FROM fct_device_hour
             WHERE staffed_min > 0$during GROUP BY 1 ORDER BY 1"""), frames.utilization, groups=("device",)),
    Question("repeats by modality", "repeat_exam_rate", "e.exam_local", _same(_REPEATS), frames.repeats,
             groups=("modality",), statistic="30d"),
    Question("reads by radiologist", "reads", "read_local", _same("""
             SELECT radiologist, count(*), count(*) FROM fct_read WHERE role = 'final'$during GROUP BY 1 ORDER BY 1"""),
             frames.reads, groups=("radiologist",), statistic="final"),
    Question("wRVU by month and modality", "wrvu", "read_local", _WRVU, frames.wrvu, groups=("modality",),
             period="month"),
    Question("unread exams by facility", "backlog", "hour_local", _same(_UNREAD), frames.unread, groups=("facility",),
             statistic="waiting"),
)  # fmt: skip
