"""Silence of senders by hand: against the data cut-off, and against each sender's own rhythm."""

from __future__ import annotations

from pathlib import Path

from tests.warehouse import Warehouse, event, exam

#: Sender -> days of January 2026 with events. The data end on the 30th, with NORTH's own RIS.
DAYS = {
    "WEEKLY": (2, 9, 16, 23),  # seven days since, as ever
    "DAILY": (20, 21, 22, 23),  # as long, but it came every day
    "YESTERDAY": (26, 27, 28, 29),  # one day is no silence
    "ONCE": (2,),  # no rhythm to tell
    "TWICE": (2, 3),  # one pause is none either
}


def test_a_sender_is_silent_by_its_own_rhythm(tmp_path: Path) -> None:
    told = [
        event("protocoled", f"2026-01-{day:02d} 15:00", f"{name}{day}", source=name)
        for name, days in DAYS.items()
        for day in days
    ]
    house = Warehouse(tmp_path).built(*told, *exam("A1", "2026-01-30 15:00", "2026-01-30 15:30"))
    assert house.rows("""
        SELECT source, silent_hours, longest_pause_days, is_silent, n_events_7d
        FROM dq_freshness ORDER BY source""") == [
        ("DAILY", 168.5, 1, True, 0),
        ("ONCE", 672.5, None, None, 0),
        ("RIS@NORTH", 0.0, None, None, 3),
        ("TWICE", 648.5, 1, None, 0),
        ("WEEKLY", 168.5, 7, False, 0),
        ("YESTERDAY", 24.5, 1, False, 4),
    ]
