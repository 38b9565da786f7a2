"""What a team keeps as pages show it and persons write it: guarded, in scope, as text, and where it belongs."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from flask.testing import FlaskClient

from app.figures.base import figure
from app.figures.pins import Pin, pinned, span
from app.figures.trend import Line, trend
from app.guard import Person
from app.server import create_app
from app.texts import TEXTS
from etl.mail import PROBLEMS
from sql.adhoc import MAX_STATEMENT
from sql.filters import Filters
from sql.team import digests, notes, saved
from sql.team.store import Team
from tests.app.conftest import drawn

EAST = Person("east", facilities=("EAST",))
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def published(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The snapshots of the session's home under a home of their own."""
    made = tmp_path_factory.mktemp("noted") / "published"
    made.symlink_to(home / "published", target_is_directory=True)
    return made


@pytest.fixture(scope="module")
def client(published: Path) -> FlaskClient:
    return create_app(published).server.test_client()


@pytest.fixture(scope="module")
def east(published: Path) -> FlaskClient:
    """A client of whoever may see one facility."""
    return create_app(published, sign=lambda _: EAST).server.test_client()


@pytest.fixture(autouse=True)
def team(published: Path) -> Team:
    """The store of the team, which has written nothing yet."""
    made = Team.beside(published)
    made.path.unlink(missing_ok=True)
    return made


def view(client: FlaskClient, path: str, search: str = "") -> Any:
    answer = client.get(f"/view{path}?{search}")
    assert answer.status_code == 200
    return answer.get_json()


def write(client: FlaskClient, path: str = "note", **asked: Any) -> tuple[int, str]:
    usual = {"since": "2026-03-10", "text": "New MR 3 opened", "query": "facility=NORTH"}
    answer = client.post(f"/team/{path}", json={**usual, **asked})
    return answer.status_code, answer.get_json().get("problem", "")


def shows(client: FlaskClient, told: str, path: str = "/turnaround", search: str = "") -> bool:
    return told in json.dumps(view(client, path, f"period=all&{search}"))


def test_a_note_stands_on_all_and_on_its_own_facility(client: FlaskClient) -> None:
    assert not shows(client, "New MR 3")
    assert write(client) == (200, "")
    for path in ("/turnaround", "/utilization", "/repeats", "/workload", "/metric", "/team"):
        assert shows(client, "New MR 3", path), path
    assert shows(client, "New MR 3", search="facility=NORTH")
    assert not shows(client, "New MR 3", search="facility=SOUTH")
    assert shows(client, "New MR 3", search="facility=SOUTH&facility=NORTH")
    assert not shows(client, "New MR 3", search="since=2026-01-01&until=2026-03-10")


def test_a_note_is_changed_and_withdrawn(client: FlaskClient, team: Team) -> None:
    write(client)
    (made,) = notes.newest(team)
    assert write(client, id=made.id, version=1, text="It opened at noon", last="2026-03-12")[0] == 200
    assert not shows(client, "New MR 3")
    assert shows(client, "It opened at noon")
    assert shows(client, "New MR 3", "/team")  # its history
    status, told = write(client, id=made.id, version=1, text="late")
    assert status == 409
    assert "meanwhile" in told
    assert write(client, "note/withdraw", id=made.id, version=2)[0] == 200
    assert not shows(client, "It opened at noon")
    assert notes.newest(team)[0].author == "local"


@pytest.mark.parametrize(
    "asked",
    [{"text": ""}, {"text": "x" * 281}, {"since": "soon"}, {"since": None}, {"last": "2026-03-01"},
     {"query": "since=never"}, {"id": "0" * 16, "version": 1}, {"id": 7, "version": 1}],
)  # fmt: skip
def test_what_cannot_be_kept_is_said(client: FlaskClient, team: Team, asked: dict[str, Any]) -> None:
    status, told = write(client, **asked)
    assert status == 409
    assert told
    assert notes.newest(team) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"x" * 800_000])
def test_bodies_that_are_no_note(client: FlaskClient, body: bytes) -> None:
    assert client.post("/team/note", data=body).status_code in (400, 409)


