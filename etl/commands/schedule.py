"""`schedule`: print the units that run radops unattended."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from etl.commands import opened


class Scheduler(StrEnum):
    """What runs the night."""

    CRON = "cron"
    SYSTEMD = "systemd"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("schedule")
    def schedule_verb(
        scheduler: Annotated[Scheduler, typer.Argument(help="cron or systemd.")],
        every: Annotated[int, typer.Option(min=1, max=59, help="Minutes between runs.")] = 15,
    ) -> None:
        """Print crontab entries or systemd units (runs, monthly report) with this installation's paths."""
        from etl.schedule import cron, systemd  # noqa: PLC0415

        home, _ = opened(as_json=False)
        typer.echo((cron if scheduler is Scheduler.CRON else systemd)(home, every), nl=False)
