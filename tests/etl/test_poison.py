"""Input that kills, hangs or confuses a parser is quarantined, the files around it are kept, and no process stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from etl.home import Home
from etl.inbox import Candidate, scan
from etl.intake import open_intake
from etl.ledger import Counts, new_candidates
from etl.load import load
from etl.pool import DEATHS, JOB_FILES, Parser
from etl.settings import Settings
from tests.conftest import REPO

#: A source that does what the file's bytes 132 to 140 say; processes find it through `sitecustomize`.
HOSTILE = """
import ctypes
import signal
import time
import etl.sources
from etl.records import Parsed

def parse(data, site):
    word = data[132:140]
    parsed = Parsed("dicom", read=1)
    if word == b"SEGFAULT":
        ctypes.string_at(0)
    if word == b"SLEEPING":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})  # as work in C that never returns
        time.sleep(600)
    if word == b"SPINNING":
        while True:
            sum(range(1000))
    if word == b"MISCOUNT":
        parsed.read = 2
    parsed.add("instance", 0, {
        "sop_hash": data[132:].hex(),
        "station": "\\ud800" if word == b"SURROGAT" else None,
        "frames": 2**70 if word == b"TOOLARGE" else 1,
    })
    return parsed

etl.sources.source = lambda standard: etl.sources.Source(parse, lambda data: [data])
"""
MESSAGE = (
    b"MSH|^~\\&|RIS|EAST|X|Y|20260302100000||ORM^O01|%d|P|2.3.1\rPID|1||1^^^EAST\rORC|NW|A%d\rOBR|1|A%d||CT1^CT HEAD\r"
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", Settings(file_seconds=0.4, worker_memory_mb=1024))
    home.prepare()
    return home


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOSTILE, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{REPO}")


def ingest(home: Home) -> Counts:
    with open_intake(home.intake) as con:
        return load(con, Parser(home.settings, home.load_site()), new_candidates(con, scan([home.inbox])))


def rows(home: Home, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.intake), read_only=True) as con:
        return con.execute(sql).fetchall()


def dicom(word: bytes, number: int = 0) -> bytes:
    return bytes(128) + b"DICM" + word + bytes([number])


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize(
    ("word", "reason"),
    [
        (b"SEGFAULT", "parser_crashed"),
        (b"SLEEPING", "parser_crashed"),
        (b"SPINNING", "too_slow"),
        (b"SURROGAT", "parser_failed"),
        (b"TOOLARGE", "parser_failed"),
        (b"MISCOUNT", "parser_failed"),
    ],
)
def test_one_poisoned_file_costs_only_itself(home: Home, word: bytes, reason: str) -> None:
    for number in range(4):
        (home.inbox / f"{number}.dcm").write_bytes(dicom(b"GOODGOOD", number))
    (home.inbox / "1b.dcm").write_bytes(dicom(word))
    counts = ingest(home)
    assert (counts.read, counts.kept, counts.rejected, counts.reasons) == (5, 4, 1, {reason: 1})
    assert rows(home, "SELECT reason, octet_length(content) FROM raw_quarantine") == [(reason, 141)]
    assert rows(home, "SELECT count(*), count(DISTINCT sop_hash) FROM raw_instance") == [(4, 4)]
    again = ingest(home)
    assert (again.files, again.read) == (0, 0)


@pytest.mark.usefixtures("hostile")
@pytest.mark.parametrize("word", [b"SEGFAULT", b"SLEEPING"])
def test_the_file_at_fault_is_known_at_once(home: Home, word: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs as many processes as it may and no more, whatever stands before and behind it."""
    for number in range(9):
        (home.inbox / f"{number}.dcm").write_bytes(dicom(word if number == 6 else b"GOODGOOD", number))
    started: list[Parser] = []
    start = Parser.start
    monkeypatch.setattr(Parser, "start", lambda self: started.append(self) or start(self))
    parser = Parser(Settings(file_seconds=0.4, worker_memory_mb=1024, workers=1), home.load_site())
    results = list(parser.parse(list(scan([home.inbox]))))
    assert sum(bool(file.rejected) for result in results for file in result.files) == 1
    assert len(started) == 1 + DEATHS


def test_file_beyond_the_memory_limit_is_not_read(home: Home) -> None:
    (home.inbox / "a.hl7").write_bytes(MESSAGE % (1, 1, 1))
    with (home.inbox / "b.hl7").open("wb") as file:
        file.truncate(40 << 30)
    counts = ingest(home)
    assert (counts.kept, counts.reasons) == (1, {"too_large": 1})


def test_name_that_is_no_text_is_read(home: Home) -> None:
    with open(os.fsencode(home.inbox) + b"/\xff\xfe.hl7", "wb") as file:
        file.write(MESSAGE % (1, 1, 1))
    assert ingest(home).kept == 1
    assert rows(home, "SELECT path LIKE '%\\xff\\xfe.hl7' FROM raw_path") == [(True,)]
    assert ingest(home).files == 0


def test_file_that_changes_after_the_scan_is_left_for_the_next(home: Home) -> None:
    path = home.inbox / "a.hl7"
    path.write_bytes(MESSAGE % (1, 1, 1))
    candidates = list(scan([home.inbox]))
    with path.open("ab") as file:
        file.write(MESSAGE % (2, 2, 2))
    with open_intake(home.intake) as con:
        counts = load(con, Parser(home.settings, home.load_site()), candidates)
    assert (counts.skipped, counts.read) == (1, 0)
    assert ingest(home).kept == 2


def test_results_come_in_the_order_asked(home: Home) -> None:
    for number in range(2 * JOB_FILES + 50):
        (home.inbox / f"{number:03}.hl7").write_bytes(MESSAGE % (number, number, number))
    found: list[Candidate] = list(scan([home.inbox]))
    results = list(Parser(home.settings, home.load_site()).parse(found))
    assert [file.candidate for result in results for file in result.files] == found
    assert len(results) == 3


CHILD = """
import sys
from pathlib import Path
from etl.home import Home
from etl.inbox import scan
from etl.pool import DEATHS, Parser
from etl.settings import Settings

if __name__ == "__main__":
    home = Home(Path(sys.argv[1]), Settings(workers=2))
    for result in Parser(home.settings, home.load_site()).parse(list(scan([home.inbox]))):
        print("parsed", flush=True)
        sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_parser_processes_end_with_the_writer(home: Home, tmp_path: Path) -> None:
    for number in range(900):
        (home.inbox / f"{number:03}.hl7").write_bytes(MESSAGE % (number, number, number))
    script = tmp_path / "child.py"
    script.write_text(CHILD, "utf-8")
    writer = subprocess.Popen(
        [sys.executable, str(script), str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPO)}, cwd=tmp_path,
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == b"parsed\n"
    children = descendants(writer.pid)
    assert len(children) >= 2
    writer.kill()
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()
    for _ in range(100):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            return
        time.sleep(0.1)
    pytest.fail("parser processes outlive the writer")


def descendants(process: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()}
