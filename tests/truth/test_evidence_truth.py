"""What a metric leaves out, by reason, equals the truth; used and left out are all rows, for every metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from sql.catalog import Catalog, Metric
from sql.filters import Filters
from sql.query import completeness, difference, metric
from tests.truth.department import Department, Row, minutes
from tests.truth.recompute import is_scheduled_outpatient, target_of
from tests.truth.world import World

METRICS = Catalog.load().metrics
#: How often a metric takes each row of its table.
TIMES = {"queue_by_hour": 2}
#: What places an exam that is left out in a period: the first that is known.
ANY_CLOCK = ("exam_ended_at", "exam_started_at", "scheduled_at", "ordered_at")
Fate = tuple[str, str]


@pytest.mark.parametrize("metric_id", METRICS)
def test_used_and_left_out_are_all_rows(world: World, metric_id: str) -> None:
    asked = METRICS[metric_id]
    (rows,) = world.snapshot.execute(f"SELECT count(*) AS n FROM {asked.table}")["n"].to_list()
    for statistic in asked.statistics:
        fates = completeness(world.snapshot, metric_id, statistic=statistic)
        assert fates["n_rows"].sum() == rows * TIMES.get(metric_id, 1)
        for filters in (Filters(), *some_filters(world, asked, statistic))[:: world.every]:
            told = completeness(world.snapshot, metric_id, filters, statistic)
            n = metric(world.snapshot, metric_id, filters=filters, statistic=statistic)["n"].sum()
            assert told.filter(told["kind"] == "used")["n"].sum() == n
        macro = world.snapshot.execute(f"FROM evidence.{metric_id}(statistic := '{statistic}')")
        assert macro.rows() == fates.rows()


@pytest.mark.parametrize("metric_id", [name for name, asked in METRICS.items() if asked.kind != "last"])
def test_a_snapshot_does_not_differ_from_itself(world: World, metric_id: str) -> None:
    """So the statistics that explain a difference are those of the metric."""
    for statistic in METRICS[metric_id].statistics:
        for filters in (Filters(), *some_filters(world, METRICS[metric_id], statistic)[-2:]):
            found = difference(world.snapshot, world.snapshot, metric_id, filters, statistic)
            assert found["step"].to_list() == ["then", "now"]


def some_filters(world: World, asked: Metric, statistic: str) -> list[Filters]:
    """Each facility and two months; none for a percentile but the usual one, as they leave out the same rows."""
    if statistic != asked.statistic and not asked.choices:
        return []
    return [*(Filters(facility=(f,)) for f in world.department.zones), *months(world)]


def months(world: World) -> list[Filters]:
    first = world.snapshot.data_through.date().replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    return [Filters(since=first), Filters(since=before, until=first)]


def interval(start: str, stop: str, why: Callable[[Row], str | None] = lambda _: None) -> Callable[..., Fate]:
    """Fate of an exam by a turnaround's two ends; `why` says what the metric does not ask about."""

    def fate(_d: Department, exam: Row) -> Fate:
        ends = {"first_read": min((at for at in (exam["first_prelim_at"], exam["first_final_at"]) if at), default=None)}
        begin, end = (ends[m] if m in ends else exam[f"{m}_at"] for m in (start, stop))
        if told := why(exam):
            return "other", told
        if begin is None:
            return "missing", start
        if end is None:
            return "waiting" if stop in ("first_final", "first_read") else "missing", stop
        return ("used", "") if end >= begin else ("negative", "runs backwards")

    return fate


def within_target(d: Department, exam: Row) -> Fate:
    target, waited = target_of(d, exam), minutes(exam["exam_ended_at"], exam["first_final_at"])
    if target is None:
        return "other", "without a target"
    if waited is None and minutes(exam["exam_ended_at"], d.data_through) <= target:
        return "waiting", "within its target"
    return ("negative", "runs backwards") if waited is not None and waited < 0 else ("used", "")


