"""Answers are put down beside a new snapshot by a process of its own; whoever serves it shows the same with them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import sql.snapshot
from app import beforehand, failure, server, warm
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
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any snapshot is as a large one."""
    monkeypatch.setattr(sql.snapshot, "LARGE", 0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what takes long none is made."""
    monkeypatch.setattr(warm, "_periods", lambda *_: iter(()))
    monkeypatch.setattr(warm, "_parts", lambda *_: iter(()))


def repeats(newest: Snapshot) -> Iterator[warm.Asked]:
    """One view that takes long."""
    return warm._each(LOCAL, ["en"], [("/repeats", warm._after(newest, period="all"))])


def snapshot_of(folder: Path) -> Path:
    return (folder / POINTER).resolve()


@pytest.fixture(scope="module")
def network(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published folder of a simulated network, of its own, with answers put down."""
    folder, by_exams = tmp_path_factory.mktemp("network"), warm._by_exams
    shutil.copyfile(published.snapshot, folder / "radops-000001.duckdb")
    (folder / POINTER).symlink_to("radops-000001.duckdb")
    with pytest.MonkeyPatch.context() as fewer:
        fewer.setattr(warm, "_by_exams", lambda *told: by_exams(*told)[:1])
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
    assert len(list(Beforehand(folder, 0.2)(snapshot, lambda: True))) == 1
    assert snapshot.has_answers(whole=True)
    assert {path.name for path in folder.iterdir()} == {POINTER, snapshot.path.name, beside(snapshot.path).name}


def test_it_is_ended_where_another_snapshot_is_published(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshot = Store(folder).current()
    assert list(Beforehand(folder, 0.2)(snapshot, lambda: False)) == []
    assert not snapshot.has_answers()
    assert caplog.text == ""


def test_where_they_cannot_be_put_down_it_is_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    snapshot = Store(folder).current()
    part(snapshot.path).mkdir()
    assert list(Beforehand(folder, 0.2)(snapshot, lambda: True)) == []
    assert not snapshot.has_answers()
    assert [(record.name, record.levelname) for record in caplog.records] == [(failure.LOG.name, "WARNING")]


def test_a_process_that_cannot_be_started_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(beforehand.sys, "executable", str(folder / "nothing"))
    assert list(Beforehand(folder, 0.2)(Store(folder).current(), lambda: True)) == []
    assert "FileNotFoundError" in caplog.text


def test_those_that_all_look_at_are_found_while_the_rest_is_put_down(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever begins anew, because the one before was ended, puts down all."""
    served, seen = Store(folder).current(), list[bool]()
    monkeypatch.setattr(warm, "_periods", lambda *_: iter(()))

    def parts(*_: object) -> Iterator[warm.Asked]:
        seen.extend([served.has_answers(), served.has_answers(whole=True)])
        raise KeyboardInterrupt

    monkeypatch.setattr(warm, "_parts", parts)
    with pytest.raises(KeyboardInterrupt):
        put_down(folder, 1.0)
    assert seen == [True, False]
    assert [path.name for path in folder.glob(".*")] == [beside(served.path).name]
    monkeypatch.setattr(warm, "_parts", lambda *_: iter(()))
    put_down(folder, 1.0)
    assert served.has_answers(whole=True)


@pytest.mark.usefixtures("large", "few")
def test_while_it_is_put_down_the_one_before_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And views are made beforehand of the new one as soon as it is shown; what takes long, once all is put down."""
    monkeypatch.setattr(warm, "SHARE", 0.0)
    monkeypatch.setattr(warm, "_parts", lambda *told: repeats(told[-1]))
    store = Store(folder, holds=1e9)
    shown: list[tuple[int, bool]] = []

    def prepare(newest: Snapshot, _: object) -> Generator[None]:
        with Recorder(newest.path, newest.id) as recorder:
            recorder.offer()
            yield
            recorder.finish()

    warmer = Views(store, Gate(2, 8, 30.0)).warmer(prepare)
    makes = warmer._make

    def make(asked: warm.Asked) -> None:
        makes(asked)
        shown.append((store.current().seq, store.newest().has_answers(whole=True)))

    warmer._make = make
    warmer.look(LOCAL)
    assert shown[0] == (1, False), "there was none before"
    assert shown[-1] == (1, True)
    publish(folder, 2, 40)
    assert (store.current().seq, store.newest().seq, store.at(2).seq) == (1, 2, 2)
    shown.clear()
    warmer.look(LOCAL)
    assert {seq for seq, _ in shown} == {2}
    assert shown[-1] == (2, True)


@pytest.mark.usefixtures("large", "few")
def test_it_is_shown_at_once_where_none_are_put_down(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Because that failed, or because it takes its part of the time already."""
    store = Store(folder, holds=1e9)
    warmer = Views(store, Gate(2, 8, 30.0)).warmer(warm._unprepared)
    warmer.look(LOCAL)
    for seq, part_of_the_time in ((2, 0.0), (3, 1e9), (4, 1e9)):
        publish(folder, seq, 40 + seq)
        assert store.current().seq == seq - 1
        monkeypatch.setattr(warm, "SHARE", part_of_the_time)
        warmer._long_from = 0.0 if seq < 4 else warmer._long_from
        warmer.look(LOCAL)
        assert store.current().seq == seq


@pytest.mark.usefixtures("large")
def test_who_has_seen_it_elsewhere_is_shown_it(folder: Path) -> None:
    """By another process, which holds it back no longer."""
    store = Store(folder, holds=1e9)
    store.current()
    publish(folder, 2, 40)
    assert (server._lags(store, "1"), store.current().seq) == (False, 1)
    assert (server._lags(store, "2"), store.current().seq) == (False, 2)
    assert server._lags(store, "3")


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
    def periods(*_: object) -> Iterator[warm.Asked]:
        publish(folder, 2, 40)
        return repeats(Store(folder).current())

    monkeypatch.setattr(warm, "_periods", periods)
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
        assert list(Beforehand(folder, 0.2)(Store(folder).current(), lambda: True)) == []
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
