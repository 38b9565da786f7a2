"""Facilities beside their peers on the page of a number: what is beyond chance, what cannot be known."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.sections import peers
from tests.app.test_moves import context
from tests.snapshots import exam_row, snapshot_of

SEARCH = "?since=2026-03-01&until=2026-04-01&metric=report_final&stat=mean"


def test_the_card_names_who_is_slower_at_the_same_mix(tmp_path: Path) -> None:
    exams = [exam_row(float(n + 90 * (facility == "NORTH")), f"2026-03-{n % 28 + 1:02d}", facility=facility)
             for facility in ("EAST", "NORTH") for n in range(56)]  # fmt: skip
    places = [{"facility": "NORTH", "facility_name": "Northgate"}]
    asked = context(snapshot_of(tmp_path, datetime(2026, 4, 15), fct_exam=exams, dim_facility=places), SEARCH)
    frame = peers.PEERS.ask(asked)
    assert frame["verdict"].to_list() == ["better", "worse"]
    shown = str(peers.cards(asked, asked.chosen))
    assert "Northgate" in shown
    assert "higher, beyond 99.8 %" in shown
    assert "lower, beyond 99.8 %" in shown
    assert peers.PEERS.csv_units(asked)["standardized"] == "min"


def test_one_facility_has_no_peers_and_a_count_no_mix(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, datetime(2026, 4, 15), fct_exam=[exam_row(5.0)])
    asked = context(snapshot, SEARCH)
    assert "no two facilities" in str(peers.cards(asked, asked.chosen))
    counts = context(snapshot, "?metric=reads")
    assert peers.cards(counts, counts.chosen) == []
