"""Days on which the meaning of a number changed, and no others."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from sql.filters import Filters
from sql.marks import marks
from sql.snapshot import Snapshot, open_snapshot
from tests.snapshots import exam_row, write_snapshot
from tests.warehouse import Warehouse, exam

SPRING = Filters(since=date(2026, 3, 1), until=date(2026, 5, 1))


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Exams from 2 March; targets and decided names of several days; a second version of wait."""
    path = tmp_path_factory.mktemp("marks") / "hand.duckdb"
    target = {"metric": "report_final", "target_min": 60.0}
    name = {"procedure": "CT_HEAD_WO", "modality": "CT"}
    write_snapshot(path, {
        "fct_exam": [exam_row(1.0, "2026-03-02 10:00")],
        "dim_target": [
            {**target, "valid_from": date(2000, 1, 1)},
            {**target, "facility": "NORTH", "valid_from": date(2026, 3, 9), "valid_to": date(2026, 4, 1)},
            {**target, "facility": "NORTH", "valid_from": date(2026, 4, 1)},
            {**target, "facility": "WEST", "modality": "CT", "valid_from": date(2026, 4, 15)},
            {**target, "metric": "critical_communication:1", "valid_from": date(2026, 4, 20)},
        ],
        "dim_mapping": [
            {**name, "facility": "NORTH", "name": "A", "valid_from": date(2026, 3, 2)},
            {**name, "facility": "NORTH", "name": "B", "valid_from": date(2026, 3, 10)},
            {**name, "facility": "NORTH", "name": "C", "valid_from": date(2026, 3, 10)},
            {**name, "facility": "WEST", "name": "D", "modality": "MR", "valid_from": date(2026, 3, 10)},
            {**name, "facility": "WEST", "name": "E"},
        ],
    }, datetime(2026, 6, 1))  # fmt: skip
    with duckdb.connect(str(path)) as con:
        con.execute("INSERT INTO meta_definition VALUES ('wait', '2', '2026-03-20', 'd', 'from the door')")
    return open_snapshot(path)


def told(snapshot: Snapshot, metric_id: str, filters: Filters = SPRING, *groups: str) -> list[tuple[str, str, int]]:
    found = marks(snapshot, metric_id, groups=groups, filters=filters)
    return [(str(on), kind, n) for on, kind, n, _ in found.rows()]


def test_a_definition_is_marked_from_its_second_version_on(snapshot: Snapshot) -> None:
    assert marks(snapshot, "wait", filters=SPRING).rows() == [(date(2026, 3, 20), "definition", 2, "from the door")]
    assert told(snapshot, "exam_duration") == []


def test_targets_are_marked_where_they_begin_or_end(snapshot: Snapshot) -> None:
    everywhere = [("2026-03-09", "target", 1), ("2026-04-01", "target", 2), ("2026-04-15", "target", 1)]
    assert told(snapshot, "report_final") == everywhere
    assert told(snapshot, "within_target") == everywhere
    assert told(snapshot, "critical_communication") == [("2026-04-20", "target", 1)]


def test_filters_dates_and_scope_narrow_the_marks(snapshot: Snapshot) -> None:
    assert told(snapshot, "report_final", SPRING.replace(facility=("WEST",))) == [("2026-04-15", "target", 1)]
    assert told(snapshot, "report_final", SPRING.within(["WEST"])) == [("2026-04-15", "target", 1)]
    assert told(snapshot, "report_final", SPRING.replace(modality=("MR",)).within(["WEST"])) == []
    assert told(snapshot, "report_final", SPRING.within([])) == []
    april = Filters(since=date(2026, 4, 1), until=date(2026, 4, 15))
    assert told(snapshot, "report_final", april) == []
    assert len(told(snapshot, "report_final", Filters())) == 3


def test_decided_names_are_marked_where_the_answer_depends_on_them(snapshot: Snapshot) -> None:
    assert told(snapshot, "wait", SPRING, "procedure") == [
        ("2026-03-10", "mapping", 3),
        ("2026-03-20", "definition", 2),
    ]
    assert told(snapshot, "repeat_exam_rate") == [("2026-03-10", "mapping", 3)]
    assert told(snapshot, "repeat_exam_rate", SPRING.replace(modality=("CT",))) == [("2026-03-10", "mapping", 2)]
    assert told(snapshot, "exam_duration", SPRING.replace(service_line=("neuro",))) == [("2026-03-10", "mapping", 3)]


def test_the_mart_has_each_decision_once(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)
    path = warehouse.site / "procedures.csv"
    path.write_text(
        "facility,code,text,procedure,decided_by,valid_from\n"
        "NORTH,CTH,CT HEAD,CT_HEAD_WO,test,2026-01-01\nNORTH,CTH,CT HEAD,CT_HEAD_WO,test,2026-01-01\n"
        "NORTH,CTH,CT HEAD,CT_HEAD_W,test,2026-02-01\nWEST,,HEAD CT,CT_HEAD_WO,test,\nWEST,X,,NO_SUCH,test,\n",
        "utf-8",
    )
    warehouse.built(*exam("A1", "2026-03-02 09:00", "2026-03-02 09:30"))
    assert warehouse.rows("FROM dim_mapping ORDER BY facility, valid_from") == [
        ("NORTH", "CTH", "CT_HEAD_WO", "CT", date(2026, 1, 1)),
        ("NORTH", "CTH", "CT_HEAD_W", "CT", date(2026, 2, 1)),
        ("WEST", "HEAD CT", "CT_HEAD_WO", "CT", None),
    ]
