"""Periods that the data do not cover to their end are told apart, in a frame as in a statement."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.filters import Filters
from sql.query import control, trend
from sql.snapshot import Snapshot
from sql.unfinished import last_day
from tests.snapshots import exam_row, snapshot_of

MONDAY = date(2026, 3, 2)


def zones(*names: str) -> list[dict[str, Any]]:
    return [{"facility": f"F{number}", "facility_name": name, "zone": name} for number, name in enumerate(names)]


def days(lengths: dict[int, list[float | None]], facility: str = "NORTH") -> list[dict[str, Any]]:
    """Exams on days after the Monday; one without a value waits."""
    return [exam_row(value, f"{MONDAY + timedelta(days=day)} 10:00", facility=facility)
            for day, values in lengths.items() for value in values]  # fmt: skip


def unfinished(snapshot: Snapshot, statistic: str = "p50", period: str = "day", **asked: Any) -> list[int]:
    """Days after the Monday of the unfinished periods, the same both ways."""
    asking = {"period": period, "statistic": statistic, **asked}
    frame = trend(snapshot, "report_final", **asking)
    assert control(snapshot, "report_final", **asking).select(frame.columns).equals(frame)
    return [(row["period_start"] - MONDAY).days for row in frame.filter("is_partial").iter_rows(named=True)]


@pytest.mark.parametrize(
    ("through", "zone", "cut"),
    [("2026-03-05 02:00", "America/New_York", [2]), ("2026-03-05 06:00", "America/New_York", []),
     ("2026-03-05 02:00", "Europe/Berlin", []), ("2026-03-04 23:30", "Europe/Berlin", [])],
)  # fmt: skip
def test_a_day_ends_by_the_clock_of_the_facility(tmp_path: Path, through: str, zone: str, cut: list[int]) -> None:
    snapshot = snapshot_of(tmp_path, datetime.fromisoformat(through), dim_facility=zones(zone),
                           fct_exam=days({day: [60.0] * 4 for day in range(3)}))  # fmt: skip
    assert unfinished(snapshot) == cut


def test_the_data_end_where_it_is_earliest_and_without_a_facility_by_utc(tmp_path: Path) -> None:
    through = datetime(2026, 3, 5, 2)
    (tmp_path / "two").mkdir()
    two = snapshot_of(tmp_path / "two", through, dim_facility=zones("Europe/Berlin", "America/New_York"))
    assert last_day(two) == date(2026, 3, 4)
    assert last_day(snapshot_of(tmp_path, through)) == date(2026, 3, 5)


def test_days_whose_exams_still_wait_are_unfinished(tmp_path: Path) -> None:
    """Reports come the next day. On the morning after, the day before is over, but only its quick ones are reported."""
    waiting: list[float | None] = [10.0] * 2 + [None] * 8
    usual: list[float | None] = [1200.0] * 9 + [None]  # one in ten is never reported
    rows = days({**dict.fromkeys(range(8), usual), 8: waiting, 9: waiting})
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 12, 6), fct_exam=rows)
    assert unfinished(snapshot) == [8, 9]
    assert unfinished(snapshot, "mean") == [8, 9]
    assert unfinished(snapshot, filters=Filters(since=MONDAY + timedelta(days=4))) == [8, 9]


def test_what_is_missing_is_lost_where_newer_periods_are_whole_or_it_is_long_ago(tmp_path: Path) -> None:
    lost: list[float | None] = [10.0] * 2 + [None] * 8
    rows = days({**{day: [1200.0] * 10 for day in range(10)}, 5: lost})
    assert unfinished(snapshot_of(tmp_path, datetime(2026, 3, 12, 6), fct_exam=rows)) == []
    (tmp_path / "old").mkdir()
    rows = days({**{day: [1200.0] * 10 for day in range(9)}, 9: lost})
    old = snapshot_of(tmp_path / "old", datetime(2026, 4, 30, 6), fct_exam=rows)
    assert unfinished(old) == []


@pytest.mark.parametrize(("statistic", "cut"), [("p50", []), ("p90", [9]), ("p95", [9]), ("mean", [9])])
def test_a_tail_bears_less_than_a_median(tmp_path: Path, statistic: str, cut: list[int]) -> None:
    """One of twenty waits: the median hardly moves, the slowest tenth is half unknown."""
    rows = days({**{day: [1200.0] * 20 for day in range(9)}, 9: [*[1200.0] * 19, None]})
    assert unfinished(snapshot_of(tmp_path, datetime(2026, 3, 12, 6), fct_exam=rows), statistic) == cut


def test_each_group_is_held_to_its_own_usual_share(tmp_path: Path) -> None:
    """WEST has one day to report, NORTH an hour: on the morning after, only WEST is unfinished."""
    rows = days({day: [60.0] * 10 for day in range(10)})
    rows += days({**{day: [1200.0] * 10 for day in range(9)}, 9: [10.0, *[None] * 9]}, "WEST")
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 12, 6), fct_exam=rows)
    frame = trend(snapshot, "report_final", period="day", groups=("facility",))
    assert control(snapshot, "report_final", period="day", groups=("facility",)).select(frame.columns).equals(frame)
    told = frame.filter("is_partial").select("group_value", "period_start").rows()
    assert told == [("WEST", MONDAY + timedelta(days=9))]


def test_a_count_is_unfinished_by_its_dates_alone(tmp_path: Path) -> None:
    rows = days({**{day: [1200.0] * 10 for day in range(9)}, 9: [None] * 10})
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 12, 6), fct_exam=rows)
    for metric in ("volume", "within_target"):
        frame = trend(snapshot, metric, period="day")
        assert not frame["is_partial"].any()
        assert control(snapshot, metric, period="day").select(frame.columns).equals(frame)
