"""A page is one answer: compressed, kept for its snapshot and its person, made once, and refused when too many ask."""

from __future__ import annotations

import gzip
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import pytest
from flask.testing import FlaskClient

from app import answers
from app.gate import Busy, Gate, Once
from app.guard import Person
from app.server import RETRY_AFTER, create_app
from app.views import Views
from sql.snapshot import Store
from tests.app.conftest import LOCAL
from tests.snapshots import exam_row, write_snapshot

THROUGH = datetime(2026, 3, 20)
EAST = Person("east", facilities=("EAST",))


def gate() -> Gate:
    return Gate(2, 8, 30.0)


def shown(views: Views, person: Person = LOCAL, path: str = "/turnaround", search: str = "", **chosen: Any) -> Any:
    return json.loads(views.view(person, path, search, "light", chosen).raw())


@pytest.fixture
def client(home: Path) -> FlaskClient:
    return create_app(home / "published").server.test_client()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder with one snapshot of two facilities, by hand."""
    publish(tmp_path, 1, 30)
    return tmp_path


def publish(folder: Path, number: int, exams: int) -> None:
    path = folder / f"radops-{number:06d}.duckdb"
    rows = [exam_row(30.0 + n, f"2026-03-{1 + n % 19:02d} 10:00", facility=("NORTH", "EAST")[n % 2])
            for n in range(exams)]  # fmt: skip
    through = THROUGH + timedelta(minutes=number)
    write_snapshot(path, {"fct_exam": rows}, through, number)
    pointer = folder / "radops.duckdb"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(path.name)


@pytest.mark.parametrize("coding", ["br", "gzip", None])
def test_an_answer_is_compressed_as_the_browser_takes_it(client: FlaskClient, coding: str | None) -> None:
    plain = client.get("/view/turnaround").get_data()
    answer = client.get("/view/turnaround", headers={"Accept-Encoding": coding} if coding else {})
    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    if coding:
        assert len(answer.data) < len(plain) / 6
        unpack = brotli.decompress if coding == "br" else gzip.decompress
        assert unpack(answer.data) == plain


def test_data_are_asked_for_again_and_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/view/repeats?facility=NORTH")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get("/view/repeats?facility=NORTH", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = client.get("/view/repeats?facility=EAST", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200
    for path in ("/", "/_dash-layout", "/_dash-dependencies", "/csv/overview.facilities.csv", "/snapshot"):
        assert client.get(path).headers["Cache-Control"] == "no-store", path


def test_what_is_kept_is_what_is_made(store: Store, home: Path) -> None:
    views = Views(store, gate())
    for path in ("/", "/turnaround", "/workload", "/definitions"):
        first = views.view(LOCAL, path, "?facility=NORTH", "dark", {})
        assert views.view(LOCAL, path, "?facility=NORTH", "dark", {}) is first
        fresh = Views(Store(home / "published"), gate()).view(LOCAL, path, "?facility=NORTH", "dark", {})
        assert fresh is not first
        assert fresh.raw() == first.raw()


def test_each_address_scheme_and_page_has_its_own(store: Store) -> None:
    views = Views(store, gate())
    asked = [("/", "", "light"), ("/", "", "dark"), ("/", "?facility=NORTH", "light"), ("/repeats", "", "light"),
             ("/", "?compare=none", "light")]  # fmt: skip
    assert len({views.view(LOCAL, *one, {}).etag for one in asked}) == len(asked)
    default = views.view(LOCAL, "/", "", "light", {})
    assert views.view(LOCAL, "/", "?utm_source=mail", "light", {}) is default


def test_a_person_never_gets_what_was_made_for_another_scope(published: Path) -> None:
    views = Views(Store(published), gate())
    all_of_it = shown(views, LOCAL, "/exams")
    own = shown(views, EAST, "/exams")
    assert "NORTH" in json.dumps(all_of_it["page"])
    assert "EAST" in json.dumps(own["page"])
    assert "NORTH" not in json.dumps(own["page"])
    asked_for = json.dumps(shown(views, EAST, "/exams", "?facility=NORTH")["page"])
    assert "No exams match" in asked_for
    unseen = Person("west", facilities=("EAST",), sees_readers=True)
    assert views.view(unseen, "/exams", "", "light", {}) is not views.view(EAST, "/exams", "", "light", {})


def test_a_new_snapshot_is_not_answered_from_the_old_one(published: Path) -> None:
    views = Views(Store(published), gate())
    old = shown(views)
    publish(published, 2, 44)
    new = shown(views)
    assert (old["newest"], new["newest"]) == ("000001-test", "000002-test")
    assert "n = 30," in json.dumps(old["page"])
    assert "n = 44," in json.dumps(new["page"])
    assert "n = 30," in json.dumps(shown(views, search="?known=1")["page"])


def test_what_a_person_chose_is_in_the_answer(store: Store) -> None:
    answer = shown(Views(store, gate()), search="?priority=stat", **{"filter-facility": ["NORTH"]})
    assert answer["query"] == "facility=NORTH&priority=stat"
    assert "at NORTH, priority stat" in json.dumps(answer["page"])
    assert [value for value in answer["values"][3:] if value] == [["NORTH"], ["stat"]]


def test_the_same_view_asked_by_many_at_once_is_made_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made, go = [], threading.Event()
    make = answers.shown

    def slow(*given: Any) -> Any:
        made.append(given)
        assert go.wait(30)
        return make(*given)

    monkeypatch.setattr(answers, "shown", slow)
    views = Views(store, gate())
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(views.view, LOCAL, "/repeats", "", "light", {}) for _ in range(6)]
        threading.Timer(0.3, go.set).start()
        bodies = [one.result(60) for one in asked]
    assert len(made) == 1
    assert all(body is bodies[0] for body in bodies)


def test_memory_is_bounded(store: Store) -> None:
    views = Views(store, gate(), max_bytes=60_000)
    for number in range(12):
        views.view(LOCAL, "/exams", f"?page={number + 1}", "light", {})
    assert 0 < len(views._kept) < 12


def test_a_full_gate_sends_away_with_a_time_to_come_again(home: Path) -> None:
    narrow = Gate(1, 0, 0.1)
    client = create_app(home / "published", gate=narrow).server.test_client()
    assert client.get("/view/").status_code == 200
    with narrow.working():
        away = client.get("/view/workload")
        assert (away.status_code, away.headers["Retry-After"]) == (503, str(RETRY_AFTER))
        assert away.headers["Cache-Control"] == "no-store"
        assert client.get("/csv/overview.facilities.csv").status_code == 503
        for path in ("/healthz", "/", "/view/", "/snapshot", "/_dash-layout"):  # what takes no work goes on
            assert client.get(path).status_code == 200, path
    assert client.get("/view/workload").status_code == 200


def test_the_queue_is_bounded_and_patience_ends() -> None:
    door = Gate(1, 1, 0.2)
    told: list[str] = []

    def come() -> None:
        try:
            with door.working():
                told.append("in")
        except Busy:
            told.append("away")

    with door.working():
        first = threading.Thread(target=come)
        first.start()
        while not door._waiting:
            pass
        come()  # the queue is full: at once
        assert told == ["away"]
        first.join()  # patience ended
        assert told == ["away", "away"]
    come()
    assert told[-1] == "in"


def test_who_waits_for_the_same_work_gets_its_failure_and_the_next_tries_again() -> None:
    once: Once[int] = Once(Gate(1, 4, 5.0))
    go = threading.Event()

    def broken() -> int:
        assert go.wait(30)
        raise ValueError("first")

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(once.make, "key", broken) for _ in range(2)]
        threading.Timer(0.2, go.set).start()
        assert all(isinstance(one.exception(30), ValueError) for one in asked)
    assert once.make("key", lambda: 7) == 7
