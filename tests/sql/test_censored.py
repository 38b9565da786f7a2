"""The censored view by hand and against a published series."""

from __future__ import annotations

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from sql.catalog import Catalog
from sql.censored import STATISTICS, beside, censored, censored_all
from sql.filters import Filters
from sql.kaplan_meier import is_censorable
from sql.query import SHAPE, QueryError, control, metric
from sql.snapshot import Snapshot, open_snapshot
from tests.published import Published
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 3, 31, 12)


def finished(minutes: float, **columns: Any) -> dict[str, Any]:
    """An exam that ended so long before its final report."""
    ended = datetime(2026, 3, 2, 10)
    stamps = {"exam_ended_at": ended, "first_final_at": ended + timedelta(minutes=minutes)}
    return {**exam_row(minutes), **stamps, **columns}


def waiting(minutes: float, **columns: Any) -> dict[str, Any]:
    """An exam that has waited so long at the data cut-off."""
    stamps = {"exam_ended_at": THROUGH - timedelta(minutes=minutes), "first_final_at": None}
    return {**exam_row(None), **stamps, **columns}


def of(folder: Path, *exams: dict[str, Any]) -> Snapshot:
    return snapshot_of(folder, THROUGH, fct_exam=list(exams))


def only(snapshot: Snapshot, **asked: Any) -> dict[str, Any]:
    (row,) = censored(snapshot, "report_final", **asked).to_dicts()
    return row


def test_remission_times_of_freireich(tmp_path: Path) -> None:
    """6-MP arm of Freireich et al. (1963), the textbook series: 9 of 21 end, S(22) = 0.538, S(23) = 0.448."""
    ends = (6, 6, 6, 7, 10, 13, 16, 22, 23)
    censors = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    snapshot = of(tmp_path, *map(finished, ends), *map(waiting, censors))
    row = only(snapshot)
    assert (row["n"], row["numerator"], row["denominator"]) == (21, 9.0, 21.0)
    assert (row["value"], row["lower"], row["upper"]) == (23.0, 13.0, None)
    assert only(snapshot, statistic="p75")["value"] is None  # 0.448 is never passed


def test_without_waiting_exams_it_is_the_order_statistic(tmp_path: Path) -> None:
    """10 to 40: half is left at 20 already, a quarter at 30; nothing is left at 40, of which no bound is known."""
    snapshot = of(tmp_path, *map(finished, (40, 10, 30, 20)))
    assert [only(snapshot, statistic=s)["value"] for s in ("p50", "p75", "p90")] == [20.0, 30.0, 40.0]
    assert only(snapshot)["upper"] is None


def test_a_pile_of_waiting_exams_cannot_look_like_an_improvement(tmp_path: Path) -> None:
    """Three were quick, three wait since a day: the finished say 20 min, the whole does not reach its half."""
    snapshot = of(tmp_path, *map(finished, (10, 20, 30)), *[waiting(1440)] * 3)
    assert metric(snapshot, "report_final")["value"].to_list() == [20.0]
    assert only(snapshot)["value"] == 30.0
    assert only(snapshot, statistic="p75")["value"] is None


def test_one_censored_at_the_time_of_an_end_is_at_risk_of_it(tmp_path: Path) -> None:
    """At 10 min two are at risk, one ends: half is left. Were the other gone before, nothing would be."""
    assert only(of(tmp_path, finished(10), waiting(10)))["value"] == 10.0
    assert only(of(tmp_path, finished(10), waiting(10)), statistic="p75")["value"] is None


def test_what_runs_backwards_or_has_no_start_is_left_out(tmp_path: Path) -> None:
    odd = {**finished(5), "exam_ended_at": None}
    row = only(of(tmp_path, finished(10), finished(-5), waiting(-3), odd))
    assert (row["n"], row["numerator"], row["value"]) == (1, 1.0, 10.0)


def test_groups_and_shape(tmp_path: Path) -> None:
    exams = finished(10, facility="NORTH"), waiting(90, facility="WEST"), finished(30, facility="WEST")
    frame = censored(of(tmp_path, *exams), "report_final", groups=("facility",), statistic="p50")
    assert tuple(frame.columns) == SHAPE
    assert frame.select("group_value", "n", "value").rows() == [("NORTH", 1, 10.0), ("WEST", 2, 30.0)]


