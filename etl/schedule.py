"""Units for the night: a crontab line and a systemd service with timer, with this installation's paths."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from etl.home import Home

#: Settings that a scheduled run must see as this shell does.
PASSED = "RADOPS_"


def program() -> list[str]:
    """The words that start this installation, before the verb."""
    script = Path(sys.argv[0])
    return [str(script.resolve())] if script.name == "radops" else [sys.executable, "-m", "etl.cli"]


def command() -> list[str]:
    """The words that start a run with this installation, whatever the folder they are started in."""
    return [*program(), "run"]


def folder() -> Path:
    """Where `python -m etl.cli` finds this installation; the script does not need it."""
    return Path(__file__).resolve().parents[1]


def environment(home: Home) -> dict[str, str]:
    """RADOPS_* variables of this shell with the home made absolute."""
    own = {k: v for k, v in sorted(os.environ.items()) if k.startswith(PASSED) and k != "RADOPS_REQUIRE_ALL"}
    return {**own, "RADOPS_HOME": str(home.root)}


def cron(home: Home, every_minutes: int) -> str:
    """A crontab entry. cron treats % as a line break, so it is escaped; output goes to the log folder."""
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment(home).items())
    log = shlex.quote(str(home.log / "cron.log"))
    line = f"cd {shlex.quote(str(folder()))} && {settings} {shlex.join(command())} >>{log} 2>&1"
    return f"*/{every_minutes} * * * * {line}".replace("%", r"\%") + "\n"


def _unit_word(text: str) -> str:
    """`text` as one word of a unit file (systemd.syntax(7)); % begins a specifier there."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def systemd(home: Home, every_minutes: int) -> str:
    """A service and a timer, to be saved as radops.service and radops.timer."""
    lines = "\n".join(f"Environment={_unit_word(f'{key}={value}')}" for key, value in environment(home).items())
    started = " ".join(_unit_word(word).replace("$", "$$") for word in command())
    return f"""# radops.service
[Unit]
Description=radops: ingest, build, publish

[Service]
Type=oneshot
{lines}
WorkingDirectory={str(folder()).replace("%", "%%")}
ExecStart={started}
SuccessExitStatus=14
UMask=0077

# radops.timer
[Unit]
Description=radops every {every_minutes} minutes

[Timer]
OnCalendar=*:0/{every_minutes}
Persistent=true

[Install]
WantedBy=timers.target
"""