def test_only_our_own_page_may_write(client: FlaskClient, team: Team) -> None:
    asked = {"since": "2026-03-10", "text": "x", "query": ""}
    answer = client.post("/team/note", json=asked, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert notes.newest(team) == []


def test_a_scope_holds_for_reading_and_writing(client: FlaskClient, east: FlaskClient, team: Team) -> None:
    write(client, text="for the north")
    write(client, text="for everybody", query="")
    assert not shows(east, "for the north")
    assert not shows(east, "for the north", "/team")
    assert shows(east, "for everybody")
    assert "north" not in east.get("/csv/team.notes.csv").get_data(as_text=True)
    north = next(note for note in notes.newest(team) if note.text == "for the north")
    assert write(east, id=north.id, version=1, query="facility=EAST") == write(east, id="0" * 16, version=1, query="")
    assert write(east, "note/withdraw", id=north.id, version=1)[0] == 409
    assert write(east, query="facility=NORTH")[0] == 409
    assert write(east, query="radiologist=R1")[0] == 409
    assert write(east, query="modality=MR", text="ours")[0] == 200
    ours = next(note for note in notes.newest(team) if note.text == "ours")
    assert ours.filters == Filters(facility=("EAST",), modality=("MR",))


def test_texts_stay_text(client: FlaskClient) -> None:
    write(client, text=HOSTILE)
    write(client, text="=HYPERLINK(1)")
    page = view(client, "/turnaround", "period=all")
    tips = [note["hovertext"] for note in figure_notes(page)]
    assert any("&lt;img" in tip for tip in tips)
    assert not any("<img" in tip for tip in tips)
    rows = client.get("/csv/team.notes.csv").get_data(as_text=True)
    assert "'=HYPERLINK(1)" in rows
    assert '"<img src=x onerror=""alert(1)"">"' in rows


def figure_notes(part: Any) -> list[dict[str, Any]]:
    """Notes on the figures of a page."""
    if isinstance(part, list):
        return [note for one in part for note in figure_notes(one)]
    if not isinstance(part, dict):
        return []
    if "annotations" in part:
        return [note for note in part["annotations"] if "hovertext" in note]
    return [note for one in part.values() for note in figure_notes(one)]


def test_marks_of_notes_are_numbered_and_never_outside() -> None:
    days = [date(2026, 3, number) for number in (2, 9, 16)]
    frame = pl.DataFrame({"period_start": days, "value": [1.0, 2.0, 3.0], "lower": [None] * 3, "upper": [None] * 3,
                          "n": [9, 9, 9], "is_partial": [False] * 3},
                         schema_overrides={"lower": pl.Float64, "upper": pl.Float64})  # fmt: skip
    pins = [Pin(1, date(2026, 2, 1), date(2026, 3, 4), "before"), Pin(2, date(2026, 3, 5), date(2026, 3, 5), "a<b"),
            Pin(3, date(2026, 3, 20), date(2026, 4, 9), "after")]  # fmt: skip
    made = drawn(trend([Line("x", frame)], "light", unit="min", y="", pins=pins))
    marks = [note for note in made.layout.annotations if note.hovertext]
    assert [note.text for note in marks] == ["1", "2", "3"]
    assert [note.x for note in marks] == [date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 20)]
    low, high = made.layout.xaxis.range
    assert low < date(2026, 3, 2)
    assert high > date(2026, 3, 20)
    bands = [shape for shape in made.layout.shapes if shape.type == "rect"]
    assert [(band.x0, band.x1) for band in bands] == [(date(2026, 3, 2), date(2026, 3, 4))]


def test_a_figure_without_notes_stays_as_it_is() -> None:
    made, same = figure(), figure()
    pinned(made, [], "light", (date(2026, 3, 1), date(2026, 3, 2)))
    assert made.layout == same.layout
    assert span(date(2026, 3, 1), date(2026, 3, 1)) == "1 Mar 2026"
    assert span(date(2026, 3, 1), date(2026, 3, 2)) == "1 Mar 2026 – 2 Mar 2026"


def views(client: FlaskClient) -> list[dict[str, Any]]:
    answer = client.get("/team/views")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return list(answer.get_json()["views"])


