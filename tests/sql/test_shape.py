"""The standard shape by hand: percentiles, shares, rates, sums and their intervals at every boundary."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sql.filters import Filters
from sql.query import SHAPE, metric
from sql.snapshot import Snapshot
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 3, 31, 12)


def of_values(folder: Path, *values: float | None, **columns: Any) -> Snapshot:
    return snapshot_of(folder, THROUGH, fct_exam=[exam_row(value, **columns) for value in values])


def only(snapshot: Snapshot, metric_id: str, **asked: Any) -> dict[str, Any]:
    (row,) = metric(snapshot, metric_id, **asked).to_dicts()
    return row


def test_answer_has_the_standard_columns(tmp_path: Path) -> None:
    frame = metric(of_values(tmp_path, 1.0), "report_final")
    assert tuple(frame.columns) == SHAPE
    assert frame.row(0)[:4] == (date(2026, 3, 2), date(2026, 3, 3), "all", "all")


@pytest.mark.parametrize(
    ("statistic", "value"),
    [("p50", 25.0), ("p75", 32.5), ("p90", 37.0), ("p95", 38.5), ("mean", 25.0)],
)
def test_percentiles_interpolate_between_order_statistics(tmp_path: Path, statistic: str, value: float) -> None:
    """10, 20, 30, 40: type 7 lies at (n - 1) p from the smallest."""
    row = only(of_values(tmp_path, 40.0, 10.0, 30.0, 20.0), "report_final", statistic=statistic)
    assert row["value"] == pytest.approx(value)
    assert (row["n"], row["numerator"], row["denominator"]) == (4, 4.0, 4.0)


def test_percentile_interval_is_two_order_statistics(tmp_path: Path) -> None:
    """1 to 100, median: ranks floor(50 - 9.8) = 40 and ceil(50 + 9.8) = 60; p95: ranks 90 and 100."""
    snapshot = of_values(tmp_path, *map(float, range(1, 101)))
    median, p95 = (only(snapshot, "report_final", statistic=s) for s in ("p50", "p95"))
    assert (median["lower"], median["value"], median["upper"]) == (40.0, 50.5, 60.0)
    assert (p95["lower"], p95["upper"]) == (90.0, 100.0)


def test_percentile_bound_beyond_the_values_is_unknown(tmp_path: Path) -> None:
    row = only(of_values(tmp_path, 1.0, 2.0, 3.0), "report_final", statistic="p90")
    assert row["lower"] == 1.0  # floor(2.7 - 1.02) = 1
    assert row["upper"] is None  # ceil(2.7 + 1.02) = 4


def test_mean_has_the_interval_of_its_standard_error(tmp_path: Path) -> None:
    row = only(of_values(tmp_path, 2.0, 4.0, 6.0), "report_final", statistic="mean")
    half = 1.959964 * 2 / 3**0.5
    assert (row["lower"], row["upper"]) == pytest.approx((4 - half, 4 + half))


def test_one_value_has_no_mean_interval(tmp_path: Path) -> None:
    row = only(of_values(tmp_path, 5.0), "report_final", statistic="mean")
    assert (row["n"], row["value"], row["lower"], row["upper"]) == (1, 5.0, None, None)


def test_missing_and_negative_values_are_counted_and_left_out(tmp_path: Path) -> None:
    row = only(of_values(tmp_path, None, -1.0, 0.0, 4.0), "report_final")
    assert (row["n"], row["denominator"], row["value"]) == (2, 4.0, 2.0)


def test_rows_without_any_value_keep_their_place(tmp_path: Path) -> None:
    row = only(of_values(tmp_path, None, None), "report_final")
    assert (row["n"], row["denominator"], row["value"], row["lower"]) == (0, 2.0, None, None)


def test_no_rows_give_no_answer(tmp_path: Path) -> None:
    snapshot = of_values(tmp_path)
    for metric_id in ("report_final", "within_target", "utilization", "reads", "backlog", "freshness"):
        assert metric(snapshot, metric_id).rows() == []


def test_groups_below_min_n_are_returned(tmp_path: Path) -> None:
    """Whoever shows them greys them out by the metric's min_n."""
    assert only(of_values(tmp_path, 1.0), "report_final")["n"] == 1


