"""The routes of the page SQL: who may, what they answer, at most two at once, cancelled from another process."""

from __future__ import annotations

import csv
import io
import logging
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from flask.testing import FlaskClient

from app.gate import Busy
from app.guard import Person
from app.server import create_app
from app.sql_desk import MAX_MARKS, Desk
from sql.adhoc import AdhocError
from sql.adhoc_limits import Limits
from sql.meta_tables import INTERNAL_TABLES
from sql.snapshot import Store
from tests.app.conftest import LOCAL

OURS = "token-of-this-test"
SLEEP = "SELECT sleep_ms(60000)"


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    return create_app(home / "published").server.test_client()


def asked(client: FlaskClient, statement: str, path: str = "run", **more: Any) -> Any:
    return client.post(f"/sql/{path}", json={"statement": statement, "token": OURS, **more})


def test_a_run_gives_the_numbers_of_the_snapshot(client: FlaskClient, store: Store) -> None:
    statement = "SELECT facility, count(*) AS n, avg(report_final_min) AS mean FROM fct_exam GROUP BY ALL ORDER BY 1"
    told = asked(client, statement).get_json()
    snapshot = store.current()
    assert [tuple(row) for row in told["rows"]] == snapshot.execute(statement).rows()
    assert (told["names"], told["kinds"]) == (["facility", "n", "mean"], ["text", "number", "number"])
    assert told["types"] == ["VARCHAR", "BIGINT", "DOUBLE"]
    assert (told["cut"], told["snapshot"], told["seq"]) == ("", snapshot.id, snapshot.seq)


def test_values_that_json_has_not_go_as_text(client: FlaskClient) -> None:
    told = asked(client, "SELECT 9007199254740993 AS a, 'nan'::DOUBLE AS b, NULL AS c, true AS d, 1.50 AS e, "
                         "DATE '2026-01-31' AS f, sum(1) AS g").get_json()  # fmt: skip
    assert told["rows"] == [["9007199254740993", "nan", None, True, "1.50", "2026-01-31", "1"]]
    assert told["kinds"][4:] == ["number", "time", "number"]


def test_why_there_is_no_answer_is_told(client: FlaskClient) -> None:
    told = asked(client, "SELECT fo FROM fct_exam")
    assert told.status_code == 200
    assert told.get_json()["problem"] == "engine"
    assert (told.get_json()["at"], told.get_json()["to"]) == (7, 9)
    refused = asked(client, "DROP TABLE fct_exam").get_json()
    assert refused["problem"] == "refused"
    assert "DROP is refused" in refused["message"]
    assert asked(client, "SELECT repeat('x', 9000000)").get_json()["message"].endswith("larger than 8 MB.")


def test_a_file_has_the_same_rows_and_no_formula(client: FlaskClient, store: Store) -> None:
    statement = "SELECT '=1+1' AS \"-a\", n FROM (VALUES (1), (NULL)) t(n)"
    answer = asked(client, statement, "file", kind="csv")
    assert list(csv.reader(io.StringIO(answer.data.decode(), newline=""))) == [
        ["'-a", "n"],
        ["'=1+1", "1"],
        ["'=1+1", ""],
    ]
    assert f"radops_sql_{store.current().id}.csv" in answer.headers["Content-Disposition"]
    parquet = asked(client, "SELECT facility, n_images FROM fct_exam ORDER BY exam_key", "file", kind="parquet")
    frame = pl.read_parquet(io.BytesIO(parquet.data))
    assert frame.equals(store.current().execute("SELECT facility, n_images FROM fct_exam ORDER BY exam_key"))
    assert parquet.headers["X-Radops-Cut"] == "no"
    assert asked(client, "FROM range(20000)", "file", kind="csv").headers["X-Radops-Cut"] == "rows"
    assert asked(client, "SELECT 1", "file", kind="xlsx").status_code == 400
    assert asked(client, "SELECT nothing", "file", kind="csv").status_code == 422


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"statement": "SELECT 1"}', b'{"token": "short"}', b"x" * 800_000]
)
def test_what_is_no_request_is_refused(client: FlaskClient, body: bytes) -> None:
    for path in ("run", "file", "cancel"):
        assert client.post(f"/sql/{path}", data=body, content_type="application/json").status_code == 400


