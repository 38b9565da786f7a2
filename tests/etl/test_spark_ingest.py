"""Ingest on Spark: tasks, parts, and files that kill or hang what parses them; the rows are those of the pool."""

from __future__ import annotations

import dataclasses
import importlib
import os
import subprocess
import sys
import zipfile
from concurrent.futures import Future
from pathlib import Path

import polars as pl
import pytest

from etl.errors import ClusterError, SettingsError
from etl.inbox import Candidate, scan
from etl.intake import open_intake
from etl.load import load
from etl.parsing import JobResult
from etl.pool import Parser
from etl.settings import Settings
from etl.spark import parser, parts, work
from etl.spark.folder import Folder
from etl.spark.work import Orders, Told, code, done
from tests.conftest import REPO
from tests.etl.test_poison import HOSTILE, dicom
from tests.installation import Installation
from tests.raw_rows import raw_rows
from tests.spark_cluster import needs_spark

MESSAGE = (
    b"MSH|^~\\&|RIS|EAST|X|Y|20260302100000||ORM^O01|%d|P|2.3.1\rPID|1||1^^^EAST\rORC|NW|A%d\rOBR|1|A%d||CT1^CT HEAD\r"
)
#: What files say of themselves to a source that does it, and why they are rejected then.
POISON = {
    7: (b"SEGFAULT", "parser_crashed"), 25: (b"SLEEPING", "parser_crashed"), 26: (b"SURROGAT", "parser_failed"),
    27: (b"SPINNING", "too_slow"),
}  # fmt: skip


@pytest.fixture
def found(tmp_path: Path) -> list[Candidate]:
    """Files of which one cannot be used, one says a time that is none, and one is gone."""
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(45):
        (folder / f"{number:02}.hl7").write_bytes(MESSAGE % (number, number, number))
    (folder / "07.hl7").write_bytes(b"\x00 nothing known")
    (folder / "08.hl7").write_bytes((MESSAGE % (8, 8, 8)).replace(b"20260302", b"20261399"))
    seen = list(scan([folder]))
    (folder / "09.hl7").unlink()
    return seen


def orders(folder: Path) -> Orders:
    (folder / "parts").mkdir()
    installation = Installation(folder / "home")
    return Orders(Folder(folder / "parts"), installation.home.settings, installation.home.load_site(), code())


def outcome(results: list[JobResult]) -> tuple[list[dict[str, object]], dict[str, list[tuple[object, ...]]]]:
    """All that results say, however they are cut."""
    files = [dataclasses.asdict(file) for result in results for file in result.files]
    kinds = sorted({kind for result in results for kind in result.frames})
    frames = {kind: pl.concat([r.frames[kind] for r in results if kind in r.frames]).rows() for kind in kinds}
    return files, frames


@pytest.mark.parametrize("n_before", [0, 1])
def test_a_task_tells_what_the_pool_does(found: list[Candidate], tmp_path: Path, n_before: int) -> None:
    """At the first attempt and at the second, which parses in a process apart."""
    given = orders(tmp_path)
    (told,) = done(given, (3, found), (n_before, 17))
    assert (told.task, told.part, told.problem) == (3, "00000003-17-0000", "")
    result = parts.read(given.folder, parts.Part(told.part, told.rows), found)
    expected = list(Parser(given.settings, given.site).parse(found))
    assert outcome([result]) == outcome(expected)
    assert [file.candidate for file in result.files] == found
    assert sum(bool(file.rejected) for file in result.files) == 1
    assert [file.skipped for file in result.files if file.skipped] == ["vanished"]
    assert {path.stat().st_mode & 0o777 for path in given.folder.here.iterdir()} == {0o600}


