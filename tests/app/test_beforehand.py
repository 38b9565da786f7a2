"""Answers are put down beside a new snapshot by a process of its own; whoever serves it shows the same with them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import beforehand, failure, warm
from app.beforehand import Beforehand, put_down
from app.gate import Gate
from app.guard import LOCAL, Person
from app.pages import MENU
from app.views import Views
from app.warm import LONG
from sql.answer_files import beside, part
from sql.asked_before import Recorder
from sql.snapshot import POINTER, Snapshot, Store
from tests.app.test_views import publish
from tests.published import Published

#: A view that no process has made beforehand, and those that it has.
OWN = [("/turnaround", "modality=CT&since=2026-01-05"), ("/exams", "period=all")]
MADE = [*((page.path, "") for page in MENU), *((path, "period=all") for path in LONG),
        ("/metric", "period=all&metric=report_final"), ("/turnaround", "period=all&modality=CT")]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one snapshot, by hand."""
    publish(tmp_path, 1, 30)
    return tmp_path


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of other periods none are made."""
    monkeypatch.setattr(warm, "_others", lambda *_: iter(()))


def snapshot_of(folder: Path) -> Path:
    return (folder / POINTER).resolve()


@pytest.fixture(scope="module")
def network(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published folder of a simulated network, of its own, with answers put down."""
    folder = tmp_path_factory.mktemp("network")
    shutil.copyfile(published.snapshot, folder / "radops-000001.duckdb")
    (folder / POINTER).symlink_to("radops-000001.duckdb")
    put_down(folder, 1.0)
    return folder


def bodies(folder: Path, views: list[tuple[str, str]], person: Person = LOCAL) -> Iterator[bytes]:
    """Views by one process that has made none yet."""
    served = Views(Store(folder), Gate(2, 8, 30.0))
    for path, search in views:
        yield served.view(person, path, search, "dark", {}).raw()


def test_pages_are_the_same_with_them_and_without(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    run = Snapshot._run

    def noted(self: Snapshot, sql: str, *args: Any, **options: Any) -> Any:
        told.append(sql)
        return run(self, sql, *args, **options)

    monkeypatch.setattr(Snapshot, "_run", noted)
    east = Person("somebody", facilities=("EAST",), sees_readers=False)
    asked = [*MADE, *OWN]
    with_them, of_east = list(bodies(network, asked)), list(bodies(network, asked, east))
    told.clear()
    assert list(bodies(network, MADE)) == with_them[: len(MADE)]
    n_with = len(told)
    answers = beside(snapshot_of(network))
    aside = answers.rename(answers.with_name("aside"))
    try:
        told.clear()
        assert list(bodies(network, asked)) == with_them
        assert n_with < len(told) / 20
        assert list(bodies(network, asked, east)) == of_east
    finally:
        aside.rename(answers)


def test_a_process_of_its_own_puts_them_down(folder: Path) -> None:
    snapshot = Store(folder).current()
    Beforehand(folder, 0.2)(snapshot, lambda: True)
    assert snapshot.has_answers()
    assert {path.name for path in folder.iterdir()} == {POINTER, snapshot.path.name, beside(snapshot.path).name}


def test_it_is_ended_where_another_snapshot_is_published(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshot = Store(folder).current()
    Beforehand(folder, 0.2)(snapshot, lambda: False)
    assert not snapshot.has_answers()
    assert caplog.text == ""


def test_where_they_cannot_be_put_down_it_is_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshot = Store(folder).current()
    part(snapshot.path).mkdir()
    Beforehand(folder, 0.2)(snapshot, lambda: True)
    assert not snapshot.has_answers()
    assert [(record.name, record.levelname) for record in caplog.records] == [(failure.LOG.name, "WARNING")]


def test_a_process_that_cannot_be_started_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(beforehand.sys, "executable", str(folder / "nothing"))
    Beforehand(folder, 0.2)(Store(folder).current(), lambda: True)
    assert "FileNotFoundError" in caplog.text


@pytest.mark.usefixtures("few")
def test_they_are_put_down_once_and_of_the_newest(folder: Path) -> None:
    put_down(folder, 1.0)
    first = beside(snapshot_of(folder))
    written = first.stat().st_ino
    put_down(folder, 1.0)
    assert first.stat().st_ino == written
    publish(folder, 2, 40)
    put_down(folder, 1.0)
    assert beside(snapshot_of(folder)).exists()
    assert not first.exists()


def test_none_are_put_down_of_what_is_not_the_newest_any_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def others(*_: object) -> Iterator[warm.Asked]:
        publish(folder, 2, 40)
        return iter(())

    monkeypatch.setattr(warm, "_others", others)
    put_down(folder, 1.0)
    assert not list(folder.glob(".*"))


def test_it_ends_with_who_started_it(folder: Path) -> None:
    """One that waits for its turn: as long as the folder is locked."""
    with _Locked(folder), subprocess.Popen(Beforehand(folder, 0.2)._command, stdin=subprocess.PIPE) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2.0)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20.0) == 1
    assert not list(folder.glob(".*"))


def test_one_that_waited_finds_them(folder: Path) -> None:
    newest = Store(folder).current()
    with subprocess.Popen(Beforehand(folder, 0.2)._command, stdin=subprocess.PIPE) as process:
        with _Locked(folder), Recorder(newest.path, newest.id) as recorder:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(2.0)
            recorder.finish()
            written = beside(newest.path).stat().st_ino
        assert process.wait(60.0) == 0
    assert beside(newest.path).stat().st_ino == written


def test_one_that_stands_still_is_ended_and_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(beforehand, "PATIENCE", 1.0)
    with _Locked(folder):
        Beforehand(folder, 0.2)(Store(folder).current(), lambda: True)
    assert not list(folder.glob(".*"))
    assert f"(-{int(signal.SIGKILL)})" in caplog.text


class _Locked:
    """The folder as one has it who puts answers down."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.open(folder, os.O_RDONLY)

    def __enter__(self) -> None:
        beforehand.fcntl.flock(self._folder, beforehand.fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._folder)
