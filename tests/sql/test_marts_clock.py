"""Clocks of devices by hand: how far ahead, how fast they drift, and where they were set."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.raw_rows import Row
from tests.warehouse import Warehouse, event, exam, image

NOON = datetime(2026, 3, 1, 12)
OFFSET = "SELECT device, n, offset_s, low_s, high_s FROM dq_clock_offset"
DRIFT = "SELECT n_days, drift_s_day FROM dq_clock_offset"
STEPS = "SELECT drift_s_day, n_steps, last_step FROM dq_clock_offset"


def two_images(number: int, begin: int, end: int) -> list[Row]:
    """An exam of 30 minutes whose first and last image are so many minutes ahead of its begin and end."""
    started = NOON + timedelta(hours=number)
    name, mrn = f"A{number}", str(number)
    first, last = (started + timedelta(minutes=minutes) for minutes in (begin, 30 + end))
    return [
        *exam(name, f"{started}", f"{started + timedelta(minutes=30)}", mrn=mrn),
        image(f"a{number}", f"{first}", name, mrn=mrn), image(f"b{number}", f"{last}", name, mrn=mrn),
    ]  # fmt: skip


def test_a_clock_that_runs_ahead_is_reported(tmp_path: Path) -> None:
    """Each exam by the mean of its begin and end: 5, 7 and 9 minutes ahead."""
    house = Warehouse(tmp_path).built(*two_images(0, 6, 4), *two_images(1, 9, 5), *two_images(2, 12, 6))
    assert house.rows(OFFSET) == [("N-CT1", 3, 420.0, 360.0, 480.0)]


def test_which_clocks_are_compared(tmp_path: Path) -> None:
    """The device's step before its images, the RIS before the report, and one end where the other lacks a clock."""
    started, ended = NOON, NOON + timedelta(minutes=30)
    house = Warehouse(tmp_path).built(
        *two_images(0, 6, 4),
        event("exam_started", f"{started + timedelta(minutes=1)}", "A0", origin="mpps", mrn="0"),
        event("exam_ended", f"{ended + timedelta(minutes=2)}", "A0", origin="mpps", mrn="0"),
        event("exam_started", f"{started - timedelta(minutes=50)}", "A0", origin="report", mrn="0"),
        event("exam_ended", f"{ended + timedelta(minutes=50)}", "A0", origin="report", mrn="0"),
    )
    assert house.row("SELECT offset_s FROM dq_clock_offset") == (90.0,)
    only_end = [row for row in two_images(0, 6, 4) if row[1].get("code") != "exam_started"]
    (tmp_path / "end").mkdir()
    assert Warehouse(tmp_path / "end").built(*only_end).row("SELECT n, offset_s FROM dq_clock_offset") == (1, 240.0)


def drifting(seconds: dict[int, int]) -> list[Row]:
    """An exam at noon of each day (from 1 March 2026), whose only image is so many seconds ahead of its begin."""
    rows: list[Row] = []
    for day, ahead in seconds.items():
        noon = NOON + timedelta(days=day)
        name = f"D{day}".replace("-", "M")
        rows += exam(name, f"{noon}", f"{noon + timedelta(minutes=20)}", mrn=name)
        rows.append(image(f"i{name}", f"{noon + timedelta(seconds=ahead)}", name, mrn=name))
    return rows


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ({day: 60 + 5 * day for day in range(7)}, (7, 5.0)),
        ({day: 60 + 5 * day for day in range(6)}, (6, None)),
        ({day: 60 - 4 * day for day in range(7)} | {3: 900}, (7, -4.0)),  # one exam typed late does not matter
        ({0: 0, 2: 6, 4: 12, 6: 18, 8: 24, 10: 30, 20: 60}, (7, 3.0)),    # by the days between, not by exams
        ({-83: 9000, -82: 0, 1: 83, 2: 84, 3: 85, 4: 86, 5: 87, 7: 89}, (7, 1.0)),  # 90 days, not one more
        # of 21 pairs ten gain more than 2 s a day and ten less; of the 15 that are no neighbours seven more than 3
        ({0: 0, 1: 0, 2: 18, 3: 24, 4: 24, 5: 24, 6: 0}, (7, 2.0)),
    ],
)  # fmt: skip
def test_the_drift_of_a_clock(tmp_path: Path, seconds: dict[int, int], told: tuple[int, float | None]) -> None:
    house = Warehouse(tmp_path).built(*drifting(seconds))
    assert house.row(DRIFT) == pytest.approx(told)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        # gains 10 s a day and is set right by 300 s on 11 March
        ({day: 10 * day - 300 * (day >= 10) for day in range(20)}, (10.0, 1, date(2026, 3, 11))),
        ({day: 151 * (day >= 10) for day in range(20)}, (0.0, 1, date(2026, 3, 11))),
        ({day: 150 * (day >= 10) for day in range(20)}, (150 / 17, 0, None)),  # 90 of 190 pairs have no drift
        # twice; a day that is typed wrong between is no step
        ({day: -20 * day + 400 * (day >= 14) + 500 * (day >= 30) + 900 * (day == 21) for day in range(42)},
         (-20.0, 2, date(2026, 3, 31))),
        # one day is not enough to tell where a clock is
        ({day: 5 * day + 600 * (day >= 9) for day in range(10)}, (5.0, 0, None)),
    ],
)  # fmt: skip
def test_a_clock_that_was_set_does_not_hide_its_drift(
    tmp_path: Path, seconds: dict[int, int], told: tuple[float, int, date | None]
) -> None:
    assert Warehouse(tmp_path).built(*drifting(seconds)).row(STEPS) == pytest.approx(told)