def repeat(_d: Department, exam: Row) -> Fate:
    if exam["exam_started_at"] is None:
        return "missing", "exam_started"
    return ("used", "") if exam["region"] is not None else ("missing", "harmonized region")


def _inpatients(exam: Row) -> str | None:
    return None if exam["patient_class"] == "emergency" else "not an emergency patient"


def _slots(exam: Row) -> str | None:
    if exam["patient_class"] != "outpatient":
        return "not an outpatient"
    return None if exam["scheduled_at"] is not None else "without a slot"


FATES: dict[str, Callable[[Department, Row], Fate]] = {
    "order_to_exam": interval("ordered", "exam_started", lambda e: METRICS["order_to_exam"].excludes
                              if is_scheduled_outpatient(e) else None),
    "wait": interval("arrived", "exam_started"),
    "exam_duration": interval("exam_started", "exam_ended"),
    "image_availability": interval("exam_ended", "images_available"),
    "time_to_read": interval("exam_ended", "read_started"),
    "report_prelim": interval("exam_ended", "first_prelim"),
    "report_final": interval("exam_ended", "first_final"),
    "read_final": interval("images_available", "first_final"),
    "prelim_to_final": interval("first_prelim", "first_final"),
    "first_read": interval("exam_ended", "first_read"),
    "order_to_final": interval("ordered", "first_final"),
    "arrival_to_final": interval("arrived", "first_final", _inpatients),
    "door_to_read": interval("door", "first_read", _inpatients),
    "schedule_lag": interval("ordered", "scheduled", _slots),
    "within_target": within_target,
    "repeat_exam_rate": repeat,
    "duplicate_across_facilities": repeat,
    "unmapped_codes": lambda _d, _e: ("used", ""),
}  # fmt: skip


def exclusion(exam: Row) -> Fate | None:
    """Why an exam does not count, the first reason that holds."""
    reasons = (("is_cancelled", "cancelled"), ("is_no_show", "no_show"), ("is_discontinued", "discontinued"))
    told = next((word for flag, word in reasons if exam[flag]), None)
    if told is None and exam["exam_ended_at"] is None:
        told = "not_performed"
    return ("excluded", told) if told else None


@pytest.mark.parametrize("metric_id", FATES)
def test_what_is_left_out_equals_truth(world: World, metric_id: str) -> None:
    d = world.department
    weeks = d.data_through.date() - timedelta(days=20), d.data_through.date() - timedelta(days=6)
    anchor = {"order_to_exam": "exam_started_at", "wait": "exam_started_at", "repeat_exam_rate": "exam_started_at",
              "duplicate_across_facilities": "exam_started_at", "schedule_lag": "scheduled_at"}  # fmt: skip
    for since, until in ((None, None), weeks):
        expected: Counter[Fate] = Counter()
        for exam in d.exams:
            fate = exclusion(exam) or FATES[metric_id](d, exam)
            own = exam[anchor.get(metric_id, "exam_ended_at")]
            if own is None and (fate[0] in ("excluded", "other") or metric_id != "schedule_lag"):
                own = next((exam[at] for at in ANY_CLOCK if exam[at] is not None), None)
            if lies_in(d, exam, own, since, until):
                expected[fate] += 1
        told = completeness(world.snapshot, metric_id, Filters(since=since, until=until))
        found = Counter({(kind, reason): n for kind, reason, n, _, _ in told.iter_rows()})
        imports = found.pop(("excluded", "outside_import"), 0)  # outside studies are no exams of the department
        assert since is not None or imports == len(world.exams) - len(d.exams)
        assert found == expected
    assert any(exclusion(exam) for exam in d.exams)


def lies_in(d: Department, exam: Row, at: object, since: date | None, until: date | None) -> bool:
    if since is None or until is None:
        return True
    return at is not None and since <= d.local(exam["facility"], at).date() < until  # type: ignore[arg-type]
