"""Statements of persons: what they give, how they are cut, ended and told, and that no hostile one reaches anything."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sql import adhoc_limits
from sql.adhoc import MAX_STATEMENT, AdhocError, Rows, run
from sql.adhoc_judge import Refused, judge
from sql.adhoc_limits import Limits, engine_settings
from sql.adhoc_worker import answer, opened
from sql.csv_text import to_csv
from sql.snapshot import open_snapshot
from sql.worked import text, worked
from tests.published import Published
from tests.snapshots import exam_row, write_snapshot

LIMITS = Limits(seconds=20)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of three exams."""
    rows = [exam_row(float(value)) for value in (10, 20, 60)]
    return write_snapshot(tmp_path_factory.mktemp("adhoc") / "hand.duckdb", {"fct_exam": rows}, datetime(2026, 3, 3))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """An engine as a worker has it, to ask its parser without a process."""
    path = write_snapshot(tmp_path_factory.mktemp("judge") / "hand.duckdb", {}, datetime(2026, 3, 3))
    return opened(path, LIMITS)


def problem(path: Path, statement: str, limits: Limits = LIMITS) -> AdhocError:
    with pytest.raises(AdhocError) as caught:
        run(path, statement, limits)
    return caught.value


def test_rows_are_those_of_the_query_layer(path: Path) -> None:
    given = run(path, "SELECT n, value FROM metrics.report_final(groups := ['facility'])")
    asked = open_snapshot(path).execute("SELECT n, value FROM metrics.report_final(groups := ['facility'])")
    assert given.frame.equals(asked)
    assert given.frame.rows() == [(3, 20.0)]
    assert (given.names, given.types, given.cut) == (("n", "value"), ("BIGINT", "DOUBLE"), "")
    assert given.seconds > 0


def test_names_that_occur_twice_are_told_apart(path: Path) -> None:
    given = run(path, "SELECT 1 AS a, 2 AS a, 3 AS a_1")
    assert given.frame.rows() == [(1, 2, 3)]
    assert len(set(given.frame.columns)) == 3
    assert given.names == ("a", "a", "a_1")


def test_every_type_has_values_that_python_and_a_file_can_hold(path: Path) -> None:
    given = run(path, "FROM test_all_types()")
    assert given.frame.height == 3
    assert given.frame.width == len(given.types) > 50
    told = {name: given.frame[name].to_list() for name in given.frame.columns}
    assert told["struct"][0] == "{'a': NULL, 'b': NULL}"
    assert told["interval"][1] == "83 years 3 months 999 days 00:16:39.999999"
    assert told["timestamp"][1] == "294247-01-10 04:00:54.775806"
    assert told["int"] == [-2147483648, 2147483647, None]
    assert to_csv(given.frame).count(b"\r\n") == 4


def test_more_rows_than_may_be_are_cut_and_told(path: Path) -> None:
    given = run(path, "FROM range(1000000000000)")
    assert (given.frame.height, given.cut) == (10_000, "rows")
    assert given.frame["range"].to_list() == list(range(10_000))
    assert run(path, "FROM range(10000)").cut == ""
    assert run(path, "FROM range(3)", Limits(rows=3)).cut == ""
    assert run(path, "FROM range(4)", Limits(rows=3)).cut == "rows"


def test_more_bytes_than_may_be_are_cut_and_told(path: Path) -> None:
    given = run(path, "SELECT repeat('x', 1000000) AS x FROM range(100)")
    assert (given.frame.height, given.cut) == (8, "bytes")
    assert problem(path, "SELECT repeat('x', 9000000)").problem == "too_large"


