"""The command line `radops`. Errors that a user can act on become one line and an exit code; anything else is a bug."""

from __future__ import annotations

import sys

import typer

from etl.commands import (
    bench,
    demo,
    digest,
    exporting,
    linting,
    mapping,
    pipeline,
    planning,
    quarantine,
    reference,
    schedule,
    serve,
    simulate,
    site,
    status,
)

app = typer.Typer(
    name="radops",
    help="Radiology operations analytics: DICOM, HL7 v2 and FHIR into one warehouse and dashboard.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
VERBS = (
    demo, pipeline, serve, exporting, digest, planning, status, quarantine, site, mapping, reference, linting, schedule,
    simulate, bench,
)  # fmt: skip
for verbs in VERBS:
    verbs.register(app)


def main() -> None:
    """Entry point: run a verb and exit with its code. A bug is told by its place: its text may quote a value."""
    try:
        app()
    except Exception as error:  # noqa: BLE001 - the last resort: nothing may print an exception's text unseen
        from etl.faults import explain, place  # noqa: PLC0415

        known = explain(error)
        typer.echo(f"radops: {known or f'a bug, please report it: {place(error)}'}", err=True)
        sys.exit(known.exit_code if known else 1)


if __name__ == "__main__":
    main()
