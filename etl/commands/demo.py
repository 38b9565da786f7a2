"""`demo`: the whole way in one verb, on an invented network."""

from __future__ import annotations

import os
import sys
from datetime import date, timedelta
from typing import Annotated

import typer

from etl.commands import opened, progress_bar
from etl.commands.serve import check_loopback


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("demo")
    def demo_verb(
        exams: Annotated[int, typer.Option(min=1, help="Exams to simulate.")] = 5000,
        days: Annotated[int, typer.Option(min=1, help="Days up to today that they spread over.")] = 60,
        seed: Annotated[int, typer.Option(help="The same seed gives the same network.")] = 7,
        host: Annotated[str, typer.Option(help="Address; loopback only.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="TCP port.")] = 8050,
        no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop once the snapshot is published.")] = False,
    ) -> None:
        """Simulate four facilities, run the ETL on their files, open the dashboard."""
        from etl.pipeline import run  # noqa: PLC0415
        from etl.schedule import program  # noqa: PLC0415
        from sample_data.simulate import simulate  # noqa: PLC0415

        check_loopback(host)
        home, log = opened(as_json=False)
        made = home.root / "simulated"
        with progress_bar(as_json=False) as progress:
            if not (made / "truth").is_dir():
                typer.echo(f"simulating {exams:,} exams over {days} days at four facilities in {made}")
                start = date.today() - timedelta(days=days)
                summary = simulate(made, exams=exams, days=days, seed=seed, start=start)
                log.stage(
                    "simulate", exams=summary.exams, hl7_messages=summary.messages, dicom_files=summary.dicom_files
                )
            run(home, log, [made / "files"], stages=("ingest", "build", "publish"), progress=progress)
        if no_serve:
            return
        # The engines' threads do not survive the fork of a web worker: the server starts in a fresh process image.
        sys.stdout.flush()
        words = [*program(), "serve", "--host", host, "--port", str(port)]
        os.execv(words[0], words)  # noqa: S606 - our own program and checked options
