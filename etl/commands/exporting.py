"""`export`: the leadership pack of a period."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


class SmallCells(StrEnum):
    """What becomes of small counts."""

    KEEP = "keep"
    MASK = "mask"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("export")
    def export_verb(
        period: Annotated[str, typer.Option(help="Month, YYYY-MM, or last: the one before today's.")],
        out: Annotated[Path | None, typer.Option(help="Folder for the pack; default HOME/exports/PERIOD.")] = None,
        bom: Annotated[bool, typer.Option("--bom", help="Start CSV files with a byte order mark.")] = False,
        small_cells: Annotated[
            SmallCells, typer.Option("--small-cells", help="mask: counts of 1 to 10, for use outside.")
        ] = SmallCells.KEEP,
        as_json: AsJson = False,
    ) -> None:
        """Write a month's report (PDF), workbook (XLSX), CSV files, manifest: same snapshot, same bytes."""
        from etl.errors import UnreadableInputError  # noqa: PLC0415
        from etl.export import export_pack, last_month, month  # noqa: PLC0415
        from etl.publish import current  # noqa: PLC0415

        period = last_month(datetime.now().astimezone().date()) if period == "last" else period
        month(period)  # a wrong one is told before anything is made
        home, log = opened(as_json=as_json)
        snapshot = current(home)
        if snapshot is None:
            raise UnreadableInputError("nothing is published yet; run: radops run")
        is_masked = small_cells is SmallCells.MASK
        folder = out or home.exports / (f"{period}-masked" if is_masked else period)
        manifest = export_pack(snapshot, period, folder, bom, keeps_editions=out is None, is_masked=is_masked)
        log.stage("export", period=period, files=len(manifest["files"]), folder=str(folder))
        if as_json:
            show(manifest, as_json=True)
