"""Pages and packs of a scope say whose they are, in each language, where those of all say that they are of all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from app.context import Context
from app.guard import Person
from app.pages import BY_PATH
from app.state import State
from etl.home import Home
from etl.pack_documents import scope_of
from etl.pack_report import Told, document
from etl.scopes import home_of
from sql import query
from sql.definitions import definitions
from sql.filters import Filters
from sql.snapshot import Store
from sql.words import speaking
from tests.slow import slow


@pytest.mark.parametrize(("code", "everywhere", "only"), [
    ("en", "All facilities of Outpatient group", "Only Outpatient group."),
    pytest.param("de", "Alle Standorte von Outpatient group", "Nur Outpatient group.", marks=slow),
])  # fmt: skip
def test_pages_name_the_scope(scoped: Home, code: str, everywhere: str, only: str) -> None:
    """In tables, sentences and heads, wherever the whole snapshot's pages say that they are of all facilities."""
    plain = everywhere.partition(" of ")[0].partition(" von ")[0]
    with speaking(code):
        for home, is_whole in ((home_of(scoped, "outpatient"), False), (scoped, True)):
            snapshot = Store(home.published).current()
            context = Context(snapshot, State.read("", snapshot.data_through), Person("local", sees_readers=True))
            said = "".join(str(BY_PATH[path].render(context)) for path in ("/", "/live"))
            assert said.count(plain) >= 2
            assert said.count(everywhere) == (0 if is_whole else said.count(plain))
            assert (only in said) is not is_whole


def test_a_pack_names_the_scope(scoped: Home) -> None:
    snapshot = Store(home_of(scoped, "outpatient").published).current()
    scope = scope_of(snapshot)
    assert scope_of(Store(scoped.published).current()) == ""
    month = Filters(since=date(2026, 10, 1), until=date(2026, 11, 1), compare="previous")
    tables = {"scorecard": query.scorecard(snapshot, month)}
    told = Told(
        tables["scorecard"], pl.DataFrame(schema=dict.fromkeys(("side", "rank"), pl.String)),
        pl.DataFrame(schema={"measure": pl.String, "value": pl.Float64}), definitions(snapshot), date(2026, 10, 1),
        date(2026, 11, 1), date(2026, 9, 1), date(2026, 8, 1), snapshot.data_through, date(2026, 11, 1),
        (("Snapshot", snapshot.id),), scope=scope,
    )  # fmt: skip
    made = document(told)
    assert (made["title"], made["eyebrow"]) == (
        "Imaging report of Outpatient group, October 2026", "IMAGING REPORT OF OUTPATIENT GROUP",
    )  # fmt: skip
    assert made["scorecard"]["rows"][0]["name"] == "All facilities of Outpatient group"
    assert document(replace(told, scope=""))["title"] == "Imaging report, October 2026"
