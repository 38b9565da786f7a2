"""Unattended runs: printed units work as printed, and starts that overlap have their effect once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest

from etl.export import last_month
from etl.publish import current, read_meta
from etl.schedule import JOBS, cron, systemd
from tests.conftest import missing
from tests.installation import Installation

#: What cron gives a job (crontab(5)).
CRON_ENVIRONMENT = {"HOME": "/", "LOGNAME": "root", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
#: A path that a shell, cron or systemd would take apart.
ODD = "night $HOME 100% 'quoted'"


@pytest.fixture
def house(network: Path, tmp_path: Path) -> Installation:
    """Files wait in its inbox; its path needs quoting."""
    house = Installation(tmp_path / ODD, {"site": network / "site"})
    for number, path in enumerate(sorted((network / "files").rglob("*.hl7"))[:20]):
        shutil.copyfile(path, house.home.inbox / f"{number}.hl7")
    return house


def digest(house: Installation) -> str | None:
    newest = current(house.home)
    meta = read_meta(newest) if newest else None
    return meta.digest if meta else None


def printed(house: Installation, scheduler: str) -> str:
    return house.radops("schedule", scheduler, "--every", "1").stdout


def test_crontab_line_runs_in_the_shell_of_cron(house: Installation) -> None:
    lines = printed(house, "cron").splitlines()
    run, report = (next(line for line in lines if f" {verb} " in line) for verb in ("run", "export --period last"))
    assert (run[:11], report[:10]) == ("*/1 * * * *", "30 4 2 * *")
    assert as_cron(run[12:]) == (0, b"", b""), house.home.log
    log = (house.home.log / "cron.log").read_text("utf-8")
    assert "publish: snapshot 000001" in log
    assert digest(house) == house.digest()
    assert as_cron(report[11:]) == (0, b"", b""), house.home.log
    period = last_month(datetime.now().astimezone().date())
    assert (house.home.exports / period / f"radops_{period}.pdf").stat().st_size > 10_000


def as_cron(command: str) -> tuple[int, bytes, bytes]:
    """Exit code and output of a command of a crontab, run as cron runs it."""
    assert "%" not in command.replace(r"\%", "")  # cron would cut the line there
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace(r"\%", "%")], env=CRON_ENVIRONMENT, cwd="/", capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def units(text: str) -> dict[str, RawConfigParser]:
    """Unit files by the name that stands above each."""
    found = {}
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        name, _, content = part.partition("\n")
        found[name] = RawConfigParser(strict=False)  # a unit repeats keys
        found[name].read_string(content)
    return found


def test_a_report_is_of_the_month_that_is_over(house: Installation) -> None:
    assert [last_month(date(2026, month, day)) for month, day in ((1, 2), (3, 31), (12, 1))] == [
        "2025-12", "2026-02", "2026-11",
    ]  # fmt: skip
    found = units(printed(house, "systemd"))
    assert {name.partition(".")[0] for name in found} == {job.unit for job in JOBS}
    assert found["radops-export.service"]["Service"]["ExecStart"].endswith('"export" "--period" "last"')
    assert found["radops-export.timer"]["Timer"]["OnCalendar"] == "*-*-02 04:30:00"
    assert found["radops-export.timer"]["Timer"]["Persistent"] == "true"


def test_units_name_this_installation(house: Installation) -> None:
    text = printed(house, "systemd")
    service, _, timer = text.partition("# radops.timer")
    unit = units(text)["radops.service"]
    assert unit["Service"]["WorkingDirectory"] == str(Path(__file__).parents[2])
    assert unit["Service"]["ExecStart"] == f'"{sys.executable}" "-m" "etl.cli" "run"'
    assert unit["Service"]["SuccessExitStatus"] == "14"
    assert f'Environment="RADOPS_HOME={house.root}"'.replace("%", "%%") in service
    assert "OnCalendar=*:0/1\n" in timer


def test_the_script_is_named_where_it_was_called(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/my radops/bin/radops", "schedule", "cron"])
    assert "'/opt/my radops/bin/radops' run >>" in cron(house.home, 5)
    assert 'ExecStart="/opt/my radops/bin/radops" "run"' in systemd(house.home, 5)


def test_starts_that_overlap_have_one_effect(house: Installation) -> None:
    running = [
        subprocess.Popen(house.command("run"), env=house.environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    told = [(process.communicate()[1], process.returncode) for process in running]
    codes = sorted(code for _, code in told)
    assert set(codes) <= {0, 14}
    assert codes[0] == 0
    assert all("already running (process" in text for text, code in told if code == 14)
    assert len(house.rows("FROM raw_batch", "intake.duckdb")) == 1
    assert house.ledger()["read"] > 50
    assert [path.name for path in house.home.published.glob("radops-*")] == ["radops-000001.duckdb"]
    assert digest(house) == house.digest(full=True)


@contextmanager
def crontab(text: str) -> Iterator[None]:
    """The caller's crontab holds `text` for the block and is afterwards what it was."""
    before = subprocess.run(["crontab", "-l"], capture_output=True, check=False)
    subprocess.run(["crontab", "-"], input=text.encode(), check=True)
    try:
        yield
    finally:
        if before.returncode:
            subprocess.run(["crontab", "-r"], check=True)
        else:
            subprocess.run(["crontab", "-"], input=before.stdout, check=True)


@contextmanager
def cron_daemon() -> Iterator[None]:
    """A cron daemon for the block; where one runs already, this one ends at once and that one does the work."""
    daemon = subprocess.Popen([shutil.which("cron") or "/usr/sbin/cron", "-f"], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def test_real_cron_runs_the_night(house: Installation) -> None:
    if os.geteuid() or not (shutil.which("cron") or Path("/usr/sbin/cron").exists()) or not shutil.which("crontab"):
        missing("cron, as root", "apt-get install cron")
    with crontab(printed(house, "cron")), cron_daemon():
        deadline = time.monotonic() + 150
        while digest(house) is None and time.monotonic() < deadline:
            time.sleep(0.5)
    log = house.home.log / "cron.log"
    assert digest(house) is not None, log.read_text("utf-8") if log.exists() else "cron did not start the job"
    for _ in range(100):  # the run may still be tidying up, and hold its lock
        if house.radops("run", check=None).returncode == 0:
            break
        time.sleep(0.2)
    assert len(house.rows("FROM raw_batch", "intake.duckdb")) == 1
    assert digest(house) == house.digest(full=True)
