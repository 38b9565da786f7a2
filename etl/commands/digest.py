"""`digest`: what the overview says, as a file and by e-mail."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands import AsJson, opened, show

if TYPE_CHECKING:
    from sql.team.digests import Letter


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("digest")
    def digest_verb(
        to: Annotated[list[str] | None, typer.Option(help="Send to this address instead of the subscribers.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Write the day's digest (HTML) and send it to whom it did not go today: once a day to each reader."""
        from app.digest import compose  # noqa: PLC0415
        from etl.digest import digest  # noqa: PLC0415
        from etl.errors import NotSentError, PeriodError, UnreadableInputError  # noqa: PLC0415
        from sql.snapshot import SnapshotError, Store  # noqa: PLC0415
        from sql.team.store import TeamError  # noqa: PLC0415

        home, log = opened(as_json=as_json)
        store = Store(home.published)

        @cache
        def letter(facilities: tuple[str, ...] | None, views: tuple[str, ...], language: str) -> Letter:
            return compose(store, facilities, views, home.settings.address, date.today(), language)

        try:
            made = digest(home, letter, store.current().id, to or ())
        except SnapshotError as error:
            raise UnreadableInputError("nothing is published yet; run: radops run") from error
        except TeamError as error:
            if error.problem == "address":
                raise PeriodError("--to takes one e-mail address; repeat it for more") from error
            raise UnreadableInputError(f"{home.root / 'team'} cannot be used ({error.problem})") from error
        log.stage("digest", **made)
        if as_json:
            show(made, as_json=True)
        if made["failed"]:
            raise NotSentError(f"not sent to {made['failed']} of {made['readers']}: {'; '.join(made['problems'])}")
