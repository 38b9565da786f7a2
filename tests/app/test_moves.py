"""What moved a number in words: one sentence with its largest effects, each said the way it went."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from app import moves, words
from app.context import Context
from app.guard import Person
from app.sections import moved
from app.state import State
from sql.attribution import OTHERS
from sql.query import attribution
from sql.snapshot import Snapshot
from tests.snapshots import exam_row, snapshot_of

MARCH = "?since=2026-03-01&until=2026-04-01&compare=previous&metric=report_final&stat=p90"
NAMES = [{"facility": "NORTH", "facility_name": "Northgate"}, {"facility": "SOUTH", "facility_name": "Southfield"}]


def snapshot(folder: Path) -> Snapshot:
    """MR at SOUTH becomes slower, CT at NORTH comes more often."""
    exams = [
        exam_row(float(n), f"2026-0{month}-10", modality=modality, facility=facility)
        for month, modality, facility, first, last in (
            (2, "CT", "NORTH", 0, 40), (2, "MR", "SOUTH", 20, 60), (2, "US", "SOUTH", 0, 40),
            (3, "CT", "NORTH", 0, 40), (3, "CT", "NORTH", 0, 40), (3, "MR", "SOUTH", 80, 120),
            (3, "US", "SOUTH", 0, 40),
        )
        for n in range(first, last)
    ]  # fmt: skip
    return snapshot_of(folder, datetime(2026, 4, 15, 12), fct_exam=exams, dim_facility=NAMES)


def context(of: Snapshot, search: str = MARCH) -> Context:
    return Context(of, State.read(search, of.data_through), Person("test", sees_readers=True))


def told(asked: Context) -> str:
    whole = asked.compare("report_final", (), "p90")
    effects = asked.steps("report_final", ("facility", "modality"), "p90", most=2)
    return moves.sentence(asked, asked.chosen, "p90", whole, effects).replace(words.THIN, " ")


def test_the_sentence_names_what_moved_it(tmp_path: Path) -> None:
    asked = context(snapshot(tmp_path))
    said = told(asked)
    assert said.startswith("Exam end to final report (90 % within) rose by 56 min to 1 h 43: +60 min from slower MR")
    assert "; −3 min from fewer MR at Southfield; −1 min from everything else." in said


def test_without_a_comparison_nothing_is_said(tmp_path: Path) -> None:
    asked = context(snapshot(tmp_path), MARCH.replace("compare=previous", "compare=none"))
    assert told(asked) == ""
    assert "choose a period" in str(moved.cards(asked, asked.chosen))


def test_what_may_be_chance_is_said_to_be(tmp_path: Path) -> None:
    exams = [exam_row(float(n), f"2026-0{m}-10") for m, add in ((2, 0), (3, 2)) for n in range(add, 30 + add)]
    asked = context(snapshot_of(tmp_path, datetime(2026, 4, 15), fct_exam=exams))
    assert told(asked).endswith("may be chance.")


def test_groups_are_told_as_people_say_them(tmp_path: Path) -> None:
    asked = context(snapshot(tmp_path))
    assert moves.group_words(asked, "facility", "NORTH") == "Northgate"
    assert moves.group_words(asked, "facility | modality", "SOUTH | MR") == "MR at Southfield"
    assert moves.group_words(asked, "modality | hour", "CT | 23") == "CT, 23:00"
    assert moves.group_words(asked, "shift", "(none)") == "no shift"
    assert moves.group_words(asked, "device", OTHERS) == "the smaller groups"


@pytest.mark.parametrize(
    ("unit", "moved_by", "said"),
    [("min", 3.0, "slower CT"), ("min", -3.0, "faster CT"), ("share", 0.1, "higher in CT"),
     ("share", -0.1, "lower in CT")],
)  # fmt: skip
def test_rates_become_slower_or_higher(tmp_path: Path, unit: str, moved_by: float, said: str) -> None:
    row = {"effect": "rate", "moved": moved_by, "group_name": "modality", "group_value": "CT"}
    assert moves.effect(context(snapshot(tmp_path)), row, unit) == said


def test_the_grouping_is_chosen_in_the_address(tmp_path: Path) -> None:
    of = snapshot(tmp_path)
    assert moved.MOVED.ask(context(of))["group_name"][0] == "facility | modality"
    assert moved.MOVED.ask(context(of, MARCH + "&moved=modality"))["group_name"][0] == "modality"
    assert moved.MOVED.ask(context(of, MARCH + "&moved=moon"))["group_name"][0] == "facility | modality"
    hidden = Context(of, State.read(MARCH + "&moved=radiologist", of.data_through), Person("test"))
    assert moved.MOVED.ask(hidden)["group_name"][0] == "facility | modality"


def test_card_table_and_download_have_the_same_parts(tmp_path: Path) -> None:
    asked = context(snapshot(tmp_path))
    frame = moved.MOVED.ask(asked)
    assert frame["part"].sum() == pytest.approx(asked.compare("report_final", (), "p90")["delta"][0], abs=1e-9)
    assert moved.MOVED.csv_units(asked)["part"] == "min"
    shown = str(moved.cards(asked, asked.chosen))
    assert all(words.delta(part, "min").replace(words.THIN, "\\u202f") in shown for part in frame["part"])
    same = attribution(asked.snapshot, "report_final", by=("facility", "modality"), filters=asked.filters,
                       statistic="p90")  # fmt: skip
    assert same.equals(frame)


def test_a_maximum_has_no_such_section(tmp_path: Path) -> None:
    asked = context(snapshot(tmp_path), "?metric=freshness")
    assert moved.cards(asked, asked.chosen) == []
