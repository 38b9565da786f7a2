"""Twelve zones, ten years of clock changes: Python and SQL agree in both directions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import duckdb
import pytest

from etl.timestamps import parse_dtm, utc_zone
from sql.macros import MACROS
from tests.oracle.clock import rules, to_utc, to_wall

#: Whole, half and three-quarter hours; changes of an hour and of half an hour, both hemispheres, rules that ended.
ZONES = (
    "America/New_York", "America/St_Johns", "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Africa/Casablanca",
    "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Australia/Adelaide", "Australia/Lord_Howe", "Pacific/Chatham",
)  # fmt: skip
BEGIN, END = datetime(2017, 1, 1), datetime(2027, 1, 1)
QUARTER = timedelta(minutes=15)


@cache
def changes(zone: str) -> list[datetime]:
    """UTC instants at which the offset changes, to the quarter of an hour."""

    def offset(at: datetime) -> timedelta | None:
        return at.replace(tzinfo=UTC).astimezone(rules(zone)).utcoffset()

    days = [BEGIN + timedelta(days=n) for n in range((END - BEGIN).days + 1)]
    return [
        day + n * QUARTER
        for day, after in pairwise(days) if offset(day) != offset(after)
        for n in range(1, 97) if offset(day + n * QUARTER) != offset(day + (n - 1) * QUARTER)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for macro in MACROS:
        if macro.name == "local_at":
            con.execute(macro.create_duckdb())
    return con


def sql_walls(con: duckdb.DuckDBPyConnection, instants: list[datetime], zone: str) -> list[datetime]:
    rows = con.execute(
        "SELECT local_at(u.at, $zone) FROM (SELECT unnest($instants::TIMESTAMP[]) AS at) u",
        {"zone": zone, "instants": instants},
    ).fetchall()
    return [wall for (wall,) in rows]


def around(change: datetime) -> list[datetime]:
    """Instants within three hours of a change: every quarter of an hour, and the seconds beside the change."""
    beside = [change + timedelta(seconds=s) for s in (-1, 0, 1)]
    return sorted({*beside, *(change + n * QUARTER for n in range(-12, 13))})


def test_the_zones_change_their_clocks() -> None:
    """The test below tries something: who has summer time has some twenty changes in ten years."""
    found = {zone: len(changes(zone)) for zone in ZONES}
    assert found.pop("Asia/Kolkata") == found.pop("Asia/Kathmandu") == 0
    assert min(found.values()) >= 4
    assert sum(n >= 19 for n in found.values()) >= 6


@pytest.mark.parametrize("zone", ZONES)
def test_instants_to_walls(zone: str, engine: duckdb.DuckDBPyConnection) -> None:
    """Every hour of ten years and everything around a change: the engine's wall clock is Python's."""
    instants = [BEGIN + timedelta(hours=n) for n in range((END - BEGIN) // timedelta(hours=1))]
    instants += [at for change in changes(zone) for at in around(change)]
    assert sql_walls(engine, instants, zone) == [to_wall(at, zone) for at in instants]


@pytest.mark.parametrize("zone", ZONES)
def test_walls_to_instants_and_back(zone: str, engine: duckdb.DuckDBPyConnection) -> None:
    """A wall clock reading near a change is one instant to product and oracle, and the engine shows it as it was read.

    A reading that was skipped comes back later by what was skipped: then it is flagged.
    """
    near = {change: around(change) for change in changes(zone)} or {BEGIN: around(BEGIN)}
    walls = sorted({to_wall(at, zone) + shift for ats in near.values() for at in ats
                    for shift in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))})  # fmt: skip
    stamps = [parse_dtm(f"{wall:%Y%m%d%H%M%S}", utc_zone(zone, "facility")) for wall in walls]
    flags = {"facility": "", "facility_fold": "fold", "facility_gap": "gap"}
    expected = [to_utc(wall, zone) for wall in walls]
    assert [(s.at, flags[s.zone_source]) for s in stamps] == [(e.at, e.flag) for e in expected]
    back = sql_walls(engine, [e.at for e in expected if e.at], zone)
    skipped = {shown - wall for wall, shown, e in zip(walls, back, expected, strict=True) if e.flag == "gap"}
    assert all(shown == wall for wall, shown, e in zip(walls, back, expected, strict=True) if e.flag != "gap")
    assert skipped <= {timedelta(minutes=30), timedelta(hours=1)}
    repeated = [e.at for e in expected if e.flag == "fold" and e.at]
    if len(changes(zone)) > 2:
        assert skipped
        assert repeated
    for at in repeated:  # the first of the two: an hour or half an hour later the same reading is shown again
        later = sql_walls(engine, [at, at + timedelta(minutes=30), at + timedelta(hours=1)], zone)
        assert later[0] in later[1:]
        assert later[0] not in sql_walls(engine, [at - timedelta(minutes=30), at - timedelta(hours=1)], zone)
