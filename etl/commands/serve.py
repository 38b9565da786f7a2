"""`serve`: the dashboard over the published snapshots."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands import opened

if TYPE_CHECKING:
    from etl.home import Home


def check_loopback(host: str) -> None:
    """Without sign-in the dashboard listens on this machine only. Raises SettingsError for any other address."""
    from etl.errors import SettingsError  # noqa: PLC0415

    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise SettingsError(
            f"{host}: without sign-in radops serves on 127.0.0.1 only; put a signing-in proxy before it"
        )


def _follower(home: Home) -> Callable[[], None] | None:
    """What takes new snapshots from elsewhere while the dashboard is served, where the settings say so."""
    if not home.settings.pull_from:
        return None
    from etl.store.follow import follow  # noqa: PLC0415
    from etl.store.place import open_place  # noqa: PLC0415

    open_place(home.settings.pull_from, home.settings.s3_endpoint)  # what is wrong with it is told at once
    return partial(follow, home)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("serve")
    def serve_verb(
        host: Annotated[str, typer.Option(help="Address; loopback only.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="TCP port.")] = 8050,
        workers: Annotated[int, typer.Option(help="Web processes.")] = 2,
    ) -> None:
        """Serve the dashboard; it picks up a new snapshot by itself, also from RADOPS_PULL_FROM."""
        check_loopback(host)
        from app.server import serve  # noqa: PLC0415

        home, _ = opened(as_json=False)
        typer.echo(f"dashboard on http://{host}:{port} (stop with Ctrl-C)")
        serve(home.published, host=host, port=port, workers=workers, beside=_follower(home))
