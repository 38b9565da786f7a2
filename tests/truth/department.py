"""The simulator's truth as plain Python rows, with the words that the warehouse groups by.

Shares no code and no SQL with the product: this is the other side of the proof.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

Row = dict[str, Any]
PRIORITY = {"S": "stat", "T": "stat", "A": "urgent", "P": "urgent"}
PATIENT_CLASS = {"E": "emergency", "I": "inpatient"}


def minutes(start: datetime | None, stop: datetime | None) -> float | None:
    """Whole-interval minutes, None where an end is missing."""
    return None if start is None or stop is None else (stop - start).total_seconds() / 60


def merged(intervals: list[tuple[datetime, datetime]], bridge: timedelta = timedelta()) -> list[list[datetime]]:
    """Union of intervals; gaps up to and including zero (or below `bridge`) are closed."""
    result: list[list[datetime]] = []
    for start, stop in sorted(intervals):
        if result and (start <= result[-1][1] or start - result[-1][1] < bridge):
            result[-1][1] = max(result[-1][1], stop)
        else:
            result.append([start, stop])
    return result


def overlap_min(a: tuple[datetime, datetime], b: tuple[datetime, datetime]) -> float:
    """Minutes that two half-open intervals share."""
    return max(0.0, (min(a[1], b[1]) - max(a[0], b[0])).total_seconds() / 60)


def meeting(
    whole: tuple[datetime, datetime], intervals: Iterable[Sequence[datetime]]
) -> list[tuple[datetime, datetime]]:
    """Those of many half-open intervals that share time with one."""
    begin, end = whole
    return [(a, b) for a, b in intervals if a < end and b > begin and a < b]


@dataclass(frozen=True)
class Block:
    """A staffed block of a device: local day and UTC instants."""

    device: str
    day: date
    opens_at: datetime
    closes_at: datetime
    opens_local: datetime


class Department:
    """Truth of one simulation: `folder` holds `truth/` and `site/`."""

    def __init__(self, folder: Path, data_through: datetime) -> None:
        self.folder = folder
        self.data_through = data_through
        toml = tomllib.loads((folder / "site" / "site.toml").read_text("utf-8"))
        self.zones = {f["id"]: ZoneInfo(f["zone"]) for f in toml["facility"]}
        self.exams = [self._exam(row) for row in self.truth("exam")]
        self.exam_of = {(e["facility"], e["accession"]): e for e in self.exams}
        self.countable = [e for e in self.exams if e["is_countable"]]
        self.devices = {row["device"]: row for row in self.site("devices.csv")}

    def truth(self, name: str) -> list[Row]:
        """Rows of a truth table."""
        return pl.read_parquet(self.folder / "truth" / f"{name}.parquet").to_dicts()

    def site(self, name: str) -> list[dict[str, str]]:
        path = self.folder / "site" / name
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def local(self, facility: str, at: datetime | None) -> datetime | None:
        """Wall clock of the facility."""
        return None if at is None else at.replace(tzinfo=UTC).astimezone(self.zones[facility]).replace(tzinfo=None)

    def utc(self, facility: str, local: datetime) -> datetime:
        """UTC instant of a wall clock, first occurrence where it repeats."""
        return local.replace(tzinfo=self.zones[facility]).astimezone(UTC).replace(tzinfo=None)

    def _exam(self, row: Row) -> Row:
        row["priority"] = PRIORITY.get(row["priority"] or "", "routine")
        row["patient_class"] = PATIENT_CLASS.get(row["patient_class"] or "", "outpatient")
        row["is_countable"] = row["exam_ended_at"] is not None and not (row["is_cancelled"] or row["is_discontinued"])
        row["radiologist"] = row["interpreter"]
        return row

    @cached_property
    def shifts(self) -> list[tuple[str, bool, int, int]]:
        """(shift, is it after hours, first minute of the week, length in minutes) by shifts.csv."""

        def minute(text: str) -> int:
            return int(text[:2]) * 60 + int(text[3:])

        return [
            (
                row["shift"],
                row["is_after_hours"].lower() == "true",
                (int(weekday) - 1) * 1440 + minute(row["starts"]),
                (minute(row["ends"]) - minute(row["starts"]) - 1) % 1440 + 1,
            )
            for row in self.site("shifts.csv")
            for weekday in row["weekday"]
        ]

    def shift_of(self, local: datetime) -> tuple[str | None, bool]:
        """Shift at a wall clock: a regular one before after-hours ones, among equals the one that began first."""
        now = (local.isoweekday() - 1) * 1440 + local.hour * 60 + local.minute
        on = [
            (after, -((now - start) % 10080), name)
            for name, after, start, n in self.shifts
            if (now - start) % 10080 < n
        ]
        return (min(on)[2], min(on)[0]) if on else (None, True)

    def keys(self, row: Row, anchor: datetime) -> Row:
        """The grouping words of a row; those of time come from its anchor, a wall clock, kept as `local`."""
        clock = {"weekday": str(anchor.isoweekday()), "hour": str(anchor.hour), "shift": self.shift_of(anchor)[0]}
        return row | clock | {"local": anchor}

    @cached_property
    def blocks(self) -> list[Block]:
        """Staffed blocks of every device from its first exam's local day to the last day of data."""
        closed = {(r["facility"], r["date"]) for r in self.site("calendar.csv") if r["kind"] == "closed"}
        first, found = self.first_day, []
        for row in self.site("staffing.csv"):
            device = row["device"]
            if device not in first:
                continue
            facility = self.devices[device]["facility"]
            day = first[device]
            while day <= self.local(facility, self.data_through).date():
                if day.isoweekday() == int(row["weekday"]) and (facility, day.isoformat()) not in closed:
                    found.append(self._block(device, facility, day, row["opens"], row["closes"]))
                day += timedelta(days=1)
        return [b for b in found if b.opens_at < self.data_through]

    def _block(self, device: str, facility: str, day: date, opens: str, closes: str) -> Block:
        opens_local = datetime.combine(day, time.fromisoformat(opens))
        is_midnight = closes == "24:00"
        end_day = day + timedelta(days=1) if is_midnight else day
        closes_local = datetime.combine(end_day, time.min if is_midnight else time.fromisoformat(closes))
        closes_at = min(self.utc(facility, closes_local), self.data_through)
        return Block(device, day, self.utc(facility, opens_local), closes_at, opens_local)

    @cached_property
    def first_day(self) -> dict[str, date]:
        """Local day of each device's first exam."""
        first: dict[str, date] = {}
        for exam in self.exams:
            if exam["device"] is not None and exam["exam_started_at"] is not None:
                day = self.local(self.devices[exam["device"]]["facility"], exam["exam_started_at"]).date()
                first[exam["device"]] = min(day, first.get(exam["device"], day))
        return first

    @cached_property
    def sessions(self) -> dict[str, list[Row]]:
        """Sessions by device in order of time."""
        by_device: dict[str, list[Row]] = {}
        for row in sorted(self.truth("session"), key=lambda r: (r["started_at"], r["ended_at"])):
            by_device.setdefault(row["device"], []).append(row)
        return by_device

    @cached_property
    def busy(self) -> dict[str, list[list[datetime]]]:
        """Union of sessions by device."""
        return {device: merged([(s["started_at"], s["ended_at"]) for s in rows]) for device, rows in
                self.sessions.items()}  # fmt: skip
