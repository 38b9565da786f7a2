"""One exam and its events: the same whatever is thought to be known of their time, in as few rows as that spares."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from sql.filters import Filters
from sql.noted import listening
from sql.query import exam, timeline
from sql.snapshot import Snapshot
from tests.snapshots import exam_row, snapshot_of

ENDED = datetime(2026, 3, 2, 23, 59, 59)
TIMES = [datetime(2026, 2, 1, 8), datetime(2026, 3, 2, 23), datetime(2026, 3, 3, 7), None]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Two exams; the first has an event of a month before, and one without a time."""
    rows = [exam_row(5.0, str(ENDED), exam_key="E1"), exam_row(9.0, "2026-03-09", exam_key="E2", facility="WEST")]
    events: list[dict[str, Any]] = [
        {"exam_key": "E1", "facility": "NORTH", "event_number": n, "at": at, "code": f"c{n}"}
        for n, at in reversed(list(enumerate(TIMES, 1)))
    ]
    events.append({"exam_key": "E2", "facility": "WEST", "event_number": 1, "at": ENDED, "code": "c1"})
    return snapshot_of(tmp_path, datetime(2026, 3, 31), fct_exam=rows, fct_exam_event=events)


@pytest.fixture
def asked(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that were asked."""
    told: list[str] = []
    honest = Snapshot._run

    def run(self: Snapshot, sql: str, *args: Any, **options: Any) -> Any:
        told.append(sql)
        return honest(self, sql, *args, **options)

    exam(snapshot, "E1")  # what is known of columns is asked once
    monkeypatch.setattr(Snapshot, "_run", run)
    return told


@pytest.mark.parametrize("day", [None, date(2026, 3, 2), date(2026, 3, 1), date(2026, 3, 3), date.min, date.max])
def test_an_exam_is_found_whatever_day_is_told(snapshot: Snapshot, day: date | None, asked: list[str]) -> None:
    found = exam(snapshot, "E1", day=day)
    assert found["exam_ended_local"].to_list() == [ENDED]
    assert_frame_equal(found, exam(snapshot, "E1"))
    if day == ENDED.date():
        assert len(asked) == 1
        assert "placed_local" in asked[0]
    assert exam(snapshot, "E3", day=day).is_empty()


@pytest.mark.parametrize(
    ("since", "n_asked"),
    [(None, 1), (TIMES[0], 1), (datetime(2025, 1, 1), 1), (TIMES[1], 2), (datetime(2027, 1, 1), 2), (datetime.min, 1)],
)
def test_all_events_are_found_in_order(
    snapshot: Snapshot, since: datetime | None, n_asked: int, asked: list[str]
) -> None:
    found = timeline(snapshot, "E1", since=since)
    assert found["event_number"].to_list() == [1, 2, 3, 4]
    assert found["at"].to_list() == TIMES
    assert len(asked) == n_asked
    assert_frame_equal(found, timeline(snapshot, "E1"))
    assert timeline(snapshot, "E3", since=since).is_empty()


def test_nobody_sees_what_the_scope_does_not_allow(snapshot: Snapshot) -> None:
    for scope, n in ((["WEST"], 0), (["NORTH"], 1), ([], 0)):
        filters = Filters(modality=("US",), since=date(2030, 1, 1)).within(scope)
        assert exam(snapshot, "E1", filters, ENDED.date()).height == n
        assert timeline(snapshot, "E1", filters, TIMES[0]).height == 4 * n


def test_they_are_not_asked_again_with_the_next_exam(snapshot: Snapshot) -> None:
    with listening() as calls:
        exam(snapshot, "E1", day=ENDED.date() + timedelta(days=1))
        timeline(snapshot, "E1")
    assert calls == []