@pytest.mark.parametrize(
    "asked",
    [
        {"metric_id": "reads"}, {"metric_id": "report_final", "statistic": "mean"},
        {"metric_id": "report_final", "groups": ("moon",)}, {"metric_id": "report_final", "period": "decade"},
    ],
)  # fmt: skip
def test_what_it_cannot_answer_is_refused(tmp_path: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        censored(of(tmp_path), **asked)


def test_waiting_beside_finished_says_where_they_differ(tmp_path: Path) -> None:
    """Twelve were done in 10 to 21 minutes and twelve wait a day: the finished alone are below the whole's interval."""
    quick = [finished(10.0 + n) for n in range(12)]
    piled = beside(of(tmp_path, *quick, *[waiting(1440.0)] * 12), "report_final")
    rows = {row["statistic"]: row for row in piled.to_dicts()}
    assert list(rows) == ["p50", "p75", "p90", "p95"]
    half, ninth = rows["p50"], rows["p90"]
    assert (half["n"], half["n_waiting"], half["finished"], half["finished_n"]) == (24, 12, 15.5, 12)
    assert (half["value"], half["gap"], half["differs"]) == (21.0, 5.5, True)
    assert (ninth["value"], ninth["gap"], ninth["differs"]) == (None, None, True)
    (tmp_path / "calm").mkdir()
    calm = beside(of(tmp_path / "calm", *quick, waiting(12.0)), "report_final")
    assert calm["group_value"].to_list() == ["all"] * 4
    assert not calm["differs"].any()
    (tmp_path / "none").mkdir()
    assert not beside(of(tmp_path / "none", *quick), "report_final")["differs"].any()


@pytest.mark.parametrize("metric_id", [m.id for m in Catalog.load().metrics.values() if is_censorable(m)])
def test_any_client_gets_the_same(published: Published, metric_id: str) -> None:
    snapshot, metric_ = open_snapshot(published.snapshot), Catalog.load().metric(metric_id)
    for groups in ((), ("facility",), *((g,) for g in ("shift",) if g in metric_.groups)):
        for period in ("all", "month"):
            for statistic in ("p50", "p90"):
                asked = censored(snapshot, metric_id, groups=groups, period=period, statistic=statistic)
                told = snapshot.execute(
                    f"FROM censored.{metric_id}(groups := {list(groups)}, period := '{period}', "
                    f"statistic := '{statistic}')"
                )
                assert told.sort("period_start", "group_value").equals(asked.sort("period_start", "group_value"))
    north = censored(snapshot, metric_id, filters=Filters(since=date(2026, 10, 1), facility=("NORTH",)))
    told = snapshot.execute(f"FROM censored.{metric_id}(since := DATE '2026-10-01', facility := ['NORTH'])")
    if metric_.statistic == "p50":
        assert told.equals(north)
    days: dict[str, Any] = {"since": date(2026, 10, 1), "until": date(2026, 11, 1)}
    for filters in (Filters(), Filters(facility=("WEST",), **days), Filters(facility=("nowhere",))):
        made = censored_all(snapshot, metric_id, filters=filters)
        for name in STATISTICS:
            mine = made.filter(pl.col("statistic") == name).drop("statistic")
            assert mine.equals(censored(snapshot, metric_id, filters=filters, statistic=name))
    with pytest.raises(duckdb.Error, match="only percentiles"):
        snapshot.execute(f"FROM censored.{metric_id}(statistic := 'mean')")


def test_an_old_snapshot_is_asked_through_its_own_macro(published: Published, tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    shutil.copyfile(published.snapshot, path)
    path.chmod(0o600)
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE meta_snapshot SET signature = 'old'")
    now, old = open_snapshot(published.snapshot), open_snapshot(path)
    asked: dict[str, Any] = {"groups": ("facility",), "period": "month"}
    assert censored(old, "report_final", **asked).equals(censored(now, "report_final", **asked))
    assert control(old, "report_final", groups=("facility",)).equals(control(now, "report_final", groups=("facility",)))