def test_an_error_is_told_in_the_engines_words_with_its_place(path: Path) -> None:
    statement = "SELECT 'é😀',\n  fo FROM fct_exam"
    error = problem(path, statement)
    assert error.problem == "engine"
    assert 'Referenced column "fo" not found' in str(error)
    assert error.at is not None
    assert error.to is not None
    utf16 = statement.encode("utf-16-le")
    assert utf16[error.at * 2 : error.to * 2].decode("utf-16-le") == "fo"
    assert problem(path, "SELEC 1").at == 0
    assert "Could not convert" in str(problem(path, "SELECT CAST('abc' AS INT)"))


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1", "select 1;", "  -- said\n SELECT 1 /* more */ ;", "WITH a AS (SELECT 1) FROM a", "FROM fct_exam",
     "VALUES (1), (2)", "TABLE fct_exam", "DESCRIBE fct_exam", "DESCRIBE SELECT 1", "SHOW TABLES", "SHOW ALL TABLES",
     "SUMMARIZE fct_exam", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "EXPLAIN (FORMAT JSON) SELECT 1",
     "EXPLAIN (SELECT 1) UNION (SELECT 2)", "EXPLAIN PIVOT fct_exam ON modality USING count(*)",
     "PIVOT fct_exam ON modality USING count(*)", "SELECT * FROM (PIVOT fct_exam ON modality USING count(*))",
     "FROM range(3)", "SELECT unnest([1, 2])", "SELECT range FROM range(2) JOIN unnest([1]) ON true",
     "FROM duckdb_columns()", "FROM metrics.report_final()",
     "SELECT 'FROM read_text(1)', \"glob\" FROM (SELECT 1 AS glob)",
     *(query.statement for query in worked())],
)  # fmt: skip
def test_what_reads_passes(engine: duckdb.DuckDBPyConnection, statement: str) -> None:
    with engine.cursor() as asked:
        judge(asked, statement)
        asked.execute(statement).fetchall()


@pytest.mark.parametrize(
    ("statement", "why"),
    [("", "no statement"), ("-- only said", "no statement"), (";", "no statement"), ("EXPLAIN", "Parser"),
     ("SELECT 1; SELECT 2", "several"), ("SELECT 1; DROP TABLE fct_exam", "several"),
     ("SET threads = 4", "SET"), ("SET VARIABLE a = 1", "SET"), ("RESET threads", "SET"), ("USE main", "SET"),
     ("PRAGMA threads = 4", "SET"), ("PRAGMA table_info('fct_exam')", "PRAGMA"), ("PRAGMA enable_profiling", "PRAGMA"),
     ("CALL pragma_version()", "CALL"), ("CHECKPOINT", "CALL"), ("ATTACH '/tmp/x.db'", "ATTACH"),
     ("DETACH hand", "DETACH"), ("COPY (SELECT 1) TO '/tmp/x'", "COPY"), ("COPY fct_exam FROM '/etc/passwd'", "COPY"),
     ("EXPORT DATABASE '/tmp/x'", "EXPORT"), ("IMPORT DATABASE '/tmp/x'", "PRAGMA"), ("INSTALL httpfs", "LOAD"),
     ("LOAD httpfs", "LOAD"), ("CREATE TABLE x (a INT)", "CREATE"), ("CREATE TEMP TABLE x AS SELECT 1", "CREATE"),
     ("CREATE TEMP TABLE x AS PIVOT fct_exam ON modality USING count(*)", "several statements"),
     ("CREATE MACRO f() AS 1", "CREATE"), ("CREATE SECRET s (TYPE s3)", "CREATE"), ("DROP TABLE fct_exam", "DROP"),
     ("INSERT INTO fct_exam DEFAULT VALUES", "INSERT"), ("UPDATE fct_exam SET facility = 'X'", "UPDATE"),
     ("DELETE FROM fct_exam", "DELETE"),
     ("TRUNCATE fct_exam", "DELETE"), ("ALTER TABLE fct_exam ADD COLUMN x INT", "ALTER"),
     ("BEGIN", "TRANSACTION"), ("VACUUM", "VACUUM"), ("ANALYZE", "VACUUM"), ("PREPARE p AS SELECT 1", "PREPARE"),
     ("EXECUTE p", "EXECUTE"), ("EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1", "CREATE"),
     ("EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x'", "COPY"), ("EXPLAIN (FORMAT JSON) DELETE FROM fct_exam", "DELETE"),
     ("EXPLAIN (ANALYZE) COPY (SELECT 1) TO '/tmp/x'", "COPY"), ("EXPLAIN EXPLAIN DELETE FROM fct_exam", ""),
     ("FROM read_text('/etc/passwd')", "read_text()"), ("FROM read_blob('/etc/passwd')", "read_blob()"),
     ("FROM read_csv('/etc/passwd')", "read_csv()"), ("FROM READ_CSV_AUTO ('/etc/passwd')", "read_csv_auto()"),
     ('FROM "read_text"(\'/etc/passwd\')', "read_text()"), ("FROM read_text/* */('/etc/passwd')", "read_text()"),
     ("FROM read_text\u00a0('/etc/passwd')", "read_text()"),
     ("FROM system.main.read_text('/etc/passwd')", "read_text()"),
     ("SELECT (SELECT content FROM read_text('/etc/passwd'))", "read_text()"),
     ("EXPLAIN ANALYZE FROM read_text('/etc/passwd')", "read_text()"), ("FROM glob('/*')", "glob()"),
     ("FROM read_parquet('https://example.invalid/x')", "read_parquet()"), ("FROM read_json('/x')", "read_json()"),
     ("FROM read_duckdb('/x')", "read_duckdb()"), ("FROM sniff_csv('/etc/passwd')", "sniff_csv()"),
     ("FROM parquet_metadata('/x')", "parquet_metadata()"), ("FROM duckdb_secrets()", "duckdb_secrets()"),
     ("FROM which_secret('s3://x', 's3')", "which_secret()"), ("FROM duckdb_settings()", "duckdb_settings()"),
     ("FROM duckdb_databases()", "duckdb_databases()"), ("FROM query('SELECT 1')", "query()"),
     ("FROM json_execute_serialized_sql('{}')", "json_execute_serialized_sql()"),
     ("FROM arrow_scan(1, 2, 3)", "arrow_scan()"), ("FROM pandas_scan(1)", "pandas_scan()"),
     ("FROM python_arrow_scan(1, 2, 3)", "python_arrow_scan()"),
     ("FROM python_map_function(1)", "python_map_function()"),
     ("FROM enable_logging(storage := 'file')", "enable_logging()"), ("FROM seq_scan()", "seq_scan()"),
     ("FROM register_external_resource('x')", "register_external_resource()"), ("FROM checkpoint()", "checkpoint()")],
)  # fmt: skip
def test_everything_else_is_refused_by_the_parser(engine: duckdb.DuckDBPyConnection, statement: str, why: str) -> None:
    with engine.cursor() as asked, pytest.raises((Refused, duckdb.ParserException)) as caught:
        judge(asked, statement)
    assert why.lower() in str(caught.value).lower()


