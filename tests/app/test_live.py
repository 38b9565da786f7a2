"""The page Live as it is made: what it says, what it leads to, and how old the data are told to be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from plotly.utils import PlotlyJSONEncoder

from app import answers, shell, words
from app.answers import QUESTIONS
from app.context import Context
from app.freshness import STALE_MIN, age
from app.pages import live
from app.server import create_app
from app.state import State
from sql import query
from sql.csv_text import to_csv
from sql.filters import Filters
from sql.snapshot import Store
from tests.app.boards import UNREAD, exams, publish
from tests.app.conftest import LOCAL
from tests.snapshots import snapshot_of
from tests.sql.test_live import NOW, ago, exam


def shown(context: Context, search: str = "") -> str:
    state = State.read(search, context.snapshot.data_through)
    return json.dumps(live.render(replace(context, state=state)), cls=PlotlyJSONEncoder)


@pytest.fixture
def board(tmp_path: Path) -> Context:
    """The page over a board by hand."""
    publish(tmp_path, exams(), 1)
    store = Store(tmp_path)
    snapshot = store.current()
    return Context(snapshot, State.read("", snapshot.data_through), LOCAL, store=store)


def test_headline_numbers_are_those_of_the_list(board: Context) -> None:
    context = board
    row = live.NOW.ask(context).row(0, named=True)
    listed = live.LIST.ask(context)
    assert row["n"] == listed.height == UNREAD + 7
    assert row["n_unread"] == (listed["stage"] == "unread").sum() == UNREAD + 5
    for name in ("all", "over", "soon", "unread", "in_exam", "waiting"):
        state = State.read(f"?show={name}", context.snapshot.data_through)
        one = live.LIST.ask(replace(context, state=state))
        assert one.height == row["n" if name == "all" else f"n_{name}"]
    sites = live.FACILITIES.ask(context)
    cells = live.MATRIX.ask(context)
    for name in ("n_unread", "n_over", "n_left", "n_no_read", "n_soon"):
        assert sites[name].sum() == cells[name].sum() == row[name]
    assert live.AGES.ask(context)["n"].sum() == row["n_unread"]
    assert live.FATES.ask(context)["n"].sum() == query.counts(context.snapshot, "fct_exam", by=())["n"][0]


def test_the_page_tells_its_instant_its_evidence_and_leads_on(board: Context) -> None:
    context = board
    page = shown(context)
    row = live.NOW.ask(context).row(0, named=True)
    assert json.dumps(words.count(row["n_unread"]))[1:-1] in page
    assert context.snapshot.id in page
    assert "not asked about: final report there" in page
    assert "/metric?metric=backlog" in page
    first = live.LIST.ask(context)["exam_key"][0]
    assert f"/exam?exam={first}" in page
    left = live.LIST.ask(context).height - live.now.ROWS
    assert left > 0
    assert f"{left} more in the CSV file" in page
    assert "accession" not in page
    assert all(question.id in QUESTIONS for question in live.QUESTIONS)
    assert b"left_min [min]" in to_csv(live.LIST.ask(context), units=live.LIST.csv_units(context)).split(b"\r\n")[0]


def test_dates_change_nothing_and_other_filters_do(board: Context) -> None:
    context = board
    everything = live.NOW.ask(context).row(0)
    for search, is_same in (("?since=1999-01-01&until=1999-02-01", True), ("?period=all&radiologist=x", True),
                            ("?modality=CT", False)):  # fmt: skip
        state = State.read(search, context.snapshot.data_through)
        assert (live.NOW.ask(replace(context, state=state)).row(0) == everything) is is_same
    assert "Not filtered by radiologist" in shown(context, "?radiologist=x")
    assert "Modality CT." in shown(context, "?modality=CT")


def test_nothing_open_is_said(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, NOW, fct_exam=[exam("a", exam_ended=ago(days=2), first_final=ago(days=1))])
    page = shown(Context(snapshot, State(Filters()), LOCAL))
    assert page.count("No exams match") == 3
    assert "None is past its target." in page


def test_words_say_what_is_next_and_what_is_late(board: Context) -> None:
    page = shown(board)
    assert words.minutes(5) in (said := json.loads(f'"{_between(page, "Next: ", ".")}"'))
    assert said.startswith("Due in five, stat, inpatient, at North Hospital, due in")
    assert "3 past their target" in page
    assert "As of 20 Mar 2026 08:00 EDT (12:00 UTC)" in page


def _between(told: str, start: str, end: str) -> str:
    return told.split(start, 1)[1].split(end, 1)[0]


def test_what_is_not_told_has_no_number(tmp_path: Path) -> None:
    row = exam("a", exam_ended=ago(days=2), first_final=ago(days=1), exam_started_source="image", facility="SILENT")
    snapshot = snapshot_of(tmp_path, NOW, fct_exam=[row, exam("b", arrived=ago(minutes=9))])
    page = shown(Context(snapshot, State(Filters()), LOCAL))
    assert "not told by SILENT" in page
    assert "not known, which is not zero" in page


def test_the_wall_has_neither_controls_nor_more_rows_than_fit(board: Context) -> None:
    wall = live.render(replace(board, state=State.read("?wall=1&facility=NORTH", board.snapshot.data_through)))
    page = json.dumps(wall, cls=PlotlyJSONEncoder)
    assert wall.className == "wall"
    assert "wall-leave" in page
    assert '"/live?facility=NORTH"' in page
    assert "table" not in page
    assert page.count('"data-exam"') == live.wall.ROWS + 2
    assert page.count("N-CT9") == 1  # the device, where all are at one facility
    everywhere = live.render(replace(board, state=State.read("?wall=1", board.snapshot.data_through)))
    assert "N-CT9" not in json.dumps(everywhere, cls=PlotlyJSONEncoder)
    assert "> over" not in page


def test_the_age_is_the_servers_and_marks_what_is_stale(home: Path, store: Store) -> None:
    snapshot = store.current()
    through = snapshot.data_through
    assert age(snapshot, through + timedelta(minutes=7)) == (words.minutes(7), False)
    assert not age(snapshot, through + timedelta(minutes=STALE_MIN)).is_stale
    assert age(snapshot, through + timedelta(minutes=STALE_MIN + 1)).is_stale
    assert age(snapshot, through - timedelta(hours=3)) == (words.minutes(0), False)
    answer = create_app(home / "published").server.test_client().get("/snapshot")
    assert answer.get_data(as_text=True) == snapshot.id
    assert json.loads(answer.headers["X-Radops-Age"]) == age(snapshot).told
    assert answer.headers["X-Radops-Stale"] == "1"


def test_only_this_page_looks_often(context: Context) -> None:
    looks = {path: answers.shown(context, path).look_every for path in ("/live", "/", "/definitions")}
    assert looks == {"/live": live.LOOK_EVERY, "/": shell.LOOK_EVERY, "/definitions": shell.LOOK_EVERY}
    assert live.LOOK_EVERY <= 3000


def test_before_the_first_publish_no_age_is_told(tmp_path: Path) -> None:
    answer = create_app(tmp_path).server.test_client().get("/snapshot")
    assert (answer.status_code, answer.data) == (200, b"")
    assert "X-Radops-Age" not in answer.headers
