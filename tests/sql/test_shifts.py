"""Parts of the hour in which one shift works."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sql.bundle import Bundle
from sql.bundled import answers
from sql.catalog import Catalog
from sql.filters import Filters
from sql.query import explain
from sql.shifts import shift_step, with_step
from sql.snapshot import Snapshot
from tests.snapshots import snapshot_of

THROUGH = datetime(2026, 3, 9)
READS = Catalog.load().metrics["reads"]
CLOCK = (("shift",), ("weekday", "hour"))


def with_shifts(folder: Path, begins: Iterable[int], minutes: int = 10_080) -> Snapshot:
    """A snapshot in which another shift begins at some minutes of each day, and a read every 7 minutes of a week."""
    shifts = [{"minute_of_week": m, "shift": f"from {max((b for b in begins if b <= m % 1440), default=None)}"}
              for m in range(minutes)]  # fmt: skip
    reads = [{"exam_key": f"e{n}", "role": "final", "read_local": THROUGH - timedelta(minutes=7 * n + 1)}
             for n in range(1_440)]  # fmt: skip
    folder.mkdir(exist_ok=True)
    return snapshot_of(folder, THROUGH, fct_read=reads, dim_shift=shifts)


@pytest.mark.parametrize(("begins", "step"), [
    ((0, 480, 960), 60), ((450, 1_020), 30), ((465, 1_380), 15), ((424,), 4), ((421, 960), 1), ((), 60),
])  # fmt: skip
def test_parts_are_as_long_as_shifts_allow(tmp_path: Path, begins: tuple[int, ...], step: int) -> None:
    snapshot = with_shifts(tmp_path, begins)
    assert shift_step(snapshot) == step
    bundle = Bundle(READS, tuple((groups, "all") for groups in CLOCK), ("final",), (Filters(),))
    assert with_step(snapshot, bundle).step == step
    for groups, told in zip(CLOCK, answers(snapshot, bundle).values(), strict=True):
        shown = explain("reads", groups=groups)
        assert told.equals(snapshot.execute(shown.sql, shown.params))


def test_minutes_that_are_not_told_of_have_no_shift(tmp_path: Path) -> None:
    assert shift_step(with_shifts(tmp_path / "some", (480,), minutes=10_000)) == 1
    assert shift_step(with_shifts(tmp_path / "none", (480,), minutes=0)) == 1


def test_nothing_is_looked_up_where_no_shift_is_asked_for(tmp_path: Path) -> None:
    bundle = Bundle(READS, ((("hour",), "all"),), ("final",), (Filters(),))
    assert with_step(with_shifts(tmp_path, (480,)), bundle) is bundle
