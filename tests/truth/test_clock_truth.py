"""Clocks of devices: the offset, the drift and the step that radops estimates are those that were planted."""

from __future__ import annotations

from datetime import date, timedelta
from statistics import median
from typing import Any

import pytest

from sql.query import rows
from tests.truth.recompute_quality import clock_days, clock_pairs, clock_slope, clock_steps
from tests.truth.world import MESSAGES_ONLY, World

Row = dict[str, Any]
COLUMNS = ("device", "facility", "n", "offset_s", "n_days", "drift_s_day", "n_steps", "last_step")
#: A status is typed 10 to 240 s late, which puts a clock 125 s behind; the server of SOUTH writes times as they are.
TYPED_S, AT_ONCE = 125.0, "SOUTH"
#: Chance of 15 to 100 exams; and without MPPS, first and last image lie within the exam, not evenly from its ends.
STEPS_S, IMAGES_S = 60.0, 120.0
#: Of few exams a day: on ten seeds the two planted drifts were met within 4 s a day, others were up to 7 s off zero.
DRIFT_S, NO_DRIFT_S = 5.0, 10.0
ENOUGH_DAYS = 12
#: How far from the day on which a clock was set right the step may be seen, in days.
SEEN_WITHIN = timedelta(days=3)

pytestmark = pytest.mark.skipif(MESSAGES_ONLY, reason="no device tells a time")


@pytest.fixture(scope="module")
def told(world: World) -> dict[str, Row]:
    return {row["device"]: row for row in rows(world.snapshot, "dq_clock_offset", columns=COLUMNS).to_dicts()}


@pytest.fixture(scope="module")
def planted(world: World) -> dict[str, Row]:
    return {row["device"]: row for row in world.department.truth("device")}


def ahead(world: World) -> dict[tuple[str, date], int]:
    """What each clock is really ahead, by device and day."""
    return {(row["device"], row["day"].date()): row["ahead_s"] for row in world.department.truth("device_clock")}


def test_the_offset_is_the_planted_one(world: World, told: dict[str, Row], planted: dict[str, Row]) -> None:
    """Of a clock that drifts: the median over its exams."""
    really = ahead(world)
    exams: dict[str, list[int]] = {}
    for (_, device), day, _ in clock_pairs(world.department):
        exams.setdefault(device, []).append(really[device, day])
    assert told.keys() == exams.keys() == planted.keys()
    for device, row in told.items():
        assert row["n"] == len(exams[device])
        late = 0.0 if row["facility"] == AT_ONCE else TYPED_S
        off = row["offset_s"] - (median(exams[device]) - late)
        assert abs(off) < (STEPS_S if planted[device]["has_mpps"] else IMAGES_S), (device, off)


def test_the_drift_is_the_planted_one(told: dict[str, Row], planted: dict[str, Row]) -> None:
    drifting = {device for device, row in planted.items() if row["drift_s_day"]}
    assert len(drifting) == 2
    for device in drifting:
        assert abs(told[device]["drift_s_day"] - planted[device]["drift_s_day"]) < DRIFT_S, device
    others = [told[device] for device in told.keys() - drifting if told[device]["n_days"] >= ENOUGH_DAYS]
    assert len(others) > 6
    assert max(abs(row["drift_s_day"]) for row in others) < NO_DRIFT_S


def test_a_clock_that_is_set_right_shows_a_step(world: World, told: dict[str, Row], planted: dict[str, Row]) -> None:
    first = min(row["anchor_at"] or row["anchor_ended_at"] for row in world.department.truth("clock")).date()
    was_set = {row["device"]: row["day"].date() for row in world.department.truth("device_clock")
               if row["is_set"] and row["day"].date() > first + timedelta(days=7)}  # fmt: skip
    assert was_set.keys() == {device for device, row in planted.items() if row["drift_s_day"]}
    for device, day in was_set.items():
        assert told[device]["n_steps"] >= 1
        assert abs(told[device]["last_step"] - day) <= SEEN_WITHIN, device


def test_drift_and_steps_equal_truth(world: World, told: dict[str, Row]) -> None:
    days = {device: known for (_, device), known in clock_days(world.department).items()}
    assert {device: row["n_days"] for device, row in told.items()} == {device: len(d) for device, d in days.items()}
    for device, known in days.items():
        steps = clock_steps(known)
        assert (told[device]["n_steps"], told[device]["last_step"]) == (len(steps), max(steps, default=None)), device
        slope = pytest.approx(clock_slope(known), abs=1e-6) if len(known) >= 7 else None
        assert told[device]["drift_s_day"] == slope, device