#: What the parser would let through, past the judge: the engine's own walls must hold.
PAST_THE_JUDGE = (
    "FROM read_text('{secret}')", "FROM read_blob('{secret}')", "FROM read_csv('{secret}')", "FROM glob('{folder}/*')",
    "FROM '{secret}'", "SELECT getenv('SECRET_OF_THE_SERVER')", "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY (SELECT 1) TO '{folder}/out.parquet' (FORMAT parquet)", "ATTACH '{folder}/out.db'",
    "EXPORT DATABASE '{folder}/out'",
    "INSTALL httpfs", "LOAD httpfs", "LOAD '{secret}'", "FROM read_csv('http://127.0.0.1:{port}/x')",
    "FROM 'http://127.0.0.1:{port}/x.parquet'", "SET threads = 64", "SET memory_limit = '64GB'",
    "SET enable_external_access = true", "SET lock_configuration = false", "RESET lock_configuration",
    "PRAGMA temp_directory = '{folder}'", "DELETE FROM fct_exam", "DROP TABLE fct_exam", "CREATE TABLE x (a INT)",
    "WITH x AS (DELETE FROM fct_exam RETURNING *) FROM x", "FROM duckdb_secrets()",
    "CREATE PERSISTENT SECRET s (TYPE s3)", "CREATE TABLE x AS FROM read_text('{secret}')", "PRAGMA enable_profiling",
    "SET profiling_output = '{folder}/out.json'", "FROM os", "FROM sys", "FROM statement", "FROM connection",
    "CALL enable_logging(storage := 'file', storage_path := '{folder}/log')",
)  # fmt: skip


