"""`lint`: conformance of one file, with chapter references."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("lint")
    def lint_verb(
        file: Annotated[Path, typer.Argument(help="One HL7, DICOM or FHIR file.")], as_json: AsJson = False
    ) -> None:
        """Check one file against its standard; finds errors, prints where and which chapter."""
        from importlib import import_module  # noqa: PLC0415

        from etl.errors import UnreadableInputError  # noqa: PLC0415
        from etl.inbox import UnsafeFileError, read_file, scan  # noqa: PLC0415
        from etl.sources import sniff  # noqa: PLC0415

        try:
            candidate = next(iter(scan([file])))
            data = read_file(candidate, candidate.size)
        except (UnsafeFileError, StopIteration) as error:
            raise UnreadableInputError(f"{file}: cannot be read ({error})") from error
        standard = sniff(data)
        if standard is None:
            raise UnreadableInputError(f"{file}: neither HL7 v2 nor DICOM nor FHIR by content")
        findings = import_module(f"etl.lint_{standard}").lint(data)
        if as_json:
            show({"standard": standard, "findings": [asdict(f) for f in findings]}, as_json=True)
        else:
            for finding in findings:
                where = f"{finding.position:>5} {finding.field:<18}"
                typer.echo(f"{finding.severity:<8} {where} {finding.rule} [{finding.chapter}]")
            typer.echo(f"{standard}: {len(findings)} findings")
        if any(f.severity == "error" for f in findings):
            raise UnreadableInputError(f"{file}: does not conform")
