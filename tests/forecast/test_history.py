"""The history of the forecast from the events themselves, by hand. New York is UTC-5."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.warehouse import Warehouse, event, exam


def test_history_is_of_exams_that_count_by_the_facility_s_day(tmp_path: Path) -> None:
    """The first exam ends on Monday the second by its facility's clock, on the third by UTC."""
    house = Warehouse(tmp_path).built(
        *exam("A1", "2026-03-03 04:00", "2026-03-03 04:30"),
        *exam("A2", "2026-03-05 15:00", "2026-03-05 15:30", mrn="2"),
        *exam("A3", "2026-03-06 15:00", "2026-03-06 15:30", mrn="3"),
        event("discontinued", "2026-03-06 15:40", "A3", mrn="3"),
        event("arrived", "2026-03-09 15:00", "A4", mrn="4"),
    )
    assert house.row("SELECT first_day, last_day, n_days, n_exams, reason FROM dim_forecast") == (
        date(2026, 3, 2), date(2026, 3, 5), 7, 2, "short history",
    )  # fmt: skip
