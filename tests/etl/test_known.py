"""March as reported in April and as known today: a snapshot of each, and the difference in plain numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from etl.errors import UnreadableInputError
from etl.known import rebuild_as_known
from etl.publish import complete
from sql import metric_macros
from sql.catalog import Catalog
from sql.filters import Filters
from sql.query import QueryError, difference, metric
from sql.snapshot import Snapshot, open_snapshot
from tests.snapshots import exam_row, snapshot_of
from tests.warehouse import Warehouse, event, exam, report

MARCH = Filters(since=date(2026, 3, 1), until=date(2026, 4, 1))
#: Days in which an exam ends whose report comes later: of what is taken of it twice, one is within.
SOME_DAYS = Filters(since=date(2026, 3, 3), until=date(2026, 3, 6))
FIRST, SECOND = datetime(2026, 4, 1, 6), datetime(2026, 4, 20, 6)
#: As reported in April: B has no report yet, F is a month old. (accession, start, end, final)
THEN = [
    ("A", "2026-03-02 15:00", "2026-03-02 15:30", "2026-03-02 16:30"),
    ("B", "2026-03-03 15:00", "2026-03-03 15:30", None),
    ("C", "2026-03-04 15:00", "2026-03-04 15:30", "2026-03-04 17:30"),
    ("D", "2026-03-05 15:00", "2026-03-05 15:30", "2026-03-05 19:30"),
    ("F", "2026-02-05 15:00", "2026-02-05 15:30", "2026-02-05 15:40"),
]


def loaded(house: Warehouse, at: datetime, *rows: object) -> str:
    """Load one batch at a time and build; the digest."""
    house.load(*rows)  # type: ignore[arg-type]
    with duckdb.connect(str(house.intake)) as con:
        con.execute("INSERT INTO raw_batch (batch_id, loaded_at) VALUES (?, ?)", [house.batches, at])
    return house.build().digest


def published(house: Warehouse, seq: int, digest: str) -> Snapshot:
    path = house.root / f"snapshot-{seq}.duckdb"
    path.write_bytes(house.marts.read_bytes())
    complete(path, f"{seq:06d}-{digest[:12]}", seq, digest, metric_macros.signature())
    return open_snapshot(path)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="module")
def both(house: Warehouse) -> tuple[Snapshot, Snapshot, str]:
    """The snapshot of April, the one of today, and the digest of April."""
    rows = [row for name, start, end, final in THEN for row in exam(name, start, end, final=final, mrn=name)]
    april = loaded(house, FIRST, *rows)
    then = published(house, 1, april)
    today = loaded(
        house,
        SECOND,
        report("2026-03-13 15:30", "B", mrn="B"),  # the report came ten days late
        event("final_report", "2026-03-13 15:30", "B", origin="report", mrn="B"),
        event("exam_ended", "2026-03-04 16:00", "C", origin="mpps", mrn="C"),  # the device tells another end
        event("discontinued", "2026-03-05 15:31", "D", origin="mpps", mrn="D"),  # it was given up
        *exam("E", "2026-03-06 15:00", "2026-03-06 15:30", final="2026-03-06 15:50", mrn="E"),  # not heard of before
    )
    return then, published(house, 2, today), april


def mean(*values: float) -> float:
    return sum(values) / len(values)


def test_the_difference_is_told_by_its_parts(both: tuple[Snapshot, Snapshot, str]) -> None:
    then, now, _ = both
    late = 10 * 24 * 60
    steps = [mean(60, 120, 240), mean(60, 120), mean(60, 90), mean(60, 90, 20), mean(60, 90, 20, late)]
    effects = [None, *(b - a for a, b in pairwise(steps)), None]
    found = difference(then, now, "report_final", MARCH, "mean")
    assert found.select("step", "reason", "n").rows() == [
        ("then", "", 3),
        ("removed", "excluded: discontinued", 1),
        ("changed", "other times or counts", 1),
        ("added", "not known then", 1),
        ("added", "waiting: first_final", 1),
        ("now", "", 4),
    ]
    assert found["value"].to_list() == pytest.approx([*steps, steps[-1]])
    assert found["effect"].to_list()[1:-1] == pytest.approx(effects[1:-1])


@pytest.mark.parametrize("filters", [MARCH, SOME_DAYS], ids=["month", "days"])
@pytest.mark.parametrize("metric_id", Catalog.load().metrics)
def test_every_difference_adds_up(both: tuple[Snapshot, Snapshot, str], metric_id: str, filters: Filters) -> None:
    then, now, _ = both
    asked = Catalog.load().metric(metric_id)
    for statistic in asked.statistics:
        if asked.kind == "last":
            with pytest.raises(QueryError, match="at one instant"):
                difference(then, now, metric_id, filters, statistic)
            continue
        found = difference(then, now, metric_id, filters, statistic)
        assert "definition" not in found["step"].to_list()
        for snapshot, row in ((then, found.row(0, named=True)), (now, found.row(-1, named=True))):
            told = metric(snapshot, metric_id, filters=filters, statistic=statistic)
            value = told["value"][0] if told.height else None
            assert row["value"] == (None if value is None else pytest.approx(value))
        assert found["value"][-2] == (None if found["value"][-1] is None else pytest.approx(found["value"][-1]))


def test_a_changed_definition_is_a_step_of_its_own(both: tuple[Snapshot, Snapshot, str], tmp_path: Path) -> None:
    """An old snapshot answers with its own macro; here it took twice the minutes."""
    _, now, _ = both
    path = tmp_path / "old.duckdb"
    path.write_bytes(now.path.read_bytes())
    path.chmod(0o600)
    with duckdb.connect(str(path)) as con:
        body = Catalog.load().metric("report_final").body.replace("e.report_final_min AS", "2 * e.report_final_min AS")
        rows = con.execute("SELECT function_name FROM duckdb_functions() WHERE schema_name = 'metrics'").fetchall()
        assert rows
        con.execute("UPDATE meta_snapshot SET signature = 'old'")
        con.execute("UPDATE meta_metric SET body = ?, \"version\" = '0' WHERE id = 'report_final'", [body])
        con.execute(metric_macros.create_macro(replace(Catalog.load().metric("report_final"), body=body)))
    found = difference(open_snapshot(path), now, "report_final", MARCH, "mean")
    value = now.execute("SELECT value FROM metrics.report_final(statistic := 'mean', since := DATE '2026-03-01', "
                        "until := DATE '2026-04-01')")["value"][0]  # fmt: skip
    assert found.select("step", "reason").rows() == [("then", ""), ("definition", "version 0 to 1"), ("now", "")]
    assert found["value"].to_list() == pytest.approx([2 * value, value, value])
    assert found["effect"].to_list()[1] == pytest.approx(-value)


def test_as_known_on_a_day_is_the_snapshot_of_that_day(
    house: Warehouse, both: tuple[Snapshot, Snapshot, str], tmp_path: Path
) -> None:
    then, now, april = both
    report_then = rebuild_as_known(house, datetime(2026, 4, 10), tmp_path / "april.duckdb")
    assert report_then.digest == april == then.digest
    again = open_snapshot(tmp_path / "april.duckdb")
    assert difference(again, then, "report_final", MARCH, "mean")["step"].to_list() == ["then", "now"]
    assert rebuild_as_known(house, datetime(2026, 5, 1), tmp_path / "today.duckdb").digest == now.digest
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["april.duckdb", "today.duckdb"]


def test_what_cannot_be_known_is_said(house: Warehouse, both: object, tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="nothing was loaded before 2026-04-01 06:00"):
        rebuild_as_known(house, FIRST, tmp_path / "none.duckdb")
    (tmp_path / "old.duckdb").touch()
    with pytest.raises(UnreadableInputError, match="name a new file"):
        rebuild_as_known(house, SECOND, tmp_path / "old.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["old.duckdb"]


def test_of_a_row_taken_twice_what_lies_outside_the_dates_does_not_count(tmp_path: Path) -> None:
    """An exam is taken as it ends and as its report is final, here days later."""

    def told(name: str, weight: float) -> Snapshot:
        row = exam_row(5.0, "2026-03-04 15:30", exam_key="B", wrvu=weight, first_final_at=datetime(2026, 3, 13),
                       first_final_local=datetime(2026, 3, 13))  # fmt: skip
        (folder := tmp_path / name).mkdir()
        return snapshot_of(folder, datetime(2026, 4, 15), fct_exam=[row])

    found = difference(told("then", 2.0), told("now", 3.0), "queue_by_hour", SOME_DAYS)
    assert found.select("step", "n", "value").rows() == [("then", 1, 2.0), ("changed", 1, 3.0), ("now", 1, 3.0)]
