"""An exam's page: the same whatever a link tells of its day, and every link in a list tells the right one."""

from __future__ import annotations

import json
import re

import pytest
from polars.testing import assert_frame_equal

from app.context import Context
from app.gate import Gate
from app.pages import exam as page
from app.pages import exams, live
from app.state import State
from app.views import Views
from sql.snapshot import Store
from tests.app.conftest import LOCAL

_LINK = re.compile(r"/exam\?exam=([^&\"]+)(?:&day=(\d{4}-\d\d-\d\d))?")


def _context(context: Context, search: str) -> Context:
    return Context(context.snapshot, State.read(search, context.snapshot.data_through), LOCAL)


def _links(store: Store, path: str, search: str) -> list[tuple[str, str]]:
    shown = json.loads(Views(store, Gate(2, 8, 30.0)).view(LOCAL, path, search, "light", {}).raw())
    return _LINK.findall(json.dumps(shown))


def test_links_of_the_list_tell_the_day(store: Store, context: Context) -> None:
    links = _links(store, "/exams", "period=all&show=all")
    listed = exams.LIST.ask(_context(context, "period=all&show=all"))
    assert {key for key, _ in links} <= set(listed["exam_key"])
    found = {key: day for key, day in links if day}
    assert found
    for key, day in found.items():
        told = _context(context, f"exam={key}&day={day}")
        assert str(page.FACTS.ask(told)["placed_local"].dt.date().item()) == day


def test_links_of_who_waits_lead_to_an_exam(store: Store, context: Context) -> None:
    links = _links(store, "/live", "")
    assert {key for key, _ in links} == set(live.LIST.ask(context)["exam_key"][: live.now.ROWS])
    for key, day in links:
        assert page.FACTS.ask(_context(context, f"exam={key}&day={day}"))["exam_key"].to_list() == [key]


@pytest.mark.parametrize("day", ["2026-01-01", "0001-01-01", "9999-12-31", "nonsense", ""])
def test_a_page_is_the_same_whatever_day_is_told(context: Context, day: str) -> None:
    listed = exams.LIST.ask(_context(context, "period=all"))
    key, right = listed["exam_key"][0], str(listed["exam_ended_local"][0].date())
    told, known = _context(context, f"exam={key}&day={day}"), _context(context, f"exam={key}&day={right}")
    for question in page.QUESTIONS:
        assert not question.ask(told).is_empty()
        assert_frame_equal(question.ask(told), question.ask(known))
    assert page.EVENTS.ask(told)["event_number"][0] == 1
