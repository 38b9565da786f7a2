"""Counts at an instant are the same of the last hours as of all, and are told of these only where nothing is lost."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.asked import answer_key
from sql.bundle import Bundle
from sql.bundled import answers
from sql.catalog import Catalog
from sql.filters import Filters
from sql.lately import counted_lately
from sql.query import explain
from tests.snapshots import snapshot_of

BACKLOG = Catalog.load().metrics["backlog"]
ZONES = {"NORTH": "UTC", "EAST": "Pacific/Kiritimati", "WEST": "Pacific/Pago_Pago"}
THROUGH = datetime(2026, 3, 29, 10, 20)
NOW = Filters(since=date(2026, 3, 1), until=date(2026, 3, 30), compare="previous")
SETS = (((), "all"), (("facility",), "all"))


def hours(facility: str, first: datetime, last: datetime, n_past_target: int | None = 1) -> list[dict[str, Any]]:
    """An hour each from `first` to `last` UTC, on which ever more wait."""
    shift = {"NORTH": 0, "EAST": 14, "WEST": -11}[facility]
    place = {"facility": facility, "modality": "CT", "priority": "stat", "patient_class": "inpatient"}
    return [
        place | {"hour_at": at, "hour_local": at + timedelta(hours=shift), "is_first_pass": False,
                 "n_waiting": 3 + number, "n_past_target": n_past_target}
        for number in range(int((last - first) / timedelta(hours=1)) + 1)
        for at in [first + timedelta(hours=number)]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "last_of_north", "is_lately"),
    [
        (NOW, THROUGH, True),
        (NOW, THROUGH - timedelta(hours=9), True),  # 0 now
        (NOW, THROUGH - timedelta(days=5), False),  # 0 as well, of which the last days say nothing
        (NOW.replace(facility=("EAST", "WEST", "NOWHERE")), THROUGH - timedelta(days=5), True),
        (NOW.replace(facility=("EAST",), scope=("NORTH", "EAST")), THROUGH - timedelta(days=5), True),
        (NOW.replace(scope=("NORTH", "EAST")), THROUGH - timedelta(days=5), False),
        (NOW.replace(since=date(2026, 2, 20), until=date(2026, 3, 20)), THROUGH - timedelta(days=5), True),
        (NOW.replace(since=date(2026, 3, 28)), THROUGH, False),  # no longer than what would be read
        (NOW.replace(since=None), THROUGH, True),
        (NOW.replace(until=None, compare="none"), THROUGH, True),
        (Filters(), THROUGH, True),
        (Filters(), THROUGH - timedelta(days=5), False),
        (Filters(facility=("WEST",)), THROUGH, True),  # its first day is not that of all
        (Filters(modality=("MR",)), THROUGH, False),
        (NOW.replace(modality=("MR",)), THROUGH, False),
    ],
)
def test_the_last_hours_tell_what_all_tell(
    tmp_path: Path, filters: Filters, last_of_north: datetime, *, is_lately: bool
) -> None:
    first = datetime(2026, 1, 1, 1)
    rows = [*hours("NORTH", first, last_of_north.replace(minute=0)), *hours("EAST", first, THROUGH.replace(minute=0)),
            *hours("WEST", first, THROUGH.replace(minute=0), None)]  # fmt: skip
    snapshot = snapshot_of(tmp_path, THROUGH, fct_backlog_hour=rows,
                           dim_facility=[{"facility": name, "zone": zone} for name, zone in ZONES.items()])  # fmt: skip
    before = filters.before()
    slices = tuple(each.replace(compare="none") for each in (filters, before) if each is not None)
    bundle = Bundle(BACKLOG, SETS, ("waiting", "past_target"), slices)
    assert (counted_lately(snapshot, Bundle(BACKLOG, SETS, ("waiting",), slices)) is not None) is is_lately
    found = answers(snapshot, bundle)
    for asked in slices:
        for groups, period in SETS:
            for statistic in bundle.statistics:
                shown = explain(BACKLOG.id, groups=groups, statistic=statistic, filters=asked)
                told = found[answer_key(BACKLOG.id, groups, period, statistic, asked)]
                assert told.equals(snapshot.execute(shown.sql, shown.params)), (asked, groups, statistic)


def test_other_groups_periods_and_kinds_are_told_of_all_rows(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, THROUGH, dim_facility=[{"facility": "NORTH", "zone": "UTC"}])
    for metric, part in ((BACKLOG, (("modality",), "all")), (BACKLOG, ((), "week")),
                         (Catalog.load().metrics["report_final"], ((), "all"))):  # fmt: skip
        assert counted_lately(snapshot, Bundle(metric, (part,), (metric.statistic,), (NOW,))) is None