def test_past_the_judge_the_engine_reads_no_file_writes_nothing_and_keeps_its_settings(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\nCANARY,1\n")
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "CANARY")
    before, files = sha256(path.read_bytes()).hexdigest(), set(tmp_path.rglob("*"))
    connection = opened(path, LIMITS)
    settings = "SELECT name, value FROM duckdb_settings() WHERE name NOT LIKE '%_seed' ORDER BY ALL"
    kept = connection.execute(settings).fetchall()
    assert {"external": dict(kept)["enable_external_access"], "threads": dict(kept)["threads"]} == {
        "external": "false", "threads": "1"}  # fmt: skip
    passed = []
    for wanted in PAST_THE_JUDGE:
        statement = wanted.format(secret=secret, folder=tmp_path, port=9)
        with connection.cursor() as asked:
            try:
                told = str(asked.execute(statement).fetchall())
                passed.append(wanted)
            except duckdb.Error as error:
                told = str(error)
        assert "CANARY" not in told, statement
    assert set(passed) <= {"PRAGMA enable_profiling", "RESET lock_configuration"}
    assert connection.execute(settings).fetchall() == kept or passed == ["PRAGMA enable_profiling"]
    connection.close()
    assert set(tmp_path.rglob("*")) == files
    assert sha256(path.read_bytes()).hexdigest() == before


@pytest.mark.parametrize(
    "statement",
    ["SELECT list(range) FROM range(1000000000)", "SELECT repeat('x', 3000000000)",
     "SELECT a.range || repeat('x', 200) AS t FROM range(100000000) a ORDER BY t",
     "SELECT string_agg(repeat('x', 100000), '') FROM range(1000000)"],
)  # fmt: skip
def test_a_bomb_ends_by_itself_and_the_next_one_runs(path: Path, statement: str) -> None:
    assert problem(path, statement).problem in ("memory", "died", "engine")
    assert run(path, "SELECT 1").frame.rows() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    ["WITH RECURSIVE t AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM t) SELECT max(i) FROM t",
     "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7", "SELECT sleep_ms(60000)"],
)  # fmt: skip
def test_what_does_not_end_is_ended(path: Path, statement: str) -> None:
    began = time.monotonic()
    assert problem(path, statement, Limits(seconds=2)).problem == "seconds"
    assert time.monotonic() - began < 6


def test_deep_and_broken_text_is_told_and_not_died_of(path: Path) -> None:
    assert problem(path, f"SELECT {'(' * 30000}1{')' * 30000}").problem in ("engine", "died", "memory")
    assert problem(path, f"SELECT {'-' * 1}{'- ' * 30000}1").problem in ("engine", "died", "memory", "refused")
    assert problem(path, "SELECT 'never closed").problem == "engine"
    assert problem(path, "SELECT \x00").problem in ("engine", "refused")
    assert problem(path, "x" * (MAX_STATEMENT + 1)).problem == "refused"


def test_cancelled_is_gone_at_once(path: Path) -> None:
    wanted = threading.Event()
    threading.Timer(1.0, wanted.set).start()
    began = time.monotonic()
    with pytest.raises(AdhocError) as caught:
        run(path, "SELECT sleep_ms(60000)", LIMITS, wanted.is_set)
    assert caught.value.problem == "cancelled"
    assert time.monotonic() - began < 4
    assert not children()


