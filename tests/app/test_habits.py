"""A page asks at once what it asked the last time, and shows the same as without."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from app import answers, habits
from app.context import Context
from app.habits import Habits
from app.pages import PAGES
from app.state import State
from sql.noted import Call
from sql.snapshot import Snapshot, Store
from tests.app.conftest import LOCAL

#: Components of Dash on a page.
MOST = 2_000
SEARCHES = ("", "period=all&compare=previous", "since=2026-01-01&until=2026-03-01&modality=CT&compare=year")


def page_of(published: Path, path: str, search: str) -> str:
    """The page as it is sent, of a store of which nothing was asked yet."""
    store = Store(published)
    snapshot = store.current()
    context = Context(snapshot, State.read(search, snapshot.data_through), LOCAL, store=store)
    return str(to_json_plotly(answers.shown(context, path).page))


@pytest.mark.parametrize("path", sorted({page.path for page in PAGES}))
def test_a_page_is_the_same_with_and_without(
    home: Path, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each state by itself, and then with the habits of another."""
    alone = {}
    for search in SEARCHES:
        monkeypatch.setattr(answers, "HABITS", Habits())
        alone[search] = page_of(home / "published", path, search)
        n_components = alone[search].count('"namespace":')
        assert 0 < n_components < MOST, (
            f"{n_components}: every one wakes at each turn of Dash's store (`app.dom.drawn`)"
        )
    assert {search: page_of(home / "published", path, search) for search in SEARCHES} == alone
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize("then", ["modality=CT", "since=2025-12-01&until=2026-03-01&compare=previous"])
def test_numbers_are_asked_together(home: Path, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the courses are by week, after days."""
    asked: list[str] = []
    execute = Snapshot.execute

    def counted(snapshot: Snapshot, sql: str, params: Any = None, **options: Any) -> Any:
        asked.append(sql)
        return execute(snapshot, sql, params, **options)

    monkeypatch.setattr(answers, "HABITS", Habits())
    monkeypatch.setattr(Snapshot, "execute", counted)
    page_of(home / "published", "/turnaround", "")
    alone = sum("AS slice" in sql for sql in asked)
    asked.clear()
    page_of(home / "published", "/turnaround", then)
    together = sum("AS slice" in sql for sql in asked)
    assert (alone > 20, together) == (True, 2)


def test_what_other_dates_or_facilities_tell_is_foreseen_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chart that looks further back, and all facilities beside the one shown: only marks are asked on the way."""
    monkeypatch.setattr(answers, "HABITS", Habits())
    page_of(home / "published", "/metric", "")
    asked: list[Hashable] = []
    run, foreseen = Snapshot._run, habits.ask_all

    def ran(snapshot: Snapshot, sql: str, *rest: Any, **options: Any) -> Any:
        asked.append(sql)
        return run(snapshot, sql, *rest, **options)

    def all_at_once(snapshot: Snapshot, calls: list[Call]) -> list[BaseException]:
        errors = foreseen(snapshot, calls)
        asked.clear()
        return errors

    monkeypatch.setattr(Snapshot, "_run", ran)
    monkeypatch.setattr(habits, "ask_all", all_at_once)
    page_of(home / "published", "/metric", "facility=NORTH&since=2026-01-01&until=2026-03-01&compare=previous")
    assert not [sql for sql in asked if "AS slice" in sql or "WITH picked" in sql]