def keep(client: FlaskClient, name: str = "MR", *, is_shared: bool = True, **page: Any) -> tuple[int, str]:
    usual = {"path": "/turnaround", "query": "facility=NORTH&modality=MR"}
    answer = client.post("/team/view", json={**(page or usual), "name": name, "is_shared": is_shared})
    return answer.status_code, answer.get_json().get("problem", "")


def test_a_view_is_kept_as_the_page_reads_it(client: FlaskClient) -> None:
    query = "modality=MR&facility=NORTH&nonsense=1&stat=p50"
    assert keep(client, "  MR at\nNorthgate ", path="/turnaround", query=query)[0] == 200
    assert keep(client, "All", is_shared=False, path="/", query="period=all")[0] == 200
    assert keep(client, "Sums", statement="SELECT 1 -- é #")[0] == 200
    assert [(one["name"], one["href"], one["by"]) for one in views(client)] == [
        ("All", "/?period=all", "yours, private"),
        ("MR at Northgate", "/turnaround?facility=NORTH&modality=MR&stat=p50", "yours, shared"),
        ("Sums", "/sql#s=SELECT%201%20--%20%C3%A9%20%23", "yours, shared"),
    ]
    page = json.dumps(view(client, "/team"))
    assert "MR at Northgate" in page
    assert "SELECT 1" in client.get("/csv/team.views.csv").get_data(as_text=True)


@pytest.mark.parametrize(
    "page",
    [{"path": "https://elsewhere.example", "query": ""}, {"path": "//elsewhere", "query": ""},
     {"path": "/nowhere", "query": ""}, {"path": "/", "query": "since=never"}, {"path": "/", "query": 7},
     {"path": "/", "query": "metric=none"}, {"path": ["/"], "query": ""}, {"statement": ["x"]},
     {"statement": "x" * (saved.STATEMENT_SIGNS + 1)}],
)  # fmt: skip
def test_views_that_are_refused(client: FlaskClient, page: dict[str, Any]) -> None:
    status, told = keep(client, **page)
    assert status in (400, 409)
    assert told
    assert views(client) == []
    assert keep(client, "")[0] == 409
    assert keep(client, "x" * 81)[0] == 409


def test_shared_views_tell_of_nothing_that_one_may_not_see(client: FlaskClient, east: FlaskClient) -> None:
    keep(client, "of the north")
    keep(client, "of everything", path="/", query="")
    keep(client, "private", is_shared=False, path="/", query="")
    keep(client, "a reader", path="/workload", query="radiologist=R1")
    keep(client, "a statement", statement="SELECT 1")
    assert [one["name"] for one in views(east)] == ["of everything"]
    shown = json.dumps(view(east, "/team"))
    assert "of everything" in shown
    assert "private" not in [one["name"] for one in views(east)]
    assert "of the north" not in shown
    assert keep(east, "theirs")[0] == 409
    assert keep(east, statement="SELECT 1")[0] == 409
    assert keep(east, "ours", path="/turnaround", query="facility=EAST")[0] == 200
    assert "ours" in [one["name"] for one in views(client)]


def test_only_ones_own_views_are_renamed_and_deleted(client: FlaskClient, east: FlaskClient, team: Team) -> None:
    keep(client, path="/", query="")
    (one,) = views(client)
    for path in ("rename", "remove"):
        answer = east.post(f"/team/view/{path}", json={"id": one["id"], "name": "theirs"})
        assert answer.status_code == 409
    assert client.post("/team/view/rename", json={"id": one["id"], "name": "MR, all"}).status_code == 200
    assert [(found["name"], found["by"]) for found in views(client)] == [("MR, all", "yours, private")]
    assert views(east) == []
    assert client.post("/team/view/remove", json={"id": one["id"]}).status_code == 200
    assert client.post("/team/view/remove", json={"id": one["id"]}).status_code == 409
    assert views(client) == []


