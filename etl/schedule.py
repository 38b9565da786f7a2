"""Units for the night: crontab lines and systemd services with timers, with this installation's paths.

Each of `JOBS` is a line of the crontab, and a service with a timer; a new job is a row of that table.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.home import Home

#: Settings that a scheduled run must see as this shell does.
PASSED = "RADOPS_"


@dataclass(frozen=True, slots=True)
class Job:
    """What is started when: `unit` names its service and timer and, for all but the run, its log. In `cron`,
    `calendar` (systemd.time(7)) and `told`, {every} stands for the minutes between two runs."""

    unit: str
    verb: tuple[str, ...]
    cron: str
    calendar: str
    told: str
    log: str = "cron.log"
    good_codes: str = ""  # exit codes beside 0 that are no failure


#: On the 2nd the month is over in every time zone; a late report finds its way into the next edition.
#: The digest goes once; its other starts are for those whom it did not reach.
JOBS: tuple[Job, ...] = (
    Job("radops", ("run",), "*/{every} * * * *", "*:0/{every}", "ingest, build, publish", good_codes="14"),
    Job("radops-digest", ("digest",), "10,40 6-9 * * *", "*-*-* 06..09:10,40:00", "digest of the day"),
    Job("radops-export", ("export", "--period", "last"), "30 4 2 * *", "*-*-02 04:30:00", "report of the month before"),
)


def program() -> list[str]:
    """The words that start this installation, before the verb."""
    script = Path(sys.argv[0])
    return [str(script.resolve())] if script.name == "radops" else [sys.executable, "-m", "etl.cli"]


def command(verb: Sequence[str] = ("run",)) -> list[str]:
    """The words that start a verb with this installation, whatever the folder they are started in."""
    return [*program(), *verb]


def folder() -> Path:
    """Where `python -m etl.cli` finds this installation; the script does not need it."""
    return Path(__file__).resolve().parents[1]


def environment(home: Home) -> dict[str, str]:
    """RADOPS_* variables of this shell with the home made absolute."""
    own = {k: v for k, v in sorted(os.environ.items()) if k.startswith(PASSED) and k != "RADOPS_REQUIRE_ALL"}
    return {**own, "RADOPS_HOME": str(home.root)}


def cron(home: Home, every_minutes: int) -> str:
    """A crontab entry a job. cron treats % as a line break, so it is escaped; output goes to the log folder."""
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment(home).items())
    lines = [
        f"{job.cron.format(every=every_minutes)} cd {shlex.quote(str(folder()))} && {settings} "
        f"{shlex.join(command(job.verb))} >>{shlex.quote(str(home.log / job.log))} 2>&1"
        for job in JOBS
    ]
    return "".join(line.replace("%", r"\%") + "\n" for line in lines)


def _unit_word(text: str) -> str:
    """`text` as one word of a unit file (systemd.syntax(7)); % begins a specifier there."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def systemd(home: Home, every_minutes: int) -> str:
    """A service and a timer a job, each below the name that it is to be saved under."""
    return "\n".join(_units(home, job, every_minutes) for job in JOBS)


def _units(home: Home, job: Job, every_minutes: int) -> str:
    lines = "\n".join(f"Environment={_unit_word(f'{key}={value}')}" for key, value in environment(home).items())
    started = " ".join(_unit_word(word).replace("$", "$$") for word in command(job.verb))
    good = f"SuccessExitStatus={job.good_codes}\n" if job.good_codes else ""
    return f"""# {job.unit}.service
[Unit]
Description=radops: {job.told}

[Service]
Type=oneshot
{lines}
WorkingDirectory={str(folder()).replace("%", "%%")}
ExecStart={started}
{good}UMask=0077

# {job.unit}.timer
[Unit]
Description=radops: {job.told}

[Timer]
OnCalendar={job.calendar.format(every=every_minutes)}
Persistent=true

[Install]
WantedBy=timers.target
"""