def shares(folder: Path, hits: int, trials: int) -> dict[str, Any]:
    rows = [exam_row(1.0, target_min=5.0, is_within_target=i < hits) for i in range(trials)]
    return only(snapshot_of(folder, THROUGH, fct_exam=rows), "within_target")


@pytest.mark.parametrize(
    ("hits", "trials", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_of_a_textbook(tmp_path: Path, hits: int, trials: int, lower: float, upper: float) -> None:
    """Newcombe, Statistics in Medicine 1998;17:857-872, table I, method 3."""
    row = shares(tmp_path, hits, trials)
    assert row["value"] == pytest.approx(hits / trials)
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper), abs=5e-5)


def test_wilson_interval_stays_between_0_and_1(tmp_path: Path) -> None:
    row = shares(tmp_path, 3, 3)
    assert (row["value"], row["upper"]) == (1.0, 1.0)
    assert 0 < row["lower"] < 1


def test_ratio_is_divided_after_summing(tmp_path: Path) -> None:
    """10 of 60 and 20 of 20 minutes are 30 of 80, not the mean of the shares."""
    hours = [
        {"device": "D", "hour_local": datetime(2026, 3, 2, 8), "staffed_min": 60.0, "busy_staffed_min": 10.0},
        {"device": "D", "hour_local": datetime(2026, 3, 2, 9), "staffed_min": 20.0, "busy_staffed_min": 20.0},
        {"device": "D", "hour_local": datetime(2026, 3, 2, 10), "staffed_min": 0.0, "busy_staffed_min": 0.0},
    ]
    row = only(snapshot_of(tmp_path, THROUGH, fct_device_hour=hours), "utilization")
    assert (row["n"], row["numerator"], row["denominator"], row["value"]) == (2, 30.0, 80.0, 0.375)
    assert (row["lower"], row["upper"]) == (None, None)


def test_what_is_not_decided_is_no_trial(tmp_path: Path) -> None:
    """One within its target, one not, one of which it is not known yet."""
    rows = [exam_row(1.0, target_min=5.0, is_within_target=known) for known in (True, False, None)]
    row = only(snapshot_of(tmp_path, THROUGH, fct_exam=rows), "within_target")
    assert (row["n"], row["numerator"], row["denominator"], row["value"]) == (2, 1.0, 2.0, 0.5)


def test_sums_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    """0.1 is no double: ten of them are exactly 1 only in decimals."""
    reads = [{"role": "final", "wrvu": 0.1, "read_local": datetime(2026, 3, 2)} for _ in range(10)]
    reads += [{"role": "final", "wrvu": None, "read_local": datetime(2026, 3, 2)}]
    row = only(snapshot_of(tmp_path, THROUGH, fct_read=reads), "wrvu")
    assert (row["n"], row["value"]) == (10, 1.0)


PERIODS = {
    "day": [("2026-03-31", "2026-04-01"), ("2026-04-01", "2026-04-02"), ("2027-01-01", "2027-01-02")],
    "week": [("2026-03-30", "2026-04-06"), ("2026-12-28", "2027-01-04")],
    "month": [("2026-03-01", "2026-04-01"), ("2026-04-01", "2026-05-01"), ("2027-01-01", "2027-02-01")],
    "quarter": [("2026-01-01", "2026-04-01"), ("2026-04-01", "2026-07-01"), ("2027-01-01", "2027-04-01")],
    "year": [("2026-01-01", "2027-01-01"), ("2027-01-01", "2028-01-01")],
    "all": [("2026-03-31", "2027-01-02")],
}


@pytest.mark.parametrize("period", PERIODS)
def test_periods_are_half_open(tmp_path: Path, period: str) -> None:
    """The last minute of a March, the first of an April, the first of a year in the middle of a week."""
    rows = [exam_row(1.0, at) for at in ("2026-03-31 23:59", "2026-04-01 00:00", "2027-01-01 00:00")]
    frame = metric(snapshot_of(tmp_path, THROUGH, fct_exam=rows), "report_final", period=period)
    assert [(str(a), str(b)) for a, b in frame.select("period_start", "period_end").rows()] == PERIODS[period]


