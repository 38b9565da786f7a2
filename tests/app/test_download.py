"""Every chart and table as CSV: the same numbers as the query gives, safe for spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from flask.testing import FlaskClient

from app import answers
from app.context import Context
from app.pages import PAGES, QUESTIONS
from app.server import create_app
from app.state import State
from app.texts import text
from sql import query
from sql.snapshot import Store
from tests.app.conftest import LOCAL


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    return create_app(home / "published").server.test_client()


def parsed(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8"), newline="")))


def test_the_file_has_the_numbers_of_the_query(client: FlaskClient, store: Store) -> None:
    search = "?facility=NORTH&modality=CT"
    answer = client.get(f"/csv/overview.course.csv{search}")
    snapshot = store.current()
    filters = State.read(search, snapshot.data_through).filters
    frame = pl.concat(query.trend(snapshot, "report_final", period="day", groups=groups, filters=filters)
                      for groups in ((), ("facility",)))  # fmt: skip
    header, *rows = parsed(answer.data)
    assert header[:5] == ["period_start", "period_end", "group_name", "group_value", "n"]
    assert "value [min]" in header
    assert len(rows) == frame.height > 10
    place = header.index("value [min]")
    told, known = [row[place] for row in rows], frame["value"].to_list()  # a day on which nothing is finished has none
    assert [not value for value in told] == [value is None for value in known]
    assert [float(v) for v in told if v] == pytest.approx([v for v in known if v is not None], rel=1e-11)
    assert answer.headers["X-Radops-Snapshot"] == snapshot.id
    assert snapshot.id in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("question_id", sorted(QUESTIONS))
def test_every_question_gives_a_file(client: FlaskClient, question_id: str) -> None:
    answer = client.get(f"/csv/{question_id}.csv")
    assert answer.status_code == 200
    header, *_ = parsed(answer.data)
    assert len(header) > 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("search", ["", "?facility=NORTH&period=all", "?facility=NOWHERE", "?compare=none&stat=p90"])
def test_every_page_answers_in_every_state(store: Store, page: object, search: str) -> None:
    name, path = getattr(page, "name"), getattr(page, "path")  # noqa: B009
    answer = answers.page(store, LOCAL, path, search, "dark")
    assert answer.page.className == f"page-{name}"
    assert answer.title.endswith("radops")


def test_what_cannot_be_asked_is_said(client: FlaskClient, store: Store) -> None:
    assert client.get("/csv/no.such.csv").status_code == 404
    assert client.get("/csv/overview.course.csv?since=never").status_code == 400
    assert "since is not a date" in str(answers.page(store, LOCAL, "/", "?since=never", "light").page)
    nowhere, unread = (
        answers.page(store, LOCAL, "/nowhere", "", "light"),
        answers.page(store, LOCAL, "/", "?since=x", ""),
    )
    assert "no such page" in str(nowhere.page)
    assert nowhere.title == "There is no such page · radops"
    usual = [link.href for link in answers.page(store, LOCAL, "/", "", "light").nav]
    assert [link.href for link in nowhere.nav] == [link.href for link in unread.nav] == usual
    assert not any("on" in link.className.split() for link in nowhere.nav)


def test_no_exam_is_no_all_clear_and_says_nothing_of_completeness(store: Store) -> None:
    told = str(answers.page(store, LOCAL, "/", "?since=2020-01-01&until=2020-02-01", "light").page)
    assert text("overview.calm") not in told
    assert "In words" not in told
    assert "'n = 0'" in told
    assert "of values known" not in told


def test_before_the_first_snapshot_the_page_says_what_to_do(tmp_path: Path) -> None:
    client = create_app(tmp_path).server.test_client()
    assert client.get("/_dash-layout").status_code == 200
    assert client.get("/csv/overview.course.csv").status_code == 503
    assert "Nothing is published yet" in str(answers.page(Store(tmp_path), LOCAL, "/", "", "light").page)


def test_an_empty_answer_is_no_zero(store: Store) -> None:
    shown = str(answers.page(store, LOCAL, "/turnaround", "?facility=NOWHERE", "light").page)
    assert "No exams match" in shown
    assert "'0\u202fmin'" not in shown


def test_readers_stay_together_for_those_who_may_not_see_them(context: Context) -> None:
    apart = QUESTIONS["workload.readers"].ask(context)
    person = LOCAL.__class__("viewer")
    together = QUESTIONS["workload.readers"].ask(Context(context.snapshot, context.state, person))
    assert set(apart["group_name"].drop_nulls()) == {"radiologist"}
    assert set(together["group_name"].drop_nulls()) == {"facility"}
