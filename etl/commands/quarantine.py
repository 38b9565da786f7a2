"""`quarantine`: list, show and replay what could not be used."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    verbs = typer.Typer(no_args_is_help=True, help="Messages that could not be used, kept whole with a reason.")
    app.add_typer(verbs, name="quarantine")

    @verbs.command("list")
    def list_verb(as_json: AsJson = False) -> None:
        """List open entries with their reasons."""
        from etl.intake import open_intake  # noqa: PLC0415
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.quarantine import listing  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        with writer_lock(home.lock_file), open_intake(home.intake) as con:
            entries = listing(con).to_dicts()
        if as_json:
            show(entries, as_json=True)
            return
        for entry in entries:
            typer.echo("{number:>5}  {reason:<18} {standard!s:<8} {size:>9} B  {path}:{position}".format(**entry))
        typer.echo(f"{len(entries)} open")

    @verbs.command("show")
    def show_verb(
        number: Annotated[int, typer.Argument(help="Number in the list.")],
        reveal: Annotated[bool, typer.Option("--reveal", help="Print the content, patient values included.")] = False,
    ) -> None:
        """Show one entry's structure, its values masked."""
        from etl.errors import UnreadableInputError  # noqa: PLC0415
        from etl.intake import open_intake  # noqa: PLC0415
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.quarantine import show as show_entry  # noqa: PLC0415

        home, _ = opened(as_json=False)
        with writer_lock(home.lock_file), open_intake(home.intake) as con:
            text = show_entry(con, number, reveal=reveal)
        if text is None:
            raise UnreadableInputError(f"there is no open entry {number}; see: radops quarantine list")
        typer.echo(text)

    @verbs.command("replay")
    def replay_verb(as_json: AsJson = False) -> None:
        """Parse all open entries again after a fix; build and publish take them from there."""
        from etl.intake import open_intake  # noqa: PLC0415
        from etl.lock import writer_lock  # noqa: PLC0415
        from etl.quarantine import replay  # noqa: PLC0415

        home, log = opened(as_json=as_json)
        with writer_lock(home.lock_file), open_intake(home.intake) as con:
            facts = replay(con, home)
        log.stage("replay", **facts)
        if as_json:
            show(facts, as_json=True)
