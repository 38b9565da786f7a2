"""The bench of questions: every peer that is installed says what radops says, and one that says otherwise ends it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from app import warm
from etl.cli import main
from sql.answer_files import beside
from sql.engine import SETTINGS
from sql.snapshot import POINTER, open_snapshot
from tests.bench import bench_questions, pages
from tests.bench.bench_questions import (
    DifferentAnswerError,
    held_since,
    lines,
    measure_questions,
    must_equal,
    told_by,
    told_by_us,
)
from tests.bench.pages import SPANS, counting, measure_pages, measure_put_down, measure_scopes
from tests.bench.peers import Source, SQLite, has_pandas
from tests.bench.postgres import PostgreSQL, programs
from tests.bench.questions import DAY, ENGINES, QUESTIONS, Window
from tests.conftest import missing
from tests.published import Published
from tests.slow import slow

EVERY = 1_000_000


@pytest.fixture(scope="module")
def measured(published: Published) -> dict[str, Any]:
    """The questions of a small network: it ends where a peer has another answer."""
    return measure_questions(published.snapshot, EVERY, 1)


def test_all_peers_are_there() -> None:
    if not has_pandas():
        missing("pandas", "make install")
    if programs() is None:
        missing("PostgreSQL", "apt-get install postgresql")


def test_every_question_is_answered_alike_by_every_peer(measured: dict[str, Any]) -> None:
    away = measured["missing"].split(", ")
    peers = {"ours", "duckdb", "shown", "pandas", "sqlite", "postgresql"} - set(away)
    assert measured["held_since"] is None
    for question in QUESTIONS:
        for window in ("90d", "all"):
            facts = measured[f"{question.id}, {window}"]
            assert facts["n_groups"] > 0
            assert {name for name in peers if facts[f"{name}_ms"] > 0} == peers
            assert facts["ours_duckdb_ratio"] > 0
            assert facts["ours_shown_ratio"] > 0
            assert ("postgresql_cpu_ms" in facts, "sqlite_cpu_ms" in facts) == (False, True)


def test_peers_that_hold_fewer_days_are_asked_of_those(published: Published) -> None:
    found = measure_questions(published.snapshot, 300, 1)
    assert found["held_since"] is not None
    for question in QUESTIONS:
        facts = found[f"{question.id}, all"]
        assert "sqlite_ms" not in facts
        assert facts["held"]["sqlite_ms"] > 0


def test_an_exam_over_midnight_is_held_with_the_day_of_its_end(published: Published) -> None:
    with duckdb.connect(str(published.snapshot), read_only=True, config=SETTINGS) as con:
        over = "CAST(exam_started_local AS DATE) < CAST(exam_ended_local AS DATE)"
        ends = con.execute(f"SELECT DISTINCT CAST(exam_ended_local AS DATE) FROM fct_exam WHERE {over}").fetchall()
        assert ends
        for (since,) in ends:
            held = Source(con, since).select("fct_exam")
            counted = [con.execute(f"SELECT count(*) FROM ({rows}) WHERE exam_ended_local >= ?", [since]).fetchall()
                       for rows in (held, "FROM fct_exam")]  # fmt: skip
            assert counted[0] == counted[1]


def test_the_days_held_have_at_most_the_exams_asked_for(published: Published) -> None:
    with duckdb.connect(str(published.snapshot), read_only=True, config=SETTINGS) as con:
        since = held_since(con, 300)
        of_days = f"SELECT count(*) FROM fct_exam WHERE {DAY['fct_exam']} >="
        counted = con.execute(f"{of_days} ?", [since]).fetchall()[0][0]
        wider = con.execute(f"{of_days} ?::DATE - 1", [since]).fetchall()[0][0]
        assert counted <= 300 < wider
        assert held_since(con, EVERY) is None
        with pytest.raises(ValueError, match="more than 0 exams"):
            held_since(con, 0)


def test_a_peer_with_another_answer_ends_the_bench(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = SQLite.ask

    def biased(peer: SQLite, question: Any, window: Window) -> Any:
        *others, (month, modality, n, wrvu) = honest(peer, question, window)
        return [*others, (month, modality, n, wrvu * 1.000001)]

    monkeypatch.setattr(SQLite, "ask", biased)
    monkeypatch.setattr(bench_questions, "QUESTIONS", [q for q in QUESTIONS if q.metric == "wrvu"])
    with pytest.raises(DifferentAnswerError, match="sqlite, wRVU by month and modality"):
        measure_questions(published.snapshot, EVERY, 1)


@pytest.mark.parametrize(
    ("theirs", "message"),
    [
        ({("CT",): (3, 5.0)}, "1 groups, ours 2"),
        ({("CT",): (3, 5.0), ("US",): (1, 7.0)}, "or others"),
        ({("CT",): (4, 5.0), ("MR",): (1, 7.0)}, "another answer"),
        ({("CT",): (3, 5.0), ("MR",): (1, 7.00001)}, "another answer"),
    ],
)
def test_what_differs_is_found(theirs: Any, message: str) -> None:
    with pytest.raises(DifferentAnswerError, match=message):
        must_equal(QUESTIONS[0], "peer", theirs, {("CT",): (3, 5.0), ("MR",): (1, 7.0)})


def test_rounding_is_no_difference() -> None:
    must_equal(QUESTIONS[0], "peer", {("CT",): (3, 0.1 + 0.2)}, {("CT",): (3, 0.3)})


def test_rows_are_read_whatever_the_peer_writes() -> None:
    assert told_by([("2026-01-05", "CT", "2", "1.5")]) == {("2026-01-05", "CT"): (2, 1.5)}
    assert told_by([(datetime(2026, 1, 5), None, 2, 1.5), (float("nan"), "x", 1, 2)]) == {
        ("2026-01-05", "(none)"): (2, 1.5),
        ("(none)", "x"): (1, 2.0),
    }
    assert told_by([("CT", 0, None)]) == {}


def test_nothing_kept_answers_the_questions(published: Published) -> None:
    snapshot = open_snapshot(published.snapshot)
    window = Window(None, None, snapshot.data_through)
    first = told_by_us(QUESTIONS[0], bench_questions.ours(snapshot, QUESTIONS[0], window))
    assert len(snapshot._cache) == 0
    assert first == told_by_us(QUESTIONS[0], bench_questions.ours(snapshot, QUESTIONS[0], window))
    snapshot.close()


def test_statements_are_of_the_days_asked_for() -> None:
    through = datetime(2026, 3, 3, 7, 30)
    for question in QUESTIONS:
        for engine in ENGINES:
            every = question.statement(engine, Window(None, None, through))
            some = question.statement(engine, Window(through.date(), None, through))
            assert f"{question.day} >= '2026-03-03 00:00:00'" in some
            assert f"{question.day} >= '2026" not in every
            assert "$" not in every + some


def test_a_cluster_leaves_nothing(published: Published) -> None:
    folder = programs()
    if folder is None:
        missing("PostgreSQL", "apt-get install postgresql")
        return
    peer = PostgreSQL(folder)
    root, server = peer._root, peer._server
    with duckdb.connect(str(published.snapshot), read_only=True, config=SETTINGS) as con:
        peer.load(Source(con, None))
    peer.close()
    assert (root.exists(), server is not None and server.poll() is not None) == (False, True)


def test_a_statement_that_postgresql_refuses_is_an_error() -> None:
    folder = programs()
    if folder is None:
        missing("PostgreSQL", "apt-get install postgresql")
        return
    peer = PostgreSQL(folder)
    try:
        wrong = replace(QUESTIONS[0], sql={"postgres": "SELECT 1 FROM nowhere"})
        with pytest.raises(RuntimeError, match="refused a statement"):
            peer.ask(wrong, Window(None, None, datetime(2026, 3, 3)))
    finally:
        peer.close()


def test_pages_are_asked_over_their_spans(published: Published) -> None:
    found = measure_pages(published.snapshot.parent, 1, only=("exams", "exam"))
    assert set(found) == {"exam 28d", "p95", *(f"exams {span}" for span in SPANS)}
    assert all(view["n_statements"] > 0 and view["first_ms"] > 0 for name, view in found.items() if name != "p95")
    assert found["p95"]["again_ms"] > 0


def test_a_page_is_asked_beside_by_what_is_shown(published: Published) -> None:
    found = measure_pages(published.snapshot.parent, 1, only=("repeats",))
    assert "n_metrics" not in found["repeats 28d"]
    assert found["repeats 90d"]["n_metrics"] > 5
    assert found["repeats 90d"]["shown_cpu_ms"] > 0


@slow
def test_every_scope_of_a_page_is_asked(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    honest = pages._asked
    monkeypatch.setattr(pages, "_asked", lambda *given: asked.append(given[1]) or honest(*given))
    found = measure_scopes(published.snapshot.parent, only=("exams",))
    with duckdb.connect(str(published.snapshot), read_only=True, config=SETTINGS) as con:
        names = [name for (name,) in con.execute("SELECT DISTINCT facility FROM fct_exam ORDER BY ALL").fetchall()]
    assert set(found) == {"exams 90d", "exams all"}
    for facts in found.values():
        assert facts["n"] == len(names) + 1 > 2
        assert 0 < facts["p50_ms"] <= facts["p95_ms"] <= facts["longest_ms"]
        assert facts["whole_ms"] <= facts["longest_ms"]
    of_days = [address for address in asked if "period=all" in address]
    assert sorted(address.rpartition("facility=")[2] for address in of_days if "facility" in address) == names
    assert len(of_days) == len(names) + 1


def test_scopes_are_asked_again_once_answers_are_put_down(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_periods", "_parts"):
        monkeypatch.setattr(warm, name, lambda *_: iter(()))
    shutil.copyfile(published.snapshot, tmp_path / "radops-000001.duckdb")
    (tmp_path / POINTER).symlink_to("radops-000001.duckdb")
    found = measure_put_down(tmp_path, only=("exams",))
    assert set(found["scopes"]) == {"exams all"}
    assert found["mb"] * 2**20 == beside(tmp_path / "radops-000001.duckdb").stat().st_size
    assert min(found["s"], found["cpu_s"]) > 0


def test_of_very_many_facilities_some_of_all_sizes_are_asked(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = open_snapshot(published.snapshot)
    every = pages._facilities(snapshot)
    monkeypatch.setattr(pages, "MOST_FACILITIES", len(every) - 1)
    assert pages._facilities(snapshot) == every[::2]
    snapshot.close()


def test_statements_that_reach_the_engine_are_counted(published: Published) -> None:
    with counting() as seconds:
        snapshot = open_snapshot(published.snapshot)
        before = len(seconds)
        snapshot.execute("SELECT 1 AS one")
        snapshot.execute("SELECT 1 AS one")  # is kept
        assert len(seconds) == before + 1
        snapshot.close()


def test_the_verb_asks_a_folder_and_tells_all(
    published: Published, measured: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    found = {"snapshot": bench_questions._facts(published.snapshot), "questions": measured,
             "pages": measure_pages(published.snapshot.parent, 1, only=("exam",)),
             "scopes": measure_scopes(published.snapshot.parent, only=("exams",)),
             "put_down": {"s": 1.5, "cpu_s": 2.5, "mb": 3.5, "scopes": {}}}  # fmt: skip
    asked: list[Any] = []
    monkeypatch.setattr(bench_questions, "measure", lambda *given: asked.append(given) or found)
    saved = tmp_path / "bench.json"
    monkeypatch.setattr("sys.argv", ["radops", "bench", "questions", "--quick", "--published", str(tmp_path),
                                     "--rows", "70", "--json", str(saved)])  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().out
    assert (ended.value.code, asked) == (0, [(tmp_path, 70, 2)])
    assert json.loads(saved.read_text("utf-8"))["questions"]["snapshot"]["n_exams"] == found["snapshot"]["n_exams"]
    assert all(f"{question.id}, all" in told for question in QUESTIONS)
    assert told.splitlines() == list(lines(found))
    assert "Publish anew" not in told
    assert "Publish anew" in "".join(lines(found | {"snapshot": found["snapshot"] | {"is_current": False}}))
