"""A device's own clock: how far it is ahead of the true time, always, and more each day where it drifts.

A clock that drifts is set right once a month, at night, when few exams can have the step in them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sample_data.story import Device

DAY = timedelta(days=1)
#: Hour (UTC) of the day of the month on which a clock is set right: night at all facilities.
SET_HOUR = 9


def last_set(device: Device, at: datetime) -> datetime:
    """When a clock that drifts was last set right, up to an instant (UTC)."""
    this_month = datetime(at.year, at.month, device.set_on, SET_HOUR)
    if this_month <= at:
        return this_month
    return (this_month.replace(day=1) - DAY).replace(day=device.set_on)


def ahead(device: Device, at: datetime) -> timedelta:
    """What the clock is ahead of true time at an instant (UTC), in whole seconds; negative where it is behind."""
    seconds = device.clock_offset_s
    if device.drift_s_day:
        seconds += math.floor(device.drift_s_day * ((at - last_set(device, at)) / DAY))
    return timedelta(seconds=seconds)


def daily(device: Device, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """A row for each UTC day of [start, end]: what the clock is ahead at noon, and whether it was set right before."""
    day = datetime(start.year, start.month, start.day)
    while day < end:
        yield {
            "device": device.id, "facility": device.facility, "day": day,
            "ahead_s": int(ahead(device, day + DAY / 2).total_seconds()),
            "is_set": bool(device.drift_s_day) and day.day == device.set_on,
        }  # fmt: skip
        day += DAY
