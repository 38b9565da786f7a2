"""What a change of the site's files would do: nothing where nothing changes, else what plain Python counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from sql import query
from sql.filters import Filters
from sql.snapshot import Snapshot, open_snapshot
from tests.published import Published

Row = dict[str, str]


@pytest.fixture(scope="module")
def snapshot(published: Published) -> Snapshot:
    return open_snapshot(published.snapshot)


@pytest.fixture(scope="module")
def window(snapshot: Snapshot) -> Filters:
    return Filters.default(snapshot.data_through)


def test_rows_in_force_change_nothing(snapshot: Snapshot, window: Filters) -> None:
    targets, staffing, days = (query.in_force(snapshot, f"{name}.csv") for name in ("targets", "staffing", "calendar"))
    made = query.target_preview(snapshot, targets, window)
    assert made.height > 2
    for name in ("n", "missed", "share"):
        assert made[f"{name}_before"].to_list() == made[f"{name}_after"].to_list()
    for filters in (window, Filters(), window.replace(facility=("NORTH",))):
        hours = query.staffing_preview(snapshot, staffing, days, filters)
        assert hours.height > 2
        for name in ("staffed", "share"):
            assert hours[f"{name}_before"].to_list() == pytest.approx(hours[f"{name}_after"].to_list(), rel=1e-12)
    assert query.staffing_preview(snapshot, None, None, window).equals(
        query.staffing_preview(snapshot, staffing, days, window)
    )


def target_of(exam: dict[str, Any], targets: Sequence[Row]) -> float | None:
    """The most specific target of an exam on its day, in minutes, by the words of the README."""
    day, fits = exam["exam_ended_local"].date(), []
    for row in targets:
        named = [column for column in ("facility", "modality", "priority", "patient_class") if row[column]]
        since, until = (date.fromisoformat(row[c]) if row[c] else None for c in ("valid_from", "valid_to"))
        is_valid = (since is None or since <= day) and (until is None or day < until)
        if row["metric"] == "report_final" and is_valid and all(row[c] == exam[c] for c in named):
            minutes = float(row["target"]) * {"": 1, "min": 1, "h": 60, "d": 1440}[row["unit"]]
            fits.append((-len(named), -(since or date.min).toordinal(), minutes))
    return min(fits)[2] if fits else None


def counted(exams: pl.DataFrame, targets: Sequence[Row], through: datetime) -> tuple[int, int]:
    """(exams whose outcome is known, those of them past their target)."""
    n = missed = 0
    for exam in exams.to_dicts():
        target, length = target_of(exam, targets), exam["report_final_min"]
        if target is None or (length is not None and length < 0):
            continue
        if exam["first_final_at"] is None:
            is_over = exam["exam_ended_at"] + timedelta(minutes=target) < through
            n, missed = n + is_over, missed + is_over
        else:
            n, missed = n + 1, missed + (length > target)
    return n, missed


def test_other_targets_give_what_plain_python_counts(snapshot: Snapshot, window: Filters) -> None:
    targets = query.in_force(snapshot, "targets.csv")
    middle = (snapshot.data_through - timedelta(days=9)).date().isoformat()
    proposed = [row | {"target": "20"} if row["priority"] == "stat" else row for row in targets]
    blank = dict.fromkeys(targets[0], "") | {"metric": "report_final"}
    proposed += [
        blank | {"facility": "NORTH", "modality": "CT", "target": "1.5", "unit": "h", "valid_from": middle},
        blank | {"facility": "NORTH", "modality": "CT", "target": "3", "unit": "h", "valid_to": middle},
    ]
    exams = query.rows(snapshot, "fct_exam", filters=window, where={"is_countable": True}, limit=100_000)
    made = {row["group_value"]: row for row in query.target_preview(snapshot, proposed, window).to_dicts()}
    for group in ("all", "NORTH", "EAST"):
        of_group = exams if group == "all" else exams.filter(pl.col("facility") == group)
        told = made[group]
        assert (told["n_before"], told["missed_before"]) == counted(of_group, targets, snapshot.data_through)
        assert (told["n_after"], told["missed_after"]) == counted(of_group, proposed, snapshot.data_through)
    assert made["NORTH"]["missed_after"] > made["NORTH"]["missed_before"]


def test_other_hours_change_the_hours_of_their_device_only(snapshot: Snapshot, window: Filters) -> None:
    staffing = query.in_force(snapshot, "staffing.csv")
    assert window.until is not None
    last = window.until - timedelta(days=2)  # the local day of the data cut-off has hours only so far
    whole = window.replace(until=last)
    longer = [row | {"opens": "00:00", "closes": "24:00", "weekday": "1234567"} for row in staffing[:1]] + staffing[1:]
    longer = [row for number, row in enumerate(longer) if number == 0 or row["device"] != longer[0]["device"]]
    made = query.staffing_preview(snapshot, longer, None, whole)
    device = longer[0]["device"]
    (own,) = made.filter(pl.col("group_value") == device).to_dicts()
    assert own["staffed_after"] == pytest.approx(24 * (whole.until - whole.since).days, abs=1.01)  # type: ignore[operator]
    assert own["staffed_after"] > own["staffed_before"]
    others = made.filter(~pl.col("group_value").is_in(["all", device]))
    assert others["share_before"].to_list() == pytest.approx(others["share_after"].to_list())
    closed = [{"facility": "NORTH", "date": str(last - timedelta(days=back)), "kind": "closed"} for back in range(1, 8)]
    fewer = query.staffing_preview(snapshot, None, closed, whole.replace(facility=("NORTH",)))
    assert (fewer["staffed_after"] < fewer["staffed_before"]).all()


def told_late(snapshot: Snapshot, window: Filters, limits: dict[str, float], place: str | None) -> tuple[int, int]:
    """(critical results with a limit and a known outcome, those told too late), by plain Python; a limit a category."""
    events = query.rows(snapshot, "fct_exam_event", where={"code": "critical_found"}, limit=100_000)
    category = {row["exam_key"]: row["detail"] for row in events.sort("event_number", "detail").to_dicts()
                if row["detail"] is not None}  # fmt: skip
    zones = dict(query.rows(snapshot, "dim_facility", columns=("facility", "zone")).rows())
    n = late = 0
    for exam in query.rows(snapshot, "fct_exam", where={"is_countable": True}, limit=100_000).to_dicts():
        found, told, limit = exam["critical_found_at"], exam["critical_communicated_at"], limits.get(
            category.get(exam["exam_key"], ""))  # fmt: skip
        if found is None or limit is None or place not in (None, exam["facility"]):
            continue
        on = found.replace(tzinfo=UTC).astimezone(ZoneInfo(zones[exam["facility"]])).date()
        if not window.since <= on < window.until or (told is not None and told < found):  # type: ignore[operator]
            continue
        due = found + timedelta(minutes=limit)
        if told is not None or due < snapshot.data_through:
            n, late = n + 1, late + (told is None or told > due)
    return n, late


def test_other_limits_of_critical_results_give_what_plain_python_counts(snapshot: Snapshot, window: Filters) -> None:
    targets = query.in_force(snapshot, "targets.csv")
    critical = "critical_communication:"
    before = {row["metric"].removeprefix(critical): float(row["target"]) * {"min": 1, "h": 60, "d": 1440}[row["unit"]]
              for row in targets if row["metric"].startswith(critical)}  # fmt: skip
    assert before
    first = min(before)
    proposed = [row | {"target": "1", "unit": "min"} if row["metric"] == critical + first else row for row in targets]
    made = {row["group_value"]: row for row in query.critical_preview(snapshot, proposed, window).to_dicts()}
    assert made["all"]["n_before"] > 0
    for group, row in made.items():
        place = None if group == "all" else group
        assert (row["n_before"], row["missed_before"]) == told_late(snapshot, window, before, place)
        assert (row["n_after"], row["missed_after"]) == told_late(snapshot, window, before | {first: 1.0}, place)
    assert made["all"]["missed_after"] > made["all"]["missed_before"]
