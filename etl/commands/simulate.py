"""`simulate`: files of an invented network, with the truth beside them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("simulate")
    def simulate_verb(  # noqa: PLR0913, PLR0917 - options of one verb
        out: Annotated[Path, typer.Option(help="Folder for files/, truth/ and site/.")],
        exams: Annotated[int, typer.Option(min=1, help="Exams ordered.")] = 6000,
        days: Annotated[int, typer.Option(min=1, help="Days they spread over.")] = 60,
        seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
        start: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day.")] = None,
        messages_only: Annotated[bool, typer.Option("--messages-only", help="Leave out DICOM and MPPS files.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Write what four facilities would emit in DAYS: HL7, DICOM, MPPS and FHIR, and the truth."""
        from dataclasses import asdict  # noqa: PLC0415

        from sample_data.simulate import simulate  # noqa: PLC0415

        first = start.date() if start else None
        summary = simulate(out, exams=exams, days=days, seed=seed, start=first, messages_only=messages_only)
        show(asdict(summary), as_json=as_json)
