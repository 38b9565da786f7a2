"""Units for the night: a crontab line and a systemd service with timer, with this installation's paths."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from etl.home import Home

#: Settings that a scheduled run must see as this shell does.
PASSED = "RADOPS_"


def program() -> str:
    """Absolute path of the `radops` script of this installation."""
    return str(Path(sys.argv[0]).resolve()) if Path(sys.argv[0]).name == "radops" else f"{sys.executable} -m etl.cli"


def environment(home: Home) -> dict[str, str]:
    """RADOPS_* variables of this shell with the home made absolute."""
    own = {k: v for k, v in sorted(os.environ.items()) if k.startswith(PASSED) and k != "RADOPS_REQUIRE_ALL"}
    return {**own, "RADOPS_HOME": str(home.root)}


def cron(home: Home, every_minutes: int) -> str:
    """A crontab entry. cron treats % as a line break, so it is escaped; output goes to the log folder."""
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in environment(home).items())
    command = f"{settings} {program()} run >>{shlex.quote(str(home.log / 'cron.log'))} 2>&1"
    return f"*/{every_minutes} * * * * {command}".replace("%", r"\%") + "\n"


def systemd(home: Home, every_minutes: int) -> str:
    """A service and a timer, to be saved as radops.service and radops.timer."""
    lines = "\n".join(f'Environment="{key}={value}"' for key, value in environment(home).items())
    return f"""# radops.service
[Unit]
Description=radops: ingest, build, publish

[Service]
Type=oneshot
{lines}
ExecStart={program()} run
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
