"""Faults of the engine, the disk and other programs: told in words with an exit code, and never with a value."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from etl.cli import main
from etl.errors import AlreadyRunningError, CheckFailedError, RadopsError, SettingsError
from etl.faults import explain, place
from etl.home import Home
from etl.log import Log
from etl.publish import current, publish, read_meta
from etl.settings import Settings
from etl.site import SiteError
from etl.status import last_stages
from tests.conftest import REPO

MESSAGE = (
    "MSH|^~\\&|RIS|EAST|X|Y|20260302100000||ORM^O01|1|P|2.3.1\rPID|1||1^^^EAST||DOE^JANE\r"
    "ORC|NW|A1|||||||20260302100000\rOBR|1|A1||CT1^CT HEAD||||||||||||||||||||CT\r"
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a home with one message that has run once; `home` is a copy."""
    home = Home(tmp_path_factory.mktemp("published") / "home", Settings())
    home.prepare()
    (home.inbox / "a.hl7").write_text(MESSAGE, "ascii")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RADOPS_HOME", str(home.root))
        assert radops("run").returncode == 0
    return home.root


@pytest.fixture
def home(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("RADOPS_HOME", str(tmp_path / "home"))
    shutil.copytree(published, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home", Settings())


def radops(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "etl.cli", *arguments]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)


def engine_error(path: Path) -> duckdb.Error:
    path.write_bytes(b"\xff" * 12288)
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect(str(path))
    return caught.value


@pytest.mark.parametrize(
    ("error", "kind", "part"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), CheckFailedError, "no space left"),
        (duckdb.IOException("Could not write: No space left on device"), CheckFailedError, "no space left"),
        (SiteError("site.toml: unknown time zone 'Mars'"), SettingsError, "site.toml"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/inbox"), SettingsError, "/x/inbox: no permission"),
        (CheckFailedError("said already"), CheckFailedError, "said already"),
    ],
)
def test_faults_in_words(error: Exception, kind: type[RadopsError], part: str) -> None:
    known = explain(error)
    assert type(known) is kind
    assert part in str(known)


def test_damaged_database_in_words(tmp_path: Path) -> None:
    known = explain(engine_error(tmp_path / "marts.duckdb"))
    assert isinstance(known, CheckFailedError)
    assert "marts.duckdb is damaged" in str(known)


def test_bug_is_told_by_place_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError("DOE^JANE")

    monkeypatch.setattr("etl.cli.app", fail)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    told = capsys.readouterr().err
    assert "ValueError at " in told
    assert "etl/cli.py:" in told
    assert "DOE" not in told
    assert explain(ValueError("DOE^JANE")) is None
    assert place(ValueError("x")) == "ValueError at start"


@pytest.mark.parametrize("name", ["intake", "marts"])
def test_open_database_names_its_holder(home: Home, name: str) -> None:
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(home.root / f"{name}.duckdb")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        done = radops("run")
    finally:
        holder.communicate()
    assert done.returncode == AlreadyRunningError.exit_code
    assert f"open in process {holder.pid}" in done.stderr
    assert "Traceback" not in done.stderr
    assert radops("run").returncode == 0


def test_damaged_marts_are_rebuilt(home: Home) -> None:
    newest = current(home)
    assert newest is not None
    before = read_meta(newest)
    assert before is not None
    home.marts.write_bytes(b"\xff" * 12288)
    done = radops("run")
    assert (done.returncode, "rebuild" in done.stderr) == (13, True)
    assert last_stages(home)["failed"]["stage"] == "build"
    assert read_meta(newest) == before
    assert radops("rebuild").returncode == 0
    assert publish(home).digest == before.digest


def test_damaged_snapshot_is_replaced(home: Home) -> None:
    first = current(home)
    assert first is not None
    first.chmod(0o640)
    first.write_bytes(b"\xff" * 12288)
    assert read_meta(first) is None
    assert radops("status").returncode == 0
    made = publish(home)
    assert made.is_new
    assert current(home) == made.path != first
    assert not publish(home).is_new


def test_what_a_killed_publish_left_has_no_effect(home: Home, tmp_path: Path) -> None:
    """The engine's log of a half-made copy must not be applied to the next copy of the same name."""
    newest = current(home)
    assert newest is not None
    half = home.published / f".{newest.name}.tmp"
    code = (
        "import duckdb, os, shutil, sys; shutil.copyfile(sys.argv[1], sys.argv[2]); c = duckdb.connect(sys.argv[2]);"
        "c.execute('DROP TABLE meta_build'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(home.marts), str(half)], check=False)
    assert half.with_name(f"{half.name}.wal").exists()
    newest.unlink()
    (home.published / "radops.duckdb").unlink()
    made = publish(home)
    assert made.path.name == newest.name
    assert read_meta(made.path) is not None
    assert [p.name for p in home.published.iterdir() if ".tmp" in p.name] == []


def test_torn_log_line_is_passed_over(home: Home) -> None:
    (home.log / "radops.log").unlink()
    Log(home.log, is_quiet=True).stage("build", n_exams=1)
    with (home.log / "radops.log").open("a") as file:
        file.write('{"event": "publ')
    assert last_stages(home)["build"]["n_exams"] == 1
    assert json.loads((home.log / "radops.log").read_text("ascii").splitlines()[0])["event"] == "build"
    assert os.access(home.log, os.W_OK)
