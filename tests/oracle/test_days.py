"""Busy and staffed minutes of devices, hour by hour of the wall clock, over every kind of clock change.

The expected minutes are counted one by one: each minute around a clock change is looked up on the wall clock of the
zone. Days add up to the total because every minute belongs to one day.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.oracle.clock import to_wall
from tests.raw_rows import Row
from tests.warehouse import Warehouse, exam

MINUTE = timedelta(minutes=1)
#: device -> facility, zone, staffed blocks of each day (minutes)
DEVICES = {
    "N-CT1": ("NORTH", "America/New_York", ((0, 1440),)),
    "L-CT1": ("LONDON", "Europe/London", ((0, 75), (480, 1050))),
    "H-CT1": ("HOWE", "Australia/Lord_Howe", ((0, 1440),)),
    "H-CT2": ("HOWE", "Australia/Lord_Howe", ((100, 200), (510, 1020))),
    "K-CT1": ("KOLKATA", "Asia/Kolkata", ((0, 30), (480, 1020))),
    "C-CT1": ("CHATHAM", "Pacific/Chatham", ((0, 1440),)),
}
#: season -> the nights in which clocks change somewhere, UTC
SEASONS = {
    "spring in the north": ("2026-03-07 20:00", "2026-03-28 20:00", "2026-04-04 08:00"),
    "autumn in the north": ("2026-09-26 08:00", "2026-10-03 08:00", "2026-10-24 20:00", "2026-10-31 20:00"),
}
Hours = Counter[tuple[str, str]]  # day and hour on the wall clock, what -> minutes


def clock_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def write_site(folder: Path) -> None:
    zones = {facility: zone for facility, zone, _ in DEVICES.values()}
    text = '[site]\nname = "days"\ndefault_zone = "UTC"\n' + "".join(
        f'[[facility]]\nid = "{facility}"\nname = "{facility}"\nzone = "{zone}"\n' for facility, zone in zones.items()
    )
    (folder / "site.toml").write_text(text, "utf-8")
    devices = [f"{d},{d},{facility},CT,{d},,,,\n" for d, (facility, _, _) in DEVICES.items()]
    blocks = [f"{d},1234567,{clock_text(a)},{clock_text(b)}\n" for d, (*_, day) in DEVICES.items() for a, b in day]
    for name, rows in (("devices.csv", devices), ("staffing.csv", blocks), ("calendar.csv", []), ("shifts.csv", []),
                       ("targets.csv", []), ("procedures.csv", []), ("fees.csv", [])):  # fmt: skip
        head = (folder / name).read_text("utf-8").splitlines()[0]
        (folder / name).write_text(head + "\n" + "".join(rows), "utf-8")


def examined(season: str) -> list[tuple[str, datetime, datetime]]:
    """(device, begin, end) of exams that crowd the nights of a season."""
    chance = random.Random(season)  # noqa: S311
    found = []
    for device in DEVICES:
        for night in SEASONS[season]:
            for _ in range(12):
                begin = datetime.fromisoformat(night) + timedelta(minutes=chance.randrange(20 * 60))
                found.append((device, begin, begin + timedelta(minutes=chance.randint(1, 100))))
    return found


def busy_minutes(device: str, exams: list[tuple[str, datetime, datetime]]) -> set[datetime]:
    return {begin + n * MINUTE for d, begin, end in exams if d == device for n in range((end - begin) // MINUTE)}


def counted(device: str, exams: list[tuple[str, datetime, datetime]], nights: tuple[str, ...]) -> Hours:
    """Minutes by hour of the wall clock, of the local days that touch the nights."""
    _, zone, blocks = DEVICES[device]
    busy = busy_minutes(device, exams)
    through = max(end for _, _, end in exams)
    first_day = to_wall(min(busy), zone).date()
    found: Hours = Counter()
    for night in nights:
        days = [(datetime.fromisoformat(night) + timedelta(days=n)).date() for n in (0, 1)]
        for n in range(-48 * 60, 72 * 60):
            at = datetime.fromisoformat(night) + n * MINUTE
            wall = to_wall(at, zone)
            if wall.date() >= first_day and wall.date() in days:
                hour, minute = f"{wall.date()} {wall.hour:02d}", wall.hour * 60 + wall.minute
                is_staffed = at < through and any(a <= minute < b for a, b in blocks)
                found[hour, "staffed"] += is_staffed
                found[hour, "busy"] += at in busy
                found[hour, "both"] += is_staffed and at in busy
    return +found


@pytest.mark.parametrize("season", SEASONS)
def test_every_minute_is_in_the_hour_that_the_clock_showed(season: str, tmp_path: Path) -> None:
    exams = examined(season)
    house = Warehouse(tmp_path)
    write_site(house.site)
    rows: list[Row] = []
    for number, (device, begin, end) in enumerate(exams):
        rows += exam(f"A{number}", str(begin), str(end), mrn=f"M{number}", station=device,
                     facility=DEVICES[device][0])  # fmt: skip
    house.load(*rows[::2])
    house.build()
    house.load(*rows[1::2])
    house.build()
    for device in DEVICES:
        told: Hours = Counter()
        for hour, staffed, busy, both in house.rows(f"""
            SELECT strftime(hour_local, '%Y-%m-%d %H'), sum(staffed_min), sum(busy_min), sum(busy_staffed_min)
            FROM fct_device_hour WHERE device = '{device}' GROUP BY 1"""):
            told |= {(hour, "staffed"): staffed, (hour, "busy"): busy, (hour, "both"): both}
        expected = counted(device, exams, SEASONS[season])
        days = {hour[:10] for hour, _ in expected}
        keys = {key for key in expected | told if key[0][:10] in days}
        assert len(days) >= 5
        assert {k: (expected[k], told[k]) for k in keys if abs(expected[k] - told[k]) > 1e-6} == {}, device
        whole = house.row(f"SELECT sum(busy_min), sum(n_exams) FROM fct_device_day WHERE device = '{device}'")
        assert whole == (len(busy_minutes(device, exams)), sum(d == device for d, *_ in exams))
