"""Networks of dozens of facilities: what matters stands first, the rest is at a click, no two have one name."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.context import Context
from app.filterbar import options
from app.guard import Person
from app.naming import names
from app.pages import interoperability, live, repeats, utilization
from app.sections import now, peers, wall
from app.tables import MANY, MOST, Column, foremost, places
from tests.app.test_moves import context
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 4, 15)
COLUMNS = [Column("Name", lambda row: row["name"], is_text=True)]


def numbered(height: int) -> pl.DataFrame:
    return pl.DataFrame({"name": [f"<{n}>" for n in range(height)], "late": [n % 7 for n in range(height)]})


def named_in(made: Any) -> list[int]:
    return [int(name) for name in re.findall(r"<(\d+)>", str(made))]


def beyond(made: Any) -> int:
    return str(made).count("beyond")


def test_few_rows_keep_their_order_and_all_stand_open() -> None:
    made = places(numbered(MANY), COLUMNS, label="places", pressing=("late",))
    assert named_in(made) == list(range(MANY))
    assert beyond(made) == 0
    assert "All" not in str(made)


def test_of_many_the_pressing_stand_first_and_the_rest_is_at_a_click() -> None:
    made = places(numbered(60), COLUMNS, label="places", pressing=("late",))
    shown = named_in(made)
    assert sorted(shown) == list(range(60))
    assert [n % 7 for n in shown] == sorted((n % 7 for n in range(60)), reverse=True)
    assert shown[:3] == [6, 13, 20]  # alike: as they were
    assert beyond(made) == 60 - MANY
    assert "All 60 rows" in str(made)


def test_of_hundreds_it_is_said_what_only_the_file_has() -> None:
    made = str(places(numbered(MOST + 31), COLUMNS, label="places"))
    assert "First 100 rows" in made
    assert "31 more in the CSV file" in made


def test_what_is_not_known_is_not_pressing() -> None:
    frame = pl.DataFrame({"late": [None, *range(MANY)]})
    assert foremost(frame, ("late",))["late"].to_list() == [*reversed(range(MANY)), None]


def test_devices_with_one_name_are_told_apart(tmp_path: Path) -> None:
    called = {"E1": "MR 1", "W1": "MR 1", "W2": "CT 1"}
    devices = [{"device": device, "device_name": name} for device, name in called.items()]
    exams = [exam_row(5.0, device=device) for device in called]
    snapshot = snapshot_of(tmp_path, THROUGH, fct_exam=exams, dim_device=devices)
    assert names(snapshot, "device") == {"E1": "MR 1 (E1)", "W1": "MR 1 (W1)", "W2": "CT 1"}
    assert names(snapshot, "modality") == {}
    assert context(snapshot, "").name("device", "W1") == "MR 1 (W1)"
    offered = {
        one["value"]: one["label"] for one in options(snapshot, Person("root", None, sees_readers=True))["device"]
    }
    assert offered == names(snapshot, "device")


def busy(device: str, hours: float, begin: int = 8) -> dict[str, Any]:
    at = datetime(2026, 4, 14, begin)
    return {"device": device, "facility": "NORTH", "modality": "CT", "busy_started_at": at, "busy_started_local": at,
            "busy_ended_at": at + timedelta(hours=hours), "n_exams": 1, "is_turnover": False}  # fmt: skip


def test_a_day_draws_the_devices_that_were_busy_longest(tmp_path: Path) -> None:
    rows = [busy(f"D{n:02d}", 1 + n / 100) for n in range(utilization.DRAWN + 5)] + [busy("D00", 6, 12)]
    asked = context(snapshot_of(tmp_path, THROUGH, fct_device_busy=rows), "?day=2026-04-14")
    drawn = utilization.busiest(utilization.GANTT.ask(asked), utilization.DRAWN)
    assert drawn == ["D00", *(f"D{n:02d}" for n in range(6, utilization.DRAWN + 5))]
    card = str(utilization._gantt_card(asked))
    assert f"The {utilization.DRAWN} busiest of {utilization.DRAWN + 5} devices" in card
    assert "D03" not in card
    assert "D44" in card


@pytest.mark.parametrize("sites", [repeats.CROSSED, repeats.CROSSED + 6])
def test_pairs_of_few_facilities_are_a_matrix_of_many_a_list(tmp_path: Path, sites: int) -> None:
    known = pl.DataFrame([{"prior_facility": f"S{n:02d}", "facility": "S00", "n": 1 + (n == 1), "href": "/exams"}
                          for n in range(1, sites)])  # fmt: skip
    made = repeats._pairs(context(snapshot_of(tmp_path, THROUGH), ""), known.reverse())
    if sites == repeats.CROSSED:
        assert "heatmap" in str(made)
    else:
        assert re.findall(r"S\d\d", str(made))[:2] == ["S01", "S00"]
        assert f"{sites - 1 - 10} more in the CSV file" in str(made)


def many_sites(tmp_path: Path, search: str) -> Context:
    """Thirty facilities of which those of higher number are slower."""
    exams = [exam_row(float(n + 3 * site), f"2026-03-{n % 28 + 1:02d}", facility=f"S{site:02d}")
             for site in range(30) for n in range(56)]  # fmt: skip
    search = "?since=2026-03-01&until=2026-04-01&metric=report_final&stat=mean" + search
    return context(snapshot_of(tmp_path, THROUGH, fct_exam=exams), search)


def test_the_peers_drawn_are_those_furthest_from_all_and_those_chosen(tmp_path: Path) -> None:
    asked = many_sites(tmp_path, "&facility=S15")
    [card] = peers.cards(asked, asked.chosen)
    assert f"Drawn: {peers.DRAWN} of 30 facilities" in str(card)
    rows = re.findall(r"Link\(children='(S\d\d)'", str(card))
    assert rows[0] == "S15"
    assert {*rows[1:5]} == {"S00", "S01", "S28", "S29"}


def test_a_line_names_a_few_facilities_that_do_not_tell(tmp_path: Path) -> None:
    asked = context(snapshot_of(tmp_path, THROUGH), "")
    silent = pl.DataFrame({"facility": [f"S{n:02d}" for n in range(30)]}).with_columns(n_waiting=pl.lit(None, pl.Int64))
    told = live._patients(asked, {"longest_waiting_min": None}, silent, "waiting")
    assert told == "not told by S00, S01, S02, S03, S04 and 25 more"


def test_a_matrix_of_now_puts_the_late_first(tmp_path: Path) -> None:
    asked = context(snapshot_of(tmp_path, THROUGH), "")
    counts = dict.fromkeys(("n_waiting", "n_in_exam", "n_unread"), 1)
    frame = pl.DataFrame([{"facility": f"S{n:02d}", "modality": kind, "n_over": n, **counts}
                          for n in range(30) for kind in ("CT", "MR")])  # fmt: skip
    made = str(now.matrix(asked, frame, "now"))
    order = list(dict.fromkeys(re.findall(r"Th\(children='(S\d\d)'", made)))
    assert order == [f"S{n:02d}" for n in reversed(range(30))]
    assert beyond(made) == 30 - MANY


def test_links_that_are_missing_stand_first(tmp_path: Path) -> None:
    links = [{"facility": f"S{site:02d}", "link": "order", "n_exams": 40, "n_linked": 0 if site == 29 else 40,
              "n_exams_7d": 40, "n_linked_7d": 0 if site == 17 else 40} for site in range(30)]  # fmt: skip
    made = str(interoperability._links_table(context(snapshot_of(tmp_path, THROUGH, dq_system_link=links), "")))
    order = list(dict.fromkeys(re.findall(r"S\d\d", made)))
    assert order[:3] == ["S17", "S29", "S00"]
    assert made.count("missing") == made.count("stopped") == 1


def test_a_number_that_is_too_long_for_the_wall_is_written_smaller() -> None:
    assert "'wall-number'" in str(wall._number("n_unread", 9_999, ""))
    assert "'wall-number long'" in str(wall._number("n_unread", 117_083, ""))
