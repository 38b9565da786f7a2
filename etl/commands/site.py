"""`site`: check the site folder, or a file for it, and put a file in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    verbs = typer.Typer(no_args_is_help=True, help="The site folder: targets, staffing, calendar, shifts, facilities.")
    app.add_typer(verbs, name="site")

    @verbs.command("check")
    def check_verb(
        file: Annotated[Path | None, typer.Argument(help="A file for it; default: the folder as it is.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Check the site folder, or what a file would change of it; nothing is written."""
        from etl.site_put import check, check_folder  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        show(check(home, file)[0].told() if file else check_folder(home), as_json=as_json)

    @verbs.command("put")
    def put_verb(
        file: Annotated[Path, typer.Argument(help="targets, staffing, calendar, shifts or facilities as CSV.")],
        over: Annotated[str, typer.Option(help="Digest of what it was made from; refused if that changed.")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Check a file and put it into the site folder, whole or not at all; the next build uses it."""
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.site_put import put  # noqa: PLC0415

        home, log = opened(as_json=as_json)
        with writer_lock(home.lock_file):
            change = put(home, file, over)
        log.stage("site", **change.told())
        if as_json:
            show(change.told(), as_json=True)
