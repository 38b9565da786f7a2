"""What moved a number: worked by hand, refused where it has no meaning, and planted changes that it must name."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sql import attribution as module
from sql.attribution import OTHERS, PARTS, attribution, steps
from sql.filters import Filters
from sql.query import QueryError, compare, metric, rows
from sql.snapshot import Snapshot, open_snapshot
from tests.published import Published
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 4, 15, 12)
MARCH = Filters(since=date(2026, 3, 1), until=date(2026, 4, 1), compare="previous")
FEBRUARY_DAY, MARCH_DAY = "2026-02-10 10:00", "2026-03-10 10:00"


def months(folder: Path, then: dict[str, list[float]], now: dict[str, list[float]]) -> Snapshot:
    """Values of final report by modality in February and March."""
    exams = [exam_row(value, day, modality=modality) for day, side in ((FEBRUARY_DAY, then), (MARCH_DAY, now))
             for modality, values in side.items() for value in values]  # fmt: skip
    return snapshot_of(folder, THROUGH, fct_exam=exams)


def told(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in frame.select(columns).rows()]


def test_a_mean_by_hand(tmp_path: Path) -> None:
    """CT 3 × 10, MR 1 × 50: 20. Then CT 2 × 20, MR 2 × 50: 35. Shares of MR 1/4 and 1/2, mean of both means 27.5."""
    snapshot = months(tmp_path, {"CT": [10.0] * 3, "MR": [50.0]}, {"CT": [20.0] * 2, "MR": [50.0] * 2})
    found = attribution(snapshot, "report_final", by=("modality",), filters=MARCH, statistic="mean")
    assert tuple(found.columns) == tuple(PARTS)
    columns = ("group_value", "n", "previous_n", "delta", "share", "previous_share", "mix", "rate", "part", "verdict")
    assert told(found, *columns) == [
        ("CT", 2, 3, 10.0, 0.5, 0.75, 3.125, 6.25, 9.375, "worse"),
        ("MR", 2, 1, 0.0, 0.5, 0.25, 5.625, 0.0, 5.625, "worse"),
    ]
    assert found["part"].sum() == pytest.approx(15.0, abs=1e-9)


def test_a_percentile_of_periods_that_overlap(tmp_path: Path) -> None:
    """Two years beside those a year earlier: rows of the year between count in both."""
    exams = [exam_row(float(value), f"{year}-03-10 10:00", modality=modality) for year in (2024, 2025, 2026)
             for modality, value in (("CT", year - 2000), ("MR", 90)) for _ in range(5)]  # fmt: skip
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=exams)
    years = Filters(since=date(2025, 1, 1), until=date(2027, 1, 1), compare="year")
    found = attribution(snapshot, "report_final", by=("modality",), filters=years, statistic="p50").sort("group_value")
    assert told(found, "group_value", "n", "previous_n", "value", "previous") == [
        ("CT", 10, 10, 25.5, 24.5), ("MR", 10, 10, 90.0, 90.0),
    ]  # fmt: skip


def test_a_percentile_by_hand(tmp_path: Path) -> None:
    """Medians of equal values: 10 of three CT and one MR, 50 of one CT and three MR: only shares changed.

    Half of the exams are MR, or more: 50. One group's share alone: CT to 1/4 against MR 1/4 leaves half below: 10 up
    to rank 1/2; MR to 3/4 against CT 3/4 the same. Each alone moves nothing or all, both together all.
    """
    snapshot = months(tmp_path, {"CT": [10.0] * 3, "MR": [50.0]}, {"CT": [10.0], "MR": [50.0] * 3})
    found = attribution(snapshot, "report_final", by=("modality",), filters=MARCH, statistic="p50")
    assert told(found, "group_value", "value", "previous", "rate") == [("CT", 10.0, 10.0, 0.0), ("MR", 50.0, 50.0, 0.0)]
    assert told(found, "mix", "part") == [(20.0, 20.0), (20.0, 20.0)]


def test_a_new_and_a_gone_group_move_the_mix(tmp_path: Path) -> None:
    snapshot = months(tmp_path, {"CT": [10.0] * 4, "US": [30.0] * 2}, {"CT": [10.0] * 4, "XA": [90.0] * 2})
    for statistic in ("mean", "p90"):
        found = attribution(snapshot, "report_final", by=("modality",), filters=MARCH, statistic=statistic)
        whole = compare(snapshot, "report_final", filters=MARCH, statistic=statistic)["delta"][0]
        assert found["rate"].to_list() == pytest.approx([0.0] * 3, abs=1e-9)
        assert found["mix"].sum() == pytest.approx(whole, abs=1e-9)
        rest = found.filter(pl.col("group_value") != "CT").sort("group_value")
        assert rest.select("value", "previous", "n", "previous_n").rows() == [(None, 30.0, 0, 2), (90.0, None, 2, 0)]


def test_counts_are_each_group_s_own_change(tmp_path: Path) -> None:
    reads = [
        {"read_local": datetime(2026, month, 5), "role": "final", "modality": modality}
        for month, modality in ((2, "CT"), (2, "CT"), (2, "US"), (3, "CT"), (3, "MR"), (3, "MR"))
    ]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_read=reads)
    found = attribution(snapshot, "reads", by=("modality",), filters=MARCH)
    assert told(found, "group_value", "n", "previous_n", "share", "mix", "rate", "part", "verdict") == [
        ("MR", 2, 0, None, None, None, 2.0, None), ("CT", 1, 2, None, None, None, -1.0, None),
        ("US", 0, 1, None, None, None, -1.0, None),
    ]  # fmt: skip
    effects = steps(snapshot, "reads", by=("modality",), filters=MARCH)
    assert effects["effect"].to_list() == ["before", "part", "part", "part", "now"]


def test_the_smallest_of_many_groups_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_GROUPS", 3)
    then = {"CT": [10.0] * 9, "MR": [20.0] * 8, "US": [30.0] * 2, "XA": [40.0]}
    snapshot = months(tmp_path, then, {name: [v + 5 for v in values] for name, values in then.items()})
    found = attribution(snapshot, "report_final", by=("modality",), filters=MARCH)
    assert sorted(found.select("group_value", "n", "value").rows()) == [(OTHERS, 3, 35.0), ("CT", 9, 15.0),
                                                                         ("MR", 8, 25.0)]  # fmt: skip
    assert found["part"].sum() == pytest.approx(5.0, abs=1e-9)


def test_nothing_without_a_comparison_or_without_values(tmp_path: Path) -> None:
    snapshot = months(tmp_path, {}, {"CT": [10.0]})
    for statistic in ("mean", "p50"):
        asked: dict[str, Any] = {"by": ("modality",), "statistic": statistic}
        for filters in (MARCH, MARCH.replace(compare="none"), None):
            assert attribution(snapshot, "report_final", filters=filters, **asked).rows() == []
            assert steps(snapshot, "report_final", filters=filters, **asked).rows() == []


@pytest.mark.parametrize(("metric_id", "by"), [("freshness", ("facility",)), ("wait", ()), ("wait", ("moon",)),
                                               ("reads", ("moon",))])  # fmt: skip
def test_what_has_no_parts_is_refused(tmp_path: Path, metric_id: str, by: tuple[str, ...]) -> None:
    with pytest.raises(QueryError):
        attribution(snapshot_of(tmp_path, THROUGH), metric_id, by=by, filters=MARCH)


def test_steps_lead_from_the_earlier_to_the_present_value(tmp_path: Path) -> None:
    then = {"CT": [10.0, 20.0, 30.0], "MR": [50.0, 70.0], "US": [5.0]}
    now = {"CT": [20.0, 25.0], "MR": [40.0, 75.0, 90.0], "US": [8.0, 9.0]}
    snapshot = months(tmp_path, then, now)
    found = steps(snapshot, "report_final", by=("modality",), filters=MARCH, statistic="p90", most=3)
    assert found["effect"].to_list()[0] == "before"
    assert found["effect"].to_list()[-2:] == ["rest", "now"]
    assert found.height == 6
    first, *between, last = found.select("moved", "start", "end").rows()
    level = first[2]
    for moved, start, end in between:
        assert (start, end) == (pytest.approx(level, abs=1e-9), pytest.approx(level + moved, abs=1e-9))
        level = end
    assert level == pytest.approx(last[2], abs=1e-9)
    assert last[2] == metric(snapshot, "report_final", filters=MARCH, statistic="p90")["value"][0]


@pytest.fixture(scope="module")
def simulated(published: Published) -> list[dict[str, Any]]:
    """Exams of the simulated network that have a final report, as rows of one February."""
    columns = ("facility", "modality", "device", "priority", "patient_class", "report_final_min")
    found = rows(open_snapshot(published.snapshot), "fct_exam", columns=columns, where={"is_countable": True},
                 order_by=("exam_key",), limit=5000)  # fmt: skip
    kept = found.filter(pl.col("report_final_min") >= 0, pl.col("device").is_not_null()).to_dicts()
    assert len(kept) > 300
    return [exam_row(**{"value": row.pop("report_final_min"), "at": FEBRUARY_DAY} | row) for row in kept]


def later(exam: dict[str, Any], slower_by: float = 0.0) -> dict[str, Any]:
    days = timedelta(days=28)
    times = {name: exam[name] + days for name in ("exam_started_local", "exam_ended_local")}
    return {**exam, **times, "report_final_min": exam["report_final_min"] + slower_by}


@pytest.mark.parametrize("statistic", ["mean", "p50", "p90"])
def test_only_the_mix_changed_and_the_answer_says_so(
    tmp_path: Path, simulated: list[dict[str, Any]], statistic: str
) -> None:
    """MR comes three times as often, its exams and all others take as long as they did."""
    now = [later(exam) for exam in simulated for _ in range(3 if exam["modality"] == "MR" else 1)]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=[*simulated, *now])
    found = attribution(snapshot, "report_final", by=("modality",), filters=MARCH, statistic=statistic)
    change = compare(snapshot, "report_final", filters=MARCH, statistic=statistic)["delta"][0]
    assert abs(change) > 10
    assert found["group_value"][0] == "MR"
    assert found["part"].sum() == pytest.approx(change, abs=1e-9)
    assert found["mix"].sum() == pytest.approx(change, rel=0.05)  # a percentile is interpolated more finely among more
    assert found["rate"].abs().max() < 0.05 * abs(change)


@pytest.mark.parametrize("statistic", ["mean", "p50", "p90"])
def test_one_device_became_slower_and_the_answer_names_it(
    tmp_path: Path, simulated: list[dict[str, Any]], statistic: str
) -> None:
    busiest = pl.DataFrame(simulated)["device"].value_counts(sort=True)["device"][0]
    now = [later(exam, 1440.0 if exam["device"] == busiest else 0.0) for exam in simulated]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=[*simulated, *now])
    found = attribution(snapshot, "report_final", by=("device",), filters=MARCH, statistic=statistic)
    change = compare(snapshot, "report_final", filters=MARCH, statistic=statistic)["delta"][0]
    assert change > 10
    assert found["group_value"][0] == busiest
    assert found["rate"][0] == pytest.approx(change, abs=1e-9)
    assert found["mix"].abs().max() < 1e-9
    assert steps(snapshot, "report_final", by=("device",), filters=MARCH, statistic=statistic)["effect"].to_list() == [
        "before", "rate", "now",
    ]  # fmt: skip
