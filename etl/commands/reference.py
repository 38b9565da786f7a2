"""`reference`: take files that radops may not ship into the site folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, opened, show

_FILE = Annotated[Path, typer.Argument(help="File as its publisher writes it.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    verbs = typer.Typer(no_args_is_help=True, help="LOINC releases, fee schedules and dictionaries of your own.")
    app.add_typer(verbs, name="reference")

    @verbs.command("loinc")
    def loinc_verb(
        file: _FILE,
        table: Annotated[Path | None, typer.Option(help="Loinc.csv of the release: leaves out retired codes.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Take LoincRsnaRadiologyPlaybook.csv of a LOINC release into the site's loinc.csv."""
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.reference_files import load_loinc  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        with writer_lock(home.lock_file):
            show(load_loinc(file, table, home.site), as_json=as_json)

    @verbs.command("fees")
    def fees_verb(
        file: _FILE,
        valid_from: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the schedule.")],
        as_json: AsJson = False,
    ) -> None:
        """Take the work RVU of a CMS relative value file (PPRRVU*.csv) into the site's fees.csv."""
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.reference_files import load_fees  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        with writer_lock(home.lock_file):
            show(load_fees(file, valid_from.date(), home.site), as_json=as_json)

    @verbs.command("dictionary")
    def dictionary_verb(  # noqa: PLR0913, PLR0917 - options of a command
        file: _FILE,
        facility: Annotated[str, typer.Option(help="Facility whose codes these are.")],
        decided_by: Annotated[str, typer.Option(help="Who answers for the list.")],
        code: Annotated[str, typer.Option(help="Column of the local code.")] = "code",
        text: Annotated[str, typer.Option(help="Column of its text.")] = "text",
        procedure: Annotated[str, typer.Option(help="Column of the harmonized procedure, if there is one.")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Take a facility's list of codes into the site's procedures.csv."""
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.reference_files import load_dictionary  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        with writer_lock(home.lock_file):
            facts = load_dictionary(file, facility, code=code, text=text, procedure=procedure, decided_by=decided_by,
                                    folder=home.site)  # fmt: skip
        show(facts, as_json=as_json)
