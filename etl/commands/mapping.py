"""`map`: procedure names that no harmonized procedure was accepted for, most used first."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("map")
    def map_verb(
        out: Annotated[
            Path | None, typer.Option(help="CSV to review; rows decided go into the site's procedures.csv.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """List unmapped procedure names with proposals, by the number of exams they affect."""
        from etl.errors import UnreadableInputError  # noqa: PLC0415
        from etl.mapping import COLUMNS, unmapped  # noqa: PLC0415
        from etl.publish import current  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        snapshot = current(home)
        if snapshot is None:
            raise UnreadableInputError("nothing is published yet; run: radops run")
        rows = unmapped(snapshot)
        if as_json:
            show(rows, as_json=True)
            return
        file = out.open("w", encoding="utf-8", newline="") if out else sys.stdout
        try:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        finally:
            if out:
                file.close()
