"""`export`: the leadership pack of a period."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("export")
    def export_verb(
        period: Annotated[str, typer.Option(help="Month, YYYY-MM.")],
        out: Annotated[Path | None, typer.Option(help="Folder for the pack; default HOME/exports/PERIOD.")] = None,
        bom: Annotated[bool, typer.Option("--bom", help="Start CSV files with a byte order mark.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """Write a month's report (PDF), workbook (XLSX), CSV files, manifest: same snapshot, same bytes."""
        from etl.errors import UnreadableInputError  # noqa: PLC0415
        from etl.export import export_pack, month  # noqa: PLC0415
        from etl.publish import current  # noqa: PLC0415

        month(period)  # a wrong one is told before anything is made
        home, log = opened(as_json=as_json)
        snapshot = current(home)
        if snapshot is None:
            raise UnreadableInputError("nothing is published yet; run: radops run")
        folder = out or home.exports / period
        manifest = export_pack(snapshot, period, folder, with_bom=bom, keeps_editions=out is None)
        log.stage("export", period=period, files=len(manifest["files"]), folder=str(folder))
        if as_json:
            show(manifest, as_json=True)
