"""Times keep their precision, their zone and its source; every DST case is decided once and flagged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.timestamps import BadTime, Stamp, Zone, offset_zone, parse_da_tm, parse_dtm, parse_fhir, utc_zone, zone_info

NEW_YORK = utc_zone("America/New_York", "facility")
KOLKATA = utc_zone("Asia/Kolkata", "facility")
LORD_HOWE = utc_zone("Australia/Lord_Howe", "facility")
LONDON = utc_zone("Europe/London", "assumed")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected", "precision", "source"),
    [
        ("20260115083000", NEW_YORK, "2026-01-15T13:30:00", "second", "facility"),
        ("20260715083000", NEW_YORK, "2026-07-15T12:30:00", "second", "facility"),
        ("202601150830", NEW_YORK, "2026-01-15T13:30:00", "minute", "facility"),
        ("2026011508", NEW_YORK, "2026-01-15T13:00:00", "hour", "facility"),
        ("20260115083000.25", NEW_YORK, "2026-01-15T13:30:00.250000", "fraction", "facility"),
        ("20260115083000.1234567", NEW_YORK, "2026-01-15T13:30:00.123456", "fraction", "facility"),
        ("20260115083000-0800", NEW_YORK, "2026-01-15T16:30:00", "second", "offset"),
        ("20260115083000+1300", NEW_YORK, "2026-01-14T19:30:00", "second", "offset"),
        ("202601150830+0545", NEW_YORK, "2026-01-15T02:45:00", "minute", "offset"),
        ("20260115083000", KOLKATA, "2026-01-15T03:00:00", "second", "facility"),
        ("20260115083000", LONDON, "2026-01-15T08:30:00", "second", "assumed"),
        ("20261231235960", NEW_YORK, "2027-01-01T04:59:59", "second", "facility"),
        (" 20260115083000 ", NEW_YORK, "2026-01-15T13:30:00", "second", "facility"),
    ],
)
def test_dtm(text: str, zone: Zone, expected: str, precision: str, source: str) -> None:
    stamp = parse_dtm(text, zone)
    assert (stamp.at, stamp.precision, stamp.zone_source) == (at(expected), precision, source)


@pytest.mark.parametrize(
    ("text", "precision"), [("2026", "year"), ("202601", "month"), ("20260115", "day"), ("20260115+0100", "day")]
)
def test_a_date_alone_has_no_instant(text: str, precision: str) -> None:
    stamp = parse_dtm(text, NEW_YORK)
    assert stamp.at is None
    assert stamp.precision == precision


def test_offset_default_of_the_message() -> None:
    stamp = parse_dtm("20260115083000", Zone(offset_zone("-0500"), "message"))
    assert (stamp.at, stamp.zone_source) == (at("2026-01-15T13:30:00"), "message")


@pytest.mark.parametrize(
    ("text", "zone", "expected", "source"),
    [
        # 2026-11-01 01:30 happens twice in New York: the first (EDT, -4) is taken, and said.
        ("20261101013000", NEW_YORK, "2026-11-01T05:30:00", "facility_fold"),
        ("20261101005959", NEW_YORK, "2026-11-01T04:59:59", "facility"),
        ("20261101020000", NEW_YORK, "2026-11-01T07:00:00", "facility"),
        # 2026-03-08 02:30 does not exist: read with the offset before the change (EST, -5).
        ("20260308023000", NEW_YORK, "2026-03-08T07:30:00", "facility_gap"),
        ("20260308015959", NEW_YORK, "2026-03-08T06:59:59", "facility"),
        ("20260308030000", NEW_YORK, "2026-03-08T07:00:00", "facility"),
        # Lord Howe Island moves by half an hour: 2026-04-05 01:30-02:00 happens twice (+11, then +10:30).
        ("20260405014500", LORD_HOWE, "2026-04-04T14:45:00", "facility_fold"),
        ("20261004021500", LORD_HOWE, "2026-10-03T15:45:00", "facility_gap"),
        # An explicit offset decides the repeated hour.
        ("20261101013000-0500", NEW_YORK, "2026-11-01T06:30:00", "offset"),
    ],
)
def test_clock_changes(text: str, zone: Zone, expected: str, source: str) -> None:
    stamp = parse_dtm(text, zone)
    assert (stamp.at, stamp.zone_source) == (at(expected), source)


@pytest.mark.parametrize(
    ("date", "time", "expected", "precision"),
    [
        ("20260115", "000530", "2026-01-15T05:05:30", "second"),  # five and a half minutes past midnight
        ("20260115", "000530.000", "2026-01-15T05:05:30", "fraction"),
        ("20260115", "00:05:30", "2026-01-15T05:05:30", "second"),
        ("2026.01.15", "0005", "2026-01-15T05:05:00", "minute"),
        ("20260115", "07", "2026-01-15T12:00:00", "hour"),
        ("20260115", "070907.0705 ", "2026-01-15T12:09:07.070500", "fraction"),
        ("20260115", "070907-0800", "2026-01-15T15:09:07", "second"),
    ],
)
def test_da_tm(date: str, time: str, expected: str, precision: str) -> None:
    stamp = parse_da_tm(date, time, NEW_YORK)
    assert (stamp.at, stamp.precision) == (at(expected), precision)


def test_da_without_tm_is_a_date() -> None:
    assert parse_da_tm("20260115", "", NEW_YORK) == Stamp(None, "day", "facility", at("2026-01-15"))


@pytest.mark.parametrize(
    ("text", "expected", "precision", "source"),
    [
        ("2026-01-15T08:30:00Z", "2026-01-15T08:30:00", "second", "offset"),
        ("2026-01-15T08:30:00.5+05:30", "2026-01-15T03:00:00.500000", "fraction", "offset"),
        ("2026-01-15T08:30", "2026-01-15T13:30:00", "minute", "facility"),
    ],
)
def test_fhir(text: str, expected: str, precision: str, source: str) -> None:
    stamp = parse_fhir(text, NEW_YORK)
    assert (stamp.at, stamp.precision, stamp.zone_source) == (at(expected), precision, source)


@pytest.mark.parametrize("text", ["2026", "2026-01", "2026-01-15"])
def test_fhir_date(text: str) -> None:
    assert parse_fhir(text, NEW_YORK).at is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a time"),
        ("yesterday", "not a time"),
        ("202601150", "not a time"),
        ("20261301", "not a date"),
        ("20260230120000", "not a date"),
        ("20260115240000", "not a date"),
        ("20260115083061", "second out of range"),
        ("00000101", "not a date"),
        ("20260115083000+1500", "offset out of range"),
        ("20260115083000+0575", "offset out of range"),
        ("²0260115083000", "not a time"),
        ("٢٠٢٦٠١١٥٠٨٣٠٠٠", "not a time"),
        ("20260115083000Z", "not a time"),
        ("00010101000000+1400", "not a date"),
    ],
)
def test_bad_dtm(text: str, reason: str) -> None:
    with pytest.raises(BadTime, match=f"^{reason}$"):
        parse_dtm(text, NEW_YORK)


@pytest.mark.parametrize(
    ("date", "time"), [("2026115", "08"), ("20260115", "8"), ("20260115", "2500"), ("x", ""), ("20260115", "530000")]
)
def test_bad_da_tm(date: str, time: str) -> None:
    with pytest.raises(BadTime):
        parse_da_tm(date, time, NEW_YORK)


ZONES = st.sampled_from(
    ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/London", "Asia/Kathmandu", "UTC"]
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(lambda moment: moment.replace(microsecond=0))


@given(MOMENTS, ZONES)
def test_an_instant_survives_writing_and_reading(instant: datetime, name: str) -> None:
    """Written in local time and read back it is the same instant, except in a repeated hour, where it is the first."""
    local = instant.replace(tzinfo=UTC).astimezone(ZoneInfo(name))
    stamp = parse_dtm(f"{local:%Y%m%d%H%M%S}", utc_zone(name, "facility"))
    assert stamp.at is not None
    if stamp.zone_source == "facility_fold":
        assert instant - stamp.at in (timedelta(0), timedelta(minutes=30), timedelta(hours=1))
    else:
        assert stamp.at == instant


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_exact(instant: datetime, minutes: int) -> None:
    local = instant + timedelta(minutes=minutes)
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    stamp = parse_dtm(f"{local:%Y%m%d%H%M%S}{offset}", NEW_YORK)
    assert (stamp.at, stamp.zone_source) == (instant, "offset")


@given(MOMENTS, ZONES)
def test_dicom_hl7_and_fhir_agree(local: datetime, name: str) -> None:
    zone = utc_zone(name, "facility")
    stamp = parse_dtm(f"{local:%Y%m%d%H%M%S}", zone)
    assert parse_da_tm(f"{local:%Y%m%d}", f"{local:%H%M%S}", zone) == stamp
    assert parse_fhir(f"{local:%Y-%m-%dT%H:%M:%S}", zone) == stamp


@given(st.text(alphabet="0123456789+-.:TZ ", max_size=30))
def test_any_text_is_a_time_or_a_bad_time(text: str) -> None:
    for parse in (parse_dtm, parse_fhir, lambda value, zone: parse_da_tm("20260115", value, zone)):
        try:
            stamp = parse(text, NEW_YORK)
        except BadTime:
            continue
        assert (stamp.at is None) == (stamp.precision in ("year", "month", "day"))


def test_zone_rules_are_the_pinned_ones() -> None:
    """Morocco gave up its extra hour on 2026-09-20; the machine may not know."""
    zone = utc_zone("Africa/Casablanca", "facility")
    assert [parse_dtm(f"2026{month}25120000", zone).at for month in ("08", "10")] == [
        at("2026-08-25T11:00:00"), at("2026-10-25T12:00:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["", "America", "America/Nowhere", "../tzdata/zones", "/etc/localtime", "America//Lima"]
)
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zone_info(name)