def test_the_schema_names_every_table_and_macro_with_its_comment(client: FlaskClient, store: Store) -> None:
    answer = client.get("/sql/schema")
    told = answer.get_json()
    tables = {table["name"]: table for table in told["tables"]}
    held = set(store.current().execute("SELECT table_name FROM duckdb_tables()")["table_name"])
    assert set(tables) == held - {*INTERNAL_TABLES}
    assert held >= {*INTERNAL_TABLES}
    assert all(table["note"] for table in told["tables"])
    assert {column["name"] for column in tables["fct_exam"]["columns"]} == set(store.current().columns("fct_exam"))
    assert all(column["note"] for column in tables["fct_exam"]["columns"])
    macros = {macro["name"]: macro for macro in told["macros"]}
    assert "since" in macros["metrics.report_final"]["parameters"]
    assert macros["metrics.report_final"]["note"]
    assert len(told["worked"]) >= 10
    again = client.get("/sql/schema", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("who", [Person("east", ("EAST",), sees_readers=True), Person("viewer")])
def test_whoever_may_not_see_all_may_not_ask(home: Path, who: Person) -> None:
    client = create_app(home / "published", sign=lambda _: who).server.test_client()
    assert client.get("/sql/schema").status_code == 403
    for path in ("run", "file", "cancel"):
        assert asked(client, "SELECT 1", path, kind="csv").status_code == 403


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}])
def test_only_our_own_page_may_ask(client: FlaskClient, headers: dict[str, str]) -> None:
    for path in ("run", "file", "cancel"):
        answer = client.post(f"/sql/{path}", json={"statement": "SELECT 1", "token": OURS}, headers=headers)
        assert answer.status_code == 403


def waiting(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def test_another_process_cancels_by_a_mark(home: Path, tmp_path: Path) -> None:
    """Two applications over one folder, as two processes have it."""
    ours, other = (create_app(home / "published", desk=Desk(tmp_path)).server.test_client() for _ in range(2))
    told: list[Any] = []
    run = threading.Thread(target=lambda: told.append(asked(ours, SLEEP).get_json()))
    began = time.monotonic()
    run.start()
    time.sleep(0.5)
    assert asked(other, "", "cancel", **{"token": "another-token-of-mine"}).status_code == 204
    assert asked(other, "", "cancel").status_code == 204
    run.join()
    assert told[0]["problem"] == "cancelled"
    assert time.monotonic() - began < 30  # which is where it would end by itself
    assert asked(ours, "SELECT 1").get_json()["rows"] == [[1]]  # its mark is gone


def test_a_mark_is_of_a_person_and_private(home: Path, store: Store, tmp_path: Path) -> None:
    own = Desk()
    desk = Desk(tmp_path)
    desk.cancel(Person("somebody", sees_readers=True), OURS)
    assert desk.run(LOCAL, store.current(), "SELECT 1", OURS).frame.rows() == [(1,)]
    desk.cancel(LOCAL, OURS)
    with pytest.raises(AdhocError):
        desk.run(LOCAL, store.current(), SLEEP, OURS)
    for number in range(MAX_MARKS + 10):
        desk.cancel(LOCAL, f"{OURS}-{number}")
    marks = list(tmp_path.iterdir())
    assert len(marks) == MAX_MARKS
    assert not any(OURS in mark.name for mark in marks)
    folder = own._folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    del own
    assert not folder.exists()


def test_no_more_than_two_at_once(home: Path, store: Store) -> None:
    """The two run until they are cancelled, however long the others take to be turned away."""
    desk = Desk(limits=Limits(seconds=600))
    client = create_app(home / "published", desk=desk).server.test_client()
    told: list[str] = []

    def sleep(number: int) -> None:
        try:
            desk.run(LOCAL, store.current(), "SELECT sleep_ms(600000)", f"{OURS}-{number}")
        except AdhocError as error:
            told.append(error.problem)

    threads = [threading.Thread(target=sleep, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    waiting(lambda: desk._free._value == 0)
    with pytest.raises(Busy):
        desk.run(LOCAL, store.current(), "SELECT 1", OURS)
    answer = asked(client, "SELECT 1")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    for number, thread in enumerate(threads):
        desk.cancel(LOCAL, f"{OURS}-{number}")
        thread.join()
    assert told == ["cancelled", "cancelled"]
    assert desk.run(LOCAL, store.current(), "SELECT 1", OURS).frame.rows() == [(1,)]


def test_nothing_of_a_statement_is_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for statement in ("SELECT 'CANARY'", "SELECT CANARY", "DROP TABLE CANARY", "SELECT CAST('CANARY' AS INT)"):
            asked(client, statement)
            asked(client, statement, "file", kind="nothing")
    assert "CANARY" not in caplog.text


def test_before_the_first_snapshot_there_is_nothing_to_ask(tmp_path: Path) -> None:
    client = create_app(tmp_path).server.test_client()
    assert asked(client, "SELECT 1").status_code == 503
    assert client.get("/sql/schema").status_code == 503