def test_a_task_of_much_writes_several_parts(
    found: list[Candidate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are put together in order, and removed as they are loaded."""
    monkeypatch.setattr(work, "PART_BYTES", 500)
    monkeypatch.setattr("etl.parsing.JOB_BYTES", 300)
    given = orders(tmp_path)
    told = list(done(given, (0, found), (0, 1)))
    assert len(told) > 5
    results = list(parser._results(given.folder, [(0, found)], told[::-1]))
    assert [file.candidate for result in results for file in result.files] == found
    assert outcome(results) == outcome(list(Parser(given.settings, given.site).parse(found)))
    assert list(given.folder.here.iterdir()) == []


def test_only_what_spark_told_is_loaded(found: list[Candidate], tmp_path: Path) -> None:
    """An attempt that nobody told of lies there and counts for nothing; files that nobody told of are an error."""
    given = orders(tmp_path)
    told = list(done(given, (0, found), (0, 1)))
    list(done(given, (0, found), (1, 2)))
    results = list(parser._results(given.folder, [(0, found)], told))
    assert [file.candidate for result in results for file in result.files] == found
    assert {path.name.split("-")[1] for path in given.folder.here.iterdir()} == {"2"}
    with pytest.raises(ClusterError, match="task 0 told of 0 files and not of its 45"):
        list(parser._results(given.folder, [(0, found)], []))


def test_a_part_with_other_rows_is_refused(found: list[Candidate], tmp_path: Path) -> None:
    given = orders(tmp_path)
    (told,) = done(given, (0, found), (0, 1))
    event = given.folder.here / f"{told.part}-event.parquet"
    pl.read_parquet(event).head(3).write_parquet(event)
    with pytest.raises(ClusterError, match="other rows"):
        list(parser._results(given.folder, [(0, found)], [told]))


def test_executors_with_another_radops_are_refused(found: list[Candidate], tmp_path: Path) -> None:
    given = dataclasses.replace(orders(tmp_path), code="another")
    told = list(done(given, (0, found), (0, 1)))
    assert told == [Told(0, "", "", "other code")]
    assert list(given.folder.here.iterdir()) == []
    with pytest.raises(SettingsError, match="install this radops on all hosts"):
        list(parser._results(given.folder, [(0, found)], told))


def test_archives_are_not_read_again_before_each_task(found: list[Candidate], tmp_path: Path) -> None:
    """Spark asks Python for that; an archive is imported from as before."""
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("once_and_again_1.py", "")
        file.writestr("once_and_again_2.py", "")
    sys.path.append(str(archive))
    try:
        importlib.import_module("once_and_again_1")
        assert str(archive) in sys.path_importer_cache
        list(done(orders(tmp_path), (0, found), (0, 1)))
        assert str(archive) not in sys.path_importer_cache
        importlib.import_module("once_and_again_2")
    finally:
        sys.path.remove(str(archive))


def test_what_fails_on_an_executor_tells_no_value(found: list[Candidate], tmp_path: Path) -> None:
    given = dataclasses.replace(orders(tmp_path), folder=Folder(tmp_path / "PATIENT^NAME"))
    with pytest.raises(RuntimeError, match="radops: FileNotFoundError at ") as raised:
        list(done(given, (0, found), (0, 1)))
    assert "PATIENT" not in str(raised.value)


def test_a_run_that_nobody_works_on_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not while there is an executor, however long it takes."""
    monkeypatch.setattr(parser, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(parser, "ALONE_SECONDS", 0.05)
    n_executors = iter([0, 0, 0, 1, *[0] * 99])
    monkeypatch.setattr(parser, "_has_executors", lambda _spark: next(n_executors))
    with pytest.raises(ClusterError, match="no executor within"):
        parser._answer(None, Future())  # type: ignore[arg-type]
    assert next(n_executors) == 0
    assert len(list(n_executors)) in range(85, 95)


@pytest.mark.parametrize(("n", "size", "most"), [(0, 1, 0), (1, 1, 1), (19, 1, 19), (900, 1, 29), (9000, 1, 200),
                                                 (50, 100 << 20, 2)])  # fmt: skip
def test_tasks_hold_all_files_in_order(n: int, size: int, most: int) -> None:
    candidates = [Candidate(f"/{number}", size, 0) for number in range(n)]
    tasks = list(parser.cut(candidates))
    assert [number for number, _ in tasks] == list(range(len(tasks)))
    assert [candidate for _, task in tasks for candidate in task] == candidates
    assert max((len(task) for _, task in tasks), default=0) == most


def test_spark_is_imported_only_where_it_is_asked_for() -> None:
    probe = "import sys, etl.cli, etl.pipeline, etl.spark.parser, etl.spark.work; print('pyspark' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", probe], cwd=REPO, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_without_java_the_fix_is_told(tmp_path: Path) -> None:
    home = Installation(tmp_path)
    (home.home.inbox / "a.hl7").write_bytes(MESSAGE % (1, 1, 1))
    told = home.radops("ingest", "--engine", "spark", check=10, PATH=str(tmp_path), JAVA_HOME="")
    assert "Java 17" in told.stderr or "radops[spark]" in told.stderr
    assert home.ledger()["read"] == 0


def test_files_that_kill_and_hang_cost_only_themselves(tmp_path: Path) -> None:
    """A file that crashes Python and one that no signal interrupts: the executor's Python dies of each, and goes on."""
    needs_spark()
    (tmp_path / "sitecustomize.py").write_text(HOSTILE, "utf-8")
    home = Installation(tmp_path / "home", {"file_seconds": 0.4, "worker_memory_mb": 1024})
    for number in range(30):
        (home.home.inbox / f"{number:02}.dcm").write_bytes(dicom(POISON.get(number, (b"GOODGOOD", ""))[0], number))
    path = f"{tmp_path}{os.pathsep}{REPO}"
    home.radops("ingest", "--engine", "spark", "--master", "local[1]", PYTHONPATH=path, RADOPS_MAX_REJECTS="1")
    reasons = home.rows("SELECT path[-6:-5], reason FROM raw_quarantine ORDER BY 1", "intake.duckdb")
    assert reasons == [(f"{number:02}", reason) for number, (_, reason) in POISON.items()]
    assert home.ledger() == {"read": 30, "kept": 26, "rejected": 4, "duplicate": 0}
    assert list((home.root / "spark").iterdir()) == []


def test_the_pool_makes_the_same_rows_of_them(found: list[Candidate], tmp_path: Path) -> None:
    """Through the loading transaction: what tells the raw stores of two homes apart tells these apart."""
    given = orders(tmp_path)

    class Tasks:
        settings = Settings(home=tmp_path)

        def parse(self, candidates: list[Candidate]):
            for task in parser.cut(candidates):
                yield from parser._results(given.folder, [task], list(done(given, task, (0, 1))))

    stores = []
    for name, own in (("pool", Parser(given.settings, given.site)), ("tasks", Tasks())):
        with open_intake(tmp_path / f"{name}.duckdb") as con:
            counts = load(con, own, found)
            assert (counts.read, counts.kept, counts.rejected, counts.skipped) == (44, 43, 1, 1)
            stores.append(raw_rows(con))
    assert stores[0] == stores[1]
