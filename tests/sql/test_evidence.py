"""What became of every row: used and left out by reason add up to the table, whatever the metric."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sql.candidates import candidates
from sql.catalog import Catalog
from sql.evidence import Verdict
from sql.filters import Filters
from sql.query import QueryError, clocks, completeness, metric, verdict
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 4, 15, 12)
MARCH = Filters(since=date(2026, 3, 1), until=date(2026, 4, 1), compare="previous")
AT = datetime(2026, 3, 2, 12)
METRICS = Catalog.load().metrics


@pytest.mark.parametrize("metric_id", METRICS)
def test_every_metric_reads_its_table_outermost(metric_id: str) -> None:
    """Else the rows that it leaves out inside cannot be told: join what is grouped, do not select from it."""
    assert "row_key" in candidates(METRICS[metric_id])


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    both = {"exam_ended_at": AT, "first_final_at": AT}
    rows = [
        *[exam_row(5.0, **both)] * 4,
        exam_row(-2.0, **both),
        exam_row(None, exam_ended_at=AT),
        exam_row(None, exam_ended_at=AT),
        exam_row(None, is_countable=False, exclusion_reason="cancelled"),
        exam_row(None, "2025-01-01", is_countable=False, exclusion_reason="no_show"),
    ]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    assert completeness(snapshot, "report_final", MARCH).rows() == [
        ("used", "", 4, 0.5, 4), ("waiting", "first_final", 2, 0.25, 2), ("negative", "runs backwards", 1, 0.125, 1),
        ("excluded", "cancelled", 1, 0.125, 1),
    ]  # fmt: skip
    assert metric(snapshot, "report_final", filters=MARCH)["n"].to_list() == [4]


def test_n_counts_what_the_metric_counts(tmp_path: Path) -> None:
    """Of a table of counts it counts images, not rows; devices that report no rejects are named."""
    images = {"taken_local": date(2026, 3, 2), "n_accepted": 90, "n_rejected": 10}
    rows = [images | {"device": "D"}, images | {"device": "E", "n_rejected": 0}]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_image_count=rows, fct_image_reject=[{"device": "D"}])
    other = METRICS["reject_rate"].excludes
    assert completeness(snapshot, "reject_rate").rows() == [
        ("used", "", 100, 100 / 190, 1), ("other", other, 90, 90 / 190, 1),
    ]  # fmt: skip


def test_the_first_broken_rule_is_told(tmp_path: Path) -> None:
    """A cancelled exam is cancelled, whatever else it is; an exam not performed is placed by the clock it has."""
    rows = [
        exam_row(None, patient_class="emergency", modality="CT"),
        exam_row(None, patient_class="inpatient", modality="MR"),
        exam_row(None, patient_class="emergency", modality="MR"),
        exam_row(None, patient_class="inpatient", is_countable=False, exclusion_reason="cancelled"),
        exam_row(None, is_countable=False, exclusion_reason="not_performed") | {"exam_ended_local": None,
                                                                              "exam_started_local": None,
                                                                              "ordered_local": AT},
    ]  # fmt: skip
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    assert completeness(snapshot, "door_to_ct", MARCH).select("kind", "reason", "n").rows() == [
        ("missing", "door", 1), ("excluded", "cancelled", 1), ("excluded", "not_performed", 1),
        ("other", "not an emergency patient", 1), ("other", "other modality", 1),
    ]  # fmt: skip


def test_rows_without_their_partner_are_kept(tmp_path: Path) -> None:
    """An inner join of a metric is a rule too: exams without a critical result."""
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=[exam_row(1.0, exam_key="A")],
                           dim_facility=[{"facility": "NORTH", "zone": "UTC"}])  # fmt: skip
    assert completeness(snapshot, "critical_communication").select("kind", "reason", "n").rows() == [
        ("other", "without a critical result that has a limit", 1)
    ]
    assert metric(snapshot, "critical_communication").rows() == []


def test_a_count_at_an_instant_names_the_other_hours(tmp_path: Path) -> None:
    hours = [{"facility": "NORTH", "hour_at": AT.replace(hour=h), "hour_local": AT.replace(hour=h), "n_waiting": h}
             for h in (10, 11)]  # fmt: skip
    snapshot = snapshot_of(tmp_path, AT, fct_backlog_hour=hours, dim_facility=[{"facility": "NORTH", "zone": "UTC"}])
    day = Filters(until=date(2026, 3, 2))
    assert completeness(snapshot, "backlog", day).rows() == []
    assert completeness(snapshot, "backlog").select("kind", "n", "n_rows").rows() == [("other", 21, 2)]
    snapshot.close()
    closed = snapshot_of(tmp_path, AT.replace(hour=11, minute=30), fct_backlog_hour=hours,
                         dim_facility=[{"facility": "NORTH", "zone": "UTC"}])  # fmt: skip
    assert completeness(closed, "backlog").select("kind", "n", "n_rows").rows() == [("used", 11, 1), ("other", 10, 1)]


def test_each_statistic_has_its_own_evidence(tmp_path: Path) -> None:
    reads = [{"role": role, "read_local": AT, "facility": "NORTH"} for role in ("final", "final", "preliminary")]
    snapshot = snapshot_of(tmp_path, THROUGH, has_macros=True, fct_read=reads)
    assert completeness(snapshot, "reads")["n"].to_list() == [2, 1]
    assert completeness(snapshot, "reads", statistic="preliminary")["n"].to_list() == [1, 2]
    told = snapshot.execute("SELECT n FROM evidence.reads(statistic := 'preliminary')")
    assert told["n"].to_list() == [1, 2]
    with pytest.raises(QueryError, match="no statistic p50"):
        completeness(snapshot, "reads", statistic="p50")


def test_clocks_are_those_of_the_exams_used(tmp_path: Path) -> None:
    """With their rung: an exam without a final report, or that does not count, tells of no clock of this number."""
    rows = [
        exam_row(1.0, exam_key="A", exam_ended_source="mpps", first_final_source="report"),
        exam_row(1.0, exam_key="B", exam_ended_source="mpps", first_final_source="report"),
        exam_row(1.0, exam_key="C", exam_ended_source="image", first_final_source="report"),
        exam_row(None, exam_key="D", exam_ended_source="ris"),
        exam_row(1.0, exam_key="E", exam_ended_source="image", is_countable=False),
    ]
    ladder = [{"milestone": "exam_ended", "source": source, "rung": rung, "day": date(2026, 3, day)}
              for source, rung in (("mpps", 1), ("ris", 2), ("image", 3)) for day in (1, 2)]  # fmt: skip
    ladder.append({"milestone": "first_final", "source": "report", "rung": 1, "day": date(2026, 3, 1)})
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows, dq_completeness=ladder)
    assert clocks(snapshot, "report_final", MARCH).rows() == [
        ("exam_ended", "mpps", 1, 2, 2 / 3), ("exam_ended", "image", 3, 1, 1 / 3), ("first_final", "report", 1, 3, 1.0),
    ]  # fmt: skip
    assert set(clocks(snapshot, "utilization")["milestone"]) == {"exam_started", "exam_ended"}
    assert clocks(snapshot, "freshness").rows() == []


def test_a_number_below_its_floor_is_told(tmp_path: Path) -> None:
    known = {"arrived_at": AT, "exam_started_at": AT, "exam_ended_at": AT}

    def told(metric_id: str, n_known: int, *others: dict[str, Any]) -> Verdict:
        snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=[*[exam_row(1.0, **known)] * n_known, *others])
        fates = completeness(snapshot, metric_id)
        snapshot.close()
        return verdict(METRICS[metric_id], fates)

    assert told("wait", 9) == ("few", 9, 1.0)
    assert told("wait", 10, *[exam_row(None)] * 10) == ("", 10, 0.5)
    assert told("wait", 10, *[exam_row(None)] * 11).fault == "incomplete"
    assert told("report_final", 10, *[exam_row(None, exam_ended_at=AT)] * 11).fault == ""