def children() -> list[str]:
    """Workers of this process that are still there."""
    listed = subprocess.run(
        ["ps", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return [line for line in listed.stdout.splitlines() if "adhoc_worker" in line]


def test_a_worker_ends_with_whoever_waits_for_it(path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from sql.adhoc import run
from sql import adhoc
real = adhoc.subprocess.Popen
def told(*a, **k):
    made = real(*a, **k)
    print(made.pid, flush=True)
    return made
adhoc.subprocess.Popen = told
run(Path({str(path)!r}), "SELECT sleep_ms(60000)")
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    time.sleep(1.5)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        if not is_running(worker):
            return
        time.sleep(0.1)
    raise AssertionError("the worker outlived its parent")


def is_running(pid: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip()) and not listed.stdout.strip().startswith("Z")


def test_a_worker_has_nothing_of_the_servers_environment_and_the_systems_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "CANARY")
    code = """
import os, resource, tempfile
from sql.adhoc_limits import Limits, bound_process
bound_process(Limits())
told = {name: resource.getrlimit(getattr(resource, name))[0] for name in dir(resource) if name.startswith("RLIMIT")}
print(sorted(os.environ), told["RLIMIT_FSIZE"], told["RLIMIT_CORE"], told["RLIMIT_NOFILE"], told["RLIMIT_CPU"])
try:
    tempfile.TemporaryFile(buffering=0).write(b"x" * 10)
except OSError as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-P", "-c", code], env=adhoc_limits.environment(), cwd="/",
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert "CANARY" not in done.stdout
    assert "SECRET" not in done.stdout
    line, written = done.stdout.splitlines()
    assert line.endswith(" 0 0 64 35")
    assert written in ("OSError", "FileNotFoundError")  # not even a folder for temporary files can be tried


def test_a_damaged_snapshot_is_an_error_of_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "no.duckdb"
    path.write_bytes(b"x" * 20_000)
    assert problem(path, "SELECT 1").problem == "engine"


def test_settings_are_locked_last(engine: duckdb.DuckDBPyConnection) -> None:
    with engine.cursor() as asked:
        assert asked.execute("SELECT current_setting('lock_configuration')").fetchone() == (True,)
        for name, value in engine_settings(LIMITS).items():
            if isinstance(value, bool):
                assert asked.execute(f"SELECT current_setting('{name}')").fetchone() == (value,), name


def test_bubblewrap_is_put_around_where_it_works_and_not_missed_where_not(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a program in its place that notes its words and runs what follows `--`."""
    noted = tmp_path / "noted"
    wrap = tmp_path / "bwrap"
    wrap.write_text(f'#!/bin/sh\necho "$*" >> {noted}\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    wrap.chmod(wrap.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    adhoc_limits.has_walls.cache_clear()
    try:
        assert run(path, "SELECT 7").frame.rows() == [(7,)]
        told = noted.read_text().splitlines()[-1]
        assert "--unshare-all --die-with-parent" in told
        assert "--clearenv" in told
        assert f"--ro-bind {path} {path}" in told
        assert "--bind " not in told.replace("--ro-bind ", "")
        wrap.write_text("#!/bin/sh\nexit 1\n")
        adhoc_limits.has_walls.cache_clear()
        assert run(path, "SELECT 7").frame.rows() == [(7,)]
    finally:
        adhoc_limits.has_walls.cache_clear()


def test_worked_queries_are_the_readmes_and_run(published: Published) -> None:
    assert len(worked()) >= 10
    assert [query.number for query in worked()] == list(range(1, len(worked()) + 1))
    assert text().count("```sql") == len(worked())
    (rows,) = [run(published.snapshot, query.statement) for query in worked() if query.number == 2]
    assert isinstance(rows, Rows)
    assert isinstance(rows.frame, pl.DataFrame)
    assert rows.frame.height > 0


def test_nothing_of_a_statement_is_written_beside_its_answer(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Sink:
        told = b""

        def write(self, part: bytes) -> int:
            self.told += bytes(part)
            return len(part)

        def flush(self) -> None:
            return

    sink = Sink()
    answer(path, "SELECT nothing_like_it", LIMITS, sink)  # type: ignore[arg-type]  # as much of a file as is used
    assert b"nothing_like_it" in sink.told
    assert "".join(capfd.readouterr()) == ""


def test_the_address_space_holds_the_engines_memory_beside_what_libraries_take(path: Path) -> None:
    """With too little of it, one statement in ten ended for no reason that its asker could see."""
    code = f"""
import io
from pathlib import Path
from sql.adhoc_limits import Limits
from sql.adhoc_worker import answer
answer(Path({str(path)!r}), "SELECT DATE '2026-01-31' AS a, [1] AS b, sum(1) AS c", Limits(), io.BytesIO())
print(Path("/proc/self/status").read_text().split("VmPeak:")[1].split()[0])
"""
    if not Path("/proc/self/status").exists():
        return  # there is no bound of the address space to be held to
    done = subprocess.run([sys.executable, "-s", "-P", "-c", code], env=adhoc_limits.environment(), cwd="/",
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert int(done.stdout) / 1024 + LIMITS.engine_mb < LIMITS.process_mb