def test_a_person_may_keep_so_many_views(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST_VIEWS", 2)
    assert [keep(client)[0] for _ in range(3)] == [200, 200, 409]


def test_a_statement_that_runs_can_be_kept() -> None:
    assert saved.STATEMENT_SIGNS == MAX_STATEMENT


def subscribe(client: FlaskClient, to: str = "ann@north.example", **more: Any) -> tuple[int, str]:
    answer = client.post("/team/subscriber", json={"address": to, **more})
    return answer.status_code, answer.get_json().get("problem", "")


def test_a_digest_goes_to_addresses_with_views(client: FlaskClient, east: FlaskClient, team: Team) -> None:
    keep(client, "private", is_shared=False)
    keep(client, "a statement", statement="SELECT 1")
    ids = {one["name"]: one["id"] for one in views(client)}
    assert subscribe(client, views=[ids["private"]])[0] == 200
    assert "already" in subscribe(client, "ANN@north.example")[1]
    for wrong in ({"views": [ids["a statement"]]}, {"views": ["0" * 16]}, {"views": "x"}, {"views": [7]}):
        assert subscribe(client, "bob@north.example", **wrong)[0] == 409
    assert subscribe(client, "bob@x\r\nBcc: eve@x")[0] == 409
    assert subscribe(east, "bob@north.example", views=[ids["private"]])[0] == 409
    assert subscribe(east, "bob@north.example")[0] == 200
    mine, theirs = sorted(digests.subscribers(team), key=lambda one: one.address)
    assert mine.language == "en"
    assert client.post("/team/subscriber", json={"id": mine.id, "views": [], "language": "xx"}).status_code == 409
    set_german = {"id": mine.id, "views": list(mine.views), "language": "de"}
    assert client.post("/team/subscriber", json=set_german).status_code == 200
    assert "Deutsch" in json.dumps(view(client, "/team"))
    assert (mine.views, mine.facilities, theirs.facilities) == ((ids["private"],), None, ("EAST",))
    assert "ann@north.example" not in json.dumps(view(east, "/team"))  # nobody reads others' addresses
    assert "ann@north.example" not in east.get("/csv/team.subscribers.csv").get_data(as_text=True)
    assert east.post("/team/subscriber/remove", json={"id": mine.id}).status_code == 409
    assert east.post("/team/subscriber", json={"id": mine.id, "views": []}).status_code == 409
    assert client.post("/team/subscriber", json={"id": mine.id, "views": []}).status_code == 200
    assert next(one for one in digests.subscribers(team) if one.id == mine.id).views == ()
    assert client.post("/team/subscriber/remove", json={"id": mine.id}).status_code == 200
    assert [one.author for one in digests.subscribers(team)] == ["east"]


def test_what_became_of_a_message_is_shown(client: FlaskClient, team: Team) -> None:
    subscribe(client)
    (one,) = digests.subscribers(team)
    for state, told in (("", "sent for 28 Nov 2026"), ("timeout", "took too long")):
        assert digests.claim(team, one.id, date(2026, 11, 28 + bool(state)), "x") is None
        assert "being sent" in json.dumps(view(client, "/team"))
        digests.settle(team, one.id, date(2026, 11, 28 + bool(state)), state)
        assert told in json.dumps(view(client, "/team"))
        assert told in json.dumps(view(client, "/team"))


def test_every_problem_of_a_mail_server_has_words() -> None:
    assert [name for name in PROBLEMS if TEXTS[f"digest.problem.{name}"] == ""] == []


def test_a_view_that_is_shared_no_more_leaves_others_digests(
    client: FlaskClient, east: FlaskClient, team: Team
) -> None:
    keep(client, path="/", query="")
    (one,) = views(client)
    subscribe(client, views=[one["id"]])
    subscribe(east, "bob@north.example", views=[one["id"]])
    client.post("/team/view/rename", json={"id": one["id"], "name": "mine", "is_shared": False})
    assert {kept.author: len(kept.views) for kept in digests.subscribers(team)} == {"local": 1, "east": 0}


def test_a_deleted_view_leaves_the_digest(client: FlaskClient, team: Team) -> None:
    keep(client, path="/", query="")
    (one,) = views(client)
    subscribe(client, views=[one["id"]])
    client.post("/team/view/remove", json={"id": one["id"]})
    assert digests.subscribers(team)[0].views == ()
