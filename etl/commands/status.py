"""`status`: freshness, backlog, last batches, alarms."""

from __future__ import annotations

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("status")
    def status_verb(as_json: AsJson = False) -> None:
        """Say what is published, how fresh it is and what is wrong."""
        from etl.status import status  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        show(status(home), as_json=as_json)
