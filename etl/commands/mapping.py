"""`map`: procedure names that no harmonized procedure was accepted for, most used first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("map")
    def map_verb(
        out: Annotated[Path | None, typer.Option(help="CSV to review: fill decided_by, mend procedure.")] = None,
        take: Annotated[
            Path | None, typer.Option(help="Reviewed CSV: rows with decided_by go into the site's procedures.csv.")
        ] = None,
        with_mapped: Annotated[bool, typer.Option("--all", help="Also names that have a procedure.")] = False,
        as_json: AsJson = False,
    ) -> None:
        """List unmapped procedure names with proposals, by the number of exams they affect."""
        from etl.errors import UnreadableInputError  # noqa: PLC0415
        from etl.intake import open_intake  # noqa: PLC0415
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.mapping import take as take_decisions  # noqa: PLC0415
        from etl.mapping import unmapped  # noqa: PLC0415
        from etl.publish import current  # noqa: PLC0415
        from sql.csv_text import to_csv  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        if take:
            with writer_lock(home.lock_file):
                show({"decisions taken": take_decisions(take, home.site)}, as_json=as_json)
            return
        snapshot = current(home)
        if snapshot is None:
            raise UnreadableInputError("nothing is published yet; run: radops run")
        with writer_lock(home.lock_file), open_intake(home.intake) as con:
            rows = unmapped(con, snapshot, with_mapped=with_mapped)
        if as_json:
            show(rows.to_dicts(), as_json=True)
        elif out:
            out.write_bytes(to_csv(rows))
        else:
            typer.echo(to_csv(rows), nl=False)
