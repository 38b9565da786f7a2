"""The questions answered by pandas, as its users write them: masks, groupby and merge over whole columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

#: Table -> pandas.DataFrame; pandas itself is imported only where it is measured.
Tables = Mapping[str, Any]


class During(Protocol):
    """The days of a question."""

    @property
    def since(self) -> date | None: ...
    @property
    def until(self) -> date | None: ...
    @property
    def through(self) -> datetime: ...


def _during(rows: Any, column: str, window: During) -> Any:
    mask = rows[column].notna()
    if window.since is not None:
        mask &= rows[column] >= str(window.since)
    if window.until is not None:
        mask &= rows[column] < str(window.until)
    return mask


def _quantiles(rows: Any, keys: list[str], column: str, share: float) -> Any:
    groups = rows.groupby(keys, dropna=False)[column]
    return groups.agg(n="count").assign(value=groups.quantile(share)).reset_index()


def percentile(tables: Tables, window: During, column: str, share: float, keys: list[str]) -> Any:
    """Interpolated percentile of exams' minutes, by the day on which they ended."""
    exam = tables["fct_exam"]
    asked = exam["is_countable"] & (exam[column] >= 0) & _during(exam, "exam_ended_local", window)
    return _quantiles(exam.loc[asked, [*keys, column]], keys, column, share)


def by_week(tables: Tables, window: During) -> Any:
    """90th percentile of the time to the final report, by week."""
    exam = tables["fct_exam"]
    asked = exam["is_countable"] & (exam["report_final_min"] >= 0) & _during(exam, "exam_ended_local", window)
    rows = exam.loc[asked, ["exam_ended_local", "report_final_min"]]
    return _quantiles(rows.assign(week=rows["exam_ended_local"].dt.to_period("W").dt.start_time),
                      ["week"], "report_final_min", 0.9)  # fmt: skip


def waiting_for_ct(tables: Tables, window: During) -> Any:
    """75th percentile of the wait for CT, by facility."""
    exam = tables["fct_exam"]
    asked = exam["is_countable"] & (exam["wait_min"] >= 0) & (exam["modality"] == "CT")
    return _quantiles(exam[asked & _during(exam, "exam_local", window)], ["facility"], "wait_min", 0.75)


def within_target(tables: Tables, window: During) -> Any:
    """Share of reports within their target, by priority."""
    exam = tables["fct_exam"]
    is_final = exam["report_final_min"] >= 0
    late_from = window.through - timedelta(minutes=1) * exam["target_min"]
    is_late = exam["first_final_at"].isna() & (exam["exam_ended_at"] < late_from)
    asked = exam["is_countable"] & exam["target_min"].notna() & (is_final | is_late)
    rows = exam.loc[asked & _during(exam, "exam_ended_local", window), ["priority", "is_within_target"]]
    hits = (is_final & (exam["is_within_target"] == 1)).loc[rows.index]
    return hits.groupby(rows["priority"], dropna=False).agg(n="count", value="mean").reset_index()


def utilization(tables: Tables, window: During) -> Any:
    """Busy share of staffed minutes, by device."""
    hours = tables["fct_device_hour"]
    rows = hours[(hours["staffed_min"] > 0) & _during(hours, "hour_local", window)]
    sums = rows.groupby("device", dropna=False).agg(n=("staffed_min", "count"), busy=("busy_staffed_min", "sum"),
                                                    staffed=("staffed_min", "sum"))  # fmt: skip
    return sums.assign(value=sums["busy"] / sums["staffed"]).reset_index()[["device", "n", "value"]]


def repeats(tables: Tables, window: During) -> Any:
    """Share of exams that were done at most 30 days before, by modality."""
    exam, repeat = tables["fct_exam"], tables["fct_repeat"]
    asked = (
        exam["is_countable"] & exam["exam_started_at"].notna() & exam["region"].notna() & exam["patient_key"].notna()
        & _during(exam, "exam_local", window)
    )  # fmt: skip
    again = repeat[repeat["kind"].isin(["repeat", "duplicate"]) & _during(repeat, "exam_started_local", window)]
    rows = exam.loc[asked, ["exam_key", "modality"]].merge(again[["exam_key", "is_30d"]], "left", on="exam_key")
    hits = rows["is_30d"] == 1
    return hits.groupby(rows["modality"], dropna=False).agg(n="count", value="mean").reset_index()


def reads(tables: Tables, window: During) -> Any:
    """Final reports, by reader."""
    read = tables["fct_read"]
    rows = read[(read["role"] == "final") & _during(read, "read_local", window)]
    return rows.groupby("radiologist", dropna=False).agg(n=("role", "count"), value=("role", "count")).reset_index()


def wrvu(tables: Tables, window: During) -> Any:
    """Sum of wRVU, by month and modality."""
    read = tables["fct_read"]
    rows = read[(read["role"] == "final") & read["wrvu"].notna() & _during(read, "read_local", window)]
    month = rows["read_local"].dt.to_period("M").dt.start_time.rename("month")
    return rows.groupby([month, "modality"], dropna=False)["wrvu"].agg(n="count", value="sum").reset_index()


def unread(tables: Tables, window: During) -> Any:
    """Exams that wait at the last full hour, by facility; 0 where some waited before."""
    hours = tables["fct_backlog_hour"]
    last = window.through.replace(minute=0, second=0, microsecond=0)
    rows = hours[(hours["hour_at"] <= last) & _during(hours, "hour_local", window)]
    waiting = rows["n_waiting"].where(rows["hour_at"] == last, 0)
    return waiting.groupby(rows["facility"], dropna=False).agg(n="sum", value="sum").reset_index()
