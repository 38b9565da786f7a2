"""The simulated network: facilities, devices, staff and what they may order, read from `tables/*.csv`.

Rates are for the design volume of 100 exams a day. `Network.scale` says how far a run is from it: above 1 exam,
slot and reading minutes shrink in proportion (the same devices must carry it); below 1 staffed hours shrink.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sample_data.catalog import LocalName, Procedure, local_names, procedures
from sample_data.story import Device, Staff

TABLES = Path(__file__).parent / "tables"
DESIGN_VOLUME = 100.0
SHORTEST_BLOCK_SHARE = 0.3  # of the usual staffed hours, at low volume


#: Month and day on which the facilities without emergency patients stay closed.
CLOSED_DAYS = frozenset({(1, 1), (7, 4), (12, 25)})
CLOSING = frozenset({"WEST", "SOUTH"})


def is_closed(facility: str, day: date) -> bool:
    """A day without staffed hours although its weekday has some."""
    return facility in CLOSING and (day.month, day.day) in CLOSED_DAYS


def table(name: str) -> list[dict[str, str]]:
    """Rows of `tables/<name>.csv`."""
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True, slots=True)
class Facility:
    """One hospital or centre. `app` and `sending_facility` are MSH-3 and MSH-4 of its RIS."""

    id: str
    name: str
    zone: str
    kind: str
    aliases: tuple[str, ...]
    app: str
    sending_facility: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Room:
    """A device and how it is run. Minutes are of the design volume; `daily` is exams a day."""

    device: Device
    daily: float
    mix: dict[str, float]  # patient class -> share of the exams
    exam_min: float
    turnover_min: float
    slot_min: float
    weekdays: frozenset[int]  # ISO
    opens_min: int  # minutes after local midnight
    closes_min: int


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of radiologists on the wall clock of NORTH; may end on the next day."""

    name: str
    weekdays: frozenset[int]
    starts_min: int
    ends_min: int
    pause_min: float  # mean time between two reads that other duties take
    per_day: int


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


_DEVICE_FLAGS = (
    "has_mpps", "is_implicit_vr", "is_enhanced", "writes_zone_offset", "writes_acquisition_datetime", "sends_rejects",
    "sends_rdsr",
)  # fmt: skip
_DEVICE_CLOCK = ("clock_offset_s", "drift_s_day", "set_on")
_DEVICE_TEXTS = (
    "name", "facility", "modality", "station", "ae_title", "manufacturer", "model", "serial", "room", "site_room",
)  # fmt: skip


def _room(row: dict[str, str], block_share: float) -> Room:
    facts: dict[str, Any] = {name: row[name] for name in _DEVICE_TEXTS}
    facts |= {name: row[name] == "1" for name in _DEVICE_FLAGS}
    facts |= {name: int(row[name]) for name in _DEVICE_CLOCK}
    device = Device(id=row["device"], **facts)
    opens, closes = _minutes(row["opens"]), _minutes(row["closes"])
    return Room(
        device,
        float(row["daily"]),
        {letter: float(row[name]) for letter, name in (("E", "emergency"), ("I", "inpatient"), ("O", "outpatient"))},
        float(row["exam_min"]),
        float(row["turnover_min"]),
        float(row["slot_min"]),
        frozenset(map(int, row["weekdays"])),
        opens,
        opens + round((closes - opens) * block_share / 30) * 30,
    )


class Network:
    """Everything that stays the same during a run of `exams` over `days`."""

    def __init__(self, exams: int, days: int) -> None:
        self.scale = exams / days / DESIGN_VOLUME
        self.speed = max(1.0, self.scale)  # minutes of work are divided by it
        block_share = min(1.0, max(SHORTEST_BLOCK_SHARE, self.scale))
        self.facilities = {
            r["facility"]: Facility(
                r["facility"], r["name"], r["zone"], r["kind"], tuple(r["aliases"].split("|")), r["app"],
                r["sending_facility"], r["address"],
            )
            for r in table("facilities")
        }  # fmt: skip
        self.zones = {f.id: ZoneInfo(f.zone) for f in self.facilities.values()}
        self.rooms = {r["device"]: _room(r, block_share) for r in table("devices")}
        self.staff = [
            (Staff(r["staff"], r["family"], r["given"], r["role"], r["facility"]), r["shift"]) for r in table("staff")
        ]
        self.shifts = {
            r["shift"]: Shift(
                r["shift"], frozenset(map(int, r["weekdays"])), _minutes(r["starts"]), _minutes(r["ends"]),
                float(r["pause_min"]), int(r["per_day"]),
            )
            for r in table("shifts")
        }  # fmt: skip
        self.hours = {r["class"]: [float(r[str(hour)]) for hour in range(24)] for r in table("hours")}
        self.procedures: dict[str, Procedure] = procedures()
        offered = {f: {r.device.modality for r in self.rooms.values() if r.device.facility == f} for f in self.zones}
        self.names: dict[tuple[str, str], LocalName] = {
            (facility, name.procedure): name
            for facility in offered
            for name in local_names(facility, offered[facility])
        }
        self.demand = {
            r["procedure"]: {c[0].upper(): float(r[c]) for c in r if c != "procedure"} for r in table("demand")
        }

    def of_role(self, role: str, facility: str | None = None) -> list[Staff]:
        """Staff of one role, of one facility or of all."""
        return [s for s, _ in self.staff if s.role == role and facility in (None, s.facility)]

    def twin(self, room: Room) -> Room | None:
        """The facility's other device of the same modality; None where it has none."""
        kind = (room.device.facility, room.device.modality)
        others = (r for r in self.rooms.values() if r.device.id != room.device.id)
        return next((r for r in others if (r.device.facility, r.device.modality) == kind), None)

    def local(self, facility: str, at: datetime) -> datetime:
        """Wall clock (aware) of a facility at a UTC instant without tzinfo."""
        return _local(self.zones[facility], at)

    def offset(self, facility: str, at: datetime) -> timedelta:
        """What the wall clock of a facility is ahead of UTC at a UTC instant."""
        return _local(self.zones[facility], at).replace(tzinfo=None) - at

    def utc(self, facility: str, day: datetime, minutes: float) -> datetime:
        """UTC instant of `minutes` after local midnight of `day` on the wall clock."""
        wall = datetime(day.year, day.month, day.day) + timedelta(minutes=int(minutes), seconds=int(minutes * 60) % 60)
        return wall.replace(tzinfo=self.zones[facility]).astimezone(_UTC).replace(tzinfo=None)


_UTC = ZoneInfo("UTC")


def offset_text(offset: timedelta, separator: str = "") -> str:
    """`-0500`, as HL7 and DICOM write it; FHIR with a separator."""
    minutes = abs(offset) // timedelta(minutes=1)
    return f"{'-' if offset < timedelta(0) else '+'}{minutes // 60:02d}{separator}{minutes % 60:02d}"


@lru_cache(maxsize=4096)
def _hour_offset(zone: ZoneInfo, hour: datetime) -> timedelta:
    offset = hour.replace(tzinfo=_UTC).astimezone(zone).utcoffset()
    return offset or timedelta(0)


def _local(zone: ZoneInfo, at: datetime) -> datetime:
    # Offsets change only at full hours in the zones used here, so one look-up an hour is enough.
    offset = _hour_offset(zone, at.replace(minute=0, second=0, microsecond=0))
    return (at + offset).replace(tzinfo=zone, fold=0)
