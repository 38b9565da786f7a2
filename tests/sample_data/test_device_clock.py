"""Clocks that drift: what they gain since they were last set right, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sample_data.device_clock import ahead, daily
from sample_data.recorded import Record
from sample_data.story import Device
from tests.sample_data.stories import HORIZON, NETWORK, exam

FAST, SLOW = NETWORK.rooms["N-DX1"].device, NETWORK.rooms["E-CT1"].device  # 9 s a day ahead, 20 s a day behind


@pytest.mark.parametrize(
    ("device", "at", "seconds"),
    [
        (FAST, datetime(2026, 11, 5, 9), 3),                 # set right on the 5th at 09:00 UTC, but for 3 s
        (FAST, datetime(2026, 11, 6, 9), 3 + 9),
        (FAST, datetime(2026, 11, 5, 8, 59, 59), 3 + 278),   # a second short of 31 days since 5 October
        (FAST, datetime(2027, 1, 4, 9), 3 + 270),
        (SLOW, datetime(2026, 10, 24, 9), -4),
        (SLOW, datetime(2026, 10, 24, 21), -4 - 10),
        (SLOW, datetime(2026, 10, 25, 9, 0, 1), -4 - 21),    # whole seconds, downwards
        (NETWORK.rooms["N-CT1"].device, datetime(2026, 10, 24, 9), 420),
    ],
)  # fmt: skip
def test_what_a_clock_is_ahead(device: Device, at: datetime, seconds: int) -> None:
    assert ahead(device, at) == timedelta(seconds=seconds)


def test_each_day_is_told_at_noon() -> None:
    told = list(daily(FAST, datetime(2026, 11, 4, 5), datetime(2026, 11, 7)))
    assert [(row["day"].day, row["ahead_s"], row["is_set"]) for row in told] == [
        (4, 3 + 271, False), (5, 3 + 1, True), (6, 3 + 10, False),
    ]  # fmt: skip


def test_begin_and_end_carry_what_the_clock_is_ahead_at_the_time() -> None:
    """An exam from 8:50 to 9:10 on the day on which its device is set right ends 4:38 min sooner by its clock."""
    start = datetime(2026, 11, 5, 8, 50)
    story = exam("N-DX1", start, exam_started_at=start, exam_ended_at=start + timedelta(minutes=20))
    (begin, _), (end, _) = Record(NETWORK, story, HORIZON, has_dicom=True).clocks()
    assert (begin, end) == (start + timedelta(seconds=3 + 278), start + timedelta(minutes=20, seconds=3))
