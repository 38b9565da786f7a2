"""Busy and staffed minutes of devices, hour by hour of the wall clock, over every kind of clock change.

The expected minutes are counted one by one: each minute around a clock change is looked up on the wall clock of the
zone. Days add up to the total because every minute belongs to one day.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from sql.query import metric
from tests.oracle.clock import to_wall
from tests.oracle.product import Product
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
Hours = Counter[tuple[str, str]]  # day and hour on the wall clock, what -> minutes, or exams begun while staffed
Exams = list[tuple[str, datetime, datetime]]  # device, begin, end
Season = tuple[Exams, Warehouse, dict[str, Hours]]
KINDS = ("staffed", "busy", "both")


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


def examined(season: str) -> Exams:
    """(device, begin, end) of exams that crowd the nights of a season."""
    chance = random.Random(season)  # noqa: S311
    found = []
    for device in DEVICES:
        for night in SEASONS[season]:
            for _ in range(12):
                begin = datetime.fromisoformat(night) + timedelta(minutes=chance.randrange(20 * 60))
                found.append((device, begin, begin + timedelta(minutes=chance.randint(1, 100))))
    return found


def busy_minutes(device: str, exams: Exams) -> set[datetime]:
    return {begin + n * MINUTE for d, begin, end in exams if d == device for n in range((end - begin) // MINUTE)}


def counted(device: str, exams: Exams, nights: tuple[str, ...]) -> Hours:
    """Minutes by hour of the wall clock, of the local days that touch the nights."""
    _, zone, blocks = DEVICES[device]
    busy = busy_minutes(device, exams)
    begins = Counter(begin for d, begin, _ in exams if d == device)
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
                found[hour, "seen"] += at < through
                found[hour, "begun"] += is_staffed * begins[at]
    return +found


@pytest.fixture(scope="module", params=SEASONS)
def season(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Season:
    exams = examined(request.param)
    house = Warehouse(tmp_path_factory.mktemp("days"))
    write_site(house.site)
    rows: list[Row] = []
    for number, (device, begin, end) in enumerate(exams):
        rows += exam(f"A{number}", str(begin), str(end), mrn=f"M{number}", station=device,
                     facility=DEVICES[device][0])  # fmt: skip
    house.load(*rows[::2])
    house.build()
    house.load(*rows[1::2])
    house.build()
    return exams, house, {device: counted(device, exams, SEASONS[request.param]) for device in DEVICES}


def test_every_minute_is_in_the_hour_that_the_clock_showed(season: Season) -> None:
    exams, house, minutes = season
    for device in DEVICES:
        told: Hours = Counter()
        for hour, staffed, busy, both in house.rows(f"""
            SELECT strftime(hour_local, '%Y-%m-%d %H'), sum(staffed_min), sum(busy_min), sum(busy_staffed_min)
            FROM fct_device_hour WHERE device = '{device}' GROUP BY 1"""):
            told |= {(hour, "staffed"): staffed, (hour, "busy"): busy, (hour, "both"): both}
        expected = Counter({key: n for key, n in minutes[device].items() if key[1] in KINDS})
        days = {hour[:10] for hour, _ in expected}
        keys = {key for key in expected | told if key[0][:10] in days}
        assert len(days) >= 5
        assert {k: (expected[k], told[k]) for k in keys if abs(expected[k] - told[k]) > 1e-6} == {}, device
        whole = house.row(f"SELECT sum(busy_min), sum(n_exams) FROM fct_device_day WHERE device = '{device}'")
        assert whole == (len(busy_minutes(device, exams)), sum(d == device for d, *_ in exams))


def gaps(device: str, exams: Exams) -> list[float]:
    """Minutes from the end of all before to a begin, where both are in one staffed block of a day and an hour apart."""
    _, zone, blocks = DEVICES[device]
    found, last = [], datetime.min
    for begin, end in sorted((begin, end) for d, begin, end in exams if d == device):
        if last > datetime.min and 0 <= (begin - last) / MINUTE <= 60:
            walls = to_wall(last, zone), to_wall(begin, zone)
            since, until = (wall.hour * 60 + wall.minute for wall in walls)
            if walls[0].date() == walls[1].date() and any(a <= since and until <= b for a, b in blocks):
                found.append((begin - last) / MINUTE)
        last = max(last, end)
    return found


def is_on_time(device: str, exams: Exams, day: str) -> bool | None:
    """None: no session that begins on the day or is not over an hour early."""
    _, zone, blocks = DEVICES[device]
    opens = datetime.fromisoformat(day) + min(blocks)[0] * MINUTE
    walls = [to_wall(begin, zone) for d, begin, _ in exams if d == device]
    first = min((w for w in walls if str(w.date()) == day and w >= opens - 60 * MINUTE), default=None)
    return None if first is None else first <= opens + 15 * MINUTE


def test_metrics_of_a_day_come_of_its_minutes(season: Season) -> None:
    """Shares, rates and sums of each device and day; the pauses of each device."""
    exams, house, minutes = season
    snapshot = Product(house).snapshot()
    expected: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for device in DEVICES:
        hours, lengths = minutes[device], [(end - begin) / MINUTE for d, begin, end in exams if d == device]
        each = median(lengths) + median(gaps(device, exams) or [0])
        for day in {hour[:10] for hour, _ in hours}:
            n = {kind: sum(n for (hour, k), n in hours.items() if k == kind and hour[:10] == day)
                 for kind in (*KINDS, "seen", "begun")}  # fmt: skip
            values: dict[str, float | None] = {
                "occupancy_by_hour": n["busy"] / n["seen"] if n["seen"] else None, "overtime": n["busy"] - n["both"],
                "first_case_on_time": is_on_time(device, exams, day),
            }  # fmt: skip
            if n["staffed"]:
                values |= {"utilization": n["both"] / n["staffed"], "throughput": 60 * n["begun"] / n["staffed"],
                           "unused_capacity": (n["staffed"] - n["both"]) / each}  # fmt: skip
            for metric_id, value in values.items():
                expected[metric_id] |= {} if value is None else {(device, day): float(value)}
    days = expected["overtime"].keys()
    assert all(len(set(values.values())) > 1 for values in expected.values())
    for metric_id, wanted in expected.items():
        told = {(r["group_value"], str(r["period_start"])): r["value"]
                for r in metric(snapshot, metric_id, groups=("device",), period="day").to_dicts()}  # fmt: skip
        assert {key: value for key, value in told.items() if key in days} == pytest.approx(wanted, abs=1e-6), metric_id
    pauses = {device: median(found) for device in DEVICES if (found := gaps(device, exams))}
    told = metric(snapshot, "turnover", groups=("device",)).to_dicts()
    assert {r["group_value"]: r["value"] for r in told} == pytest.approx(pauses)
    assert sum(r["n"] for r in told) == sum(len(gaps(device, exams)) for device in DEVICES) > 20