def test_one_period_spans_the_dates_that_were_asked_for(tmp_path: Path) -> None:
    asked = Filters(since=date(2026, 3, 1), until=date(2026, 4, 1))
    row = only(of_values(tmp_path, 1.0), "report_final", filters=asked)
    assert (row["period_start"], row["period_end"]) == (date(2026, 3, 1), date(2026, 4, 1))


def test_until_is_not_included(tmp_path: Path) -> None:
    rows = [exam_row(1.0, at) for at in ("2026-03-31 23:59:59", "2026-04-01 00:00")]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    assert only(snapshot, "report_final", filters=Filters(until=date(2026, 4, 1)))["n"] == 1
    assert only(snapshot, "report_final", filters=Filters(since=date(2026, 4, 1)))["n"] == 1


def test_groups_name_missing_values_and_sort_by_number(tmp_path: Path) -> None:
    rows = [
        exam_row(1.0, f"2026-03-02 {hour:02}:00", device=device) for hour, device in ((9, "A"), (10, None), (9, "B"))
    ]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows)
    by_both = metric(snapshot, "report_final", groups=("hour", "device"))
    assert by_both["group_name"].unique().to_list() == ["hour | device"]
    assert by_both["group_value"].to_list() == ["9 | A", "9 | B", "10 | (none)"]


def test_shift_is_that_of_the_minute(tmp_path: Path) -> None:
    """2 March 2026 is a Monday: 07:29 is minute 449 of the week."""
    shifts = [{"minute_of_week": 449, "shift": "night"}, {"minute_of_week": 450, "shift": "day"}]
    rows = [exam_row(1.0, at) for at in ("2026-03-02 07:29:59", "2026-03-02 07:30", "2026-03-02 07:31")]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=rows, dim_shift=shifts)
    assert metric(snapshot, "report_final", groups=("shift",)).select("group_value", "n").rows() == [
        ("(none)", 1), ("day", 1), ("night", 1),
    ]  # fmt: skip


def forecast_cells(folder: Path) -> Snapshot:
    """Two facilities over two days; the draws of A go up while those of B go down."""
    cells = [
        {"facility": facility, "modality": "CT", "hour_band": "06-12", "band_local": datetime(2026, 4, day, 6),
         "expected": 2.5, "n_before": 3, "drawn": [base + sign * step for step in range(5)]}
        for day in (1, 2) for facility, base, sign in (("A", 0, 1), ("B", 4, -1))
    ]  # fmt: skip
    return snapshot_of(folder, THROUGH, fct_forecast=cells)


def test_draws_are_added_place_by_place_before_quantiles_are_taken(tmp_path: Path) -> None:
    """0 to 4 twice is 0, 2, 4, 6, 8: type 7 at 0.1 and 0.9 of five lies 0.4 and 3.6 places from the first. The
    opposite draws of the other facility cancel out: eight in every draw, so no width at all."""
    snapshot = forecast_cells(tmp_path)
    rows = metric(snapshot, "forecast_volume", groups=("facility",), statistic="within_80").to_dicts()
    assert [(r["group_value"], r["value"], r["n"], r["denominator"]) for r in rows] == [("A", 5, 6, 2), ("B", 5, 6, 2)]
    for row in rows:
        assert (row["lower"], row["upper"]) == pytest.approx((0.8, 7.2))
    together = only(snapshot, "forecast_volume")
    assert (together["value"], together["lower"], together["upper"]) == (10, 8, 8)
    assert (together["period_start"], together["period_end"]) == (date(2026, 4, 1), date(2026, 4, 3))
    one_day = only(snapshot, "forecast_volume", filters=Filters(since=date(2026, 4, 2), facility=("A",)))
    assert (one_day["lower"], one_day["upper"]) == pytest.approx((0.1, 3.9))  # 95 %: 0.025 and 0.975 of four steps
