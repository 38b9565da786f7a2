"""`what-if` and `rebalance`: the effect of one change, or the best move, from a simulation of the snapshot's queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from etl.commands import AsJson, opened, show

if TYPE_CHECKING:
    import polars as pl

    from sql.filters import Filters
    from sql.snapshot import Snapshot

Asked = Annotated[str, typer.Option("--filters", help="As in an address: since=2026-10-01&facility=NORTH.")]
Runs = Annotated[int, typer.Option(min=1, help="Runs of the simulation.")]
Seed = Annotated[int, typer.Option(help="Number that chance begins from.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""

    @app.command("what-if")
    def what_if_verb(
        change: Annotated[str, typer.Argument(help="As in add_reader:hours=17-22,weekdays=12345.")],
        filters: Asked = "",
        runs: Runs = 10,
        seed: Seed = 1,
        as_json: AsJson = False,
    ) -> None:
        """Say what one change of staff, devices or routing would do to target misses, report times and waits."""
        from etl.errors import PeriodError  # noqa: PLC0415
        from sql.planning.change import Change, ChangeError  # noqa: PLC0415
        from sql.query import what_if  # noqa: PLC0415

        try:
            meant = Change.parse(change)
        except ChangeError as error:
            raise PeriodError(str(error)) from error
        found = _answer(lambda snapshot, asked: what_if(snapshot, meant, asked, runs=runs, seed=seed), filters,
                        as_json=as_json)  # fmt: skip
        measures = {row.pop("measure"): row for row in found.to_dicts()}
        show({"change": str(meant), "sentence": meant.sentence(), "measures": measures}, as_json=as_json)

    @app.command("rebalance")
    def rebalance_verb(filters: Asked = "", runs: Runs = 10, seed: Seed = 1, as_json: AsJson = False) -> None:
        """Say which move of studies between facilities would lower target misses most, if any clearly does. Slow."""
        from sql.planning.change import Change  # noqa: PLC0415
        from sql.query import rebalance  # noqa: PLC0415

        found = _answer(lambda snapshot, asked: rebalance(snapshot, asked, runs=runs, seed=seed), filters,
                        as_json=as_json)  # fmt: skip
        best = next((row["move"] for row in found.to_dicts() if row["is_clear"]), None)
        said = Change.parse(best).sentence() if best else f"None of {found.height} moves tried clearly helps."
        show({"best": best, "sentence": said, "moves": found.to_dicts()}, as_json=as_json)


def _answer(ask: Callable[[Snapshot, Filters | None], pl.DataFrame], filters: str, *, as_json: bool) -> pl.DataFrame:
    """What `ask` answers from the published snapshot."""
    from etl.errors import PeriodError, UnreadableInputError  # noqa: PLC0415
    from etl.publish import current  # noqa: PLC0415
    from sql.filters import FilterError, Filters  # noqa: PLC0415
    from sql.snapshot import open_snapshot  # noqa: PLC0415

    home, _ = opened(as_json=as_json)
    path = current(home)
    if path is None:
        raise UnreadableInputError("nothing is published yet; run: radops run")
    snapshot = open_snapshot(path)
    try:
        return ask(snapshot, Filters.from_query(filters) if filters else None)
    except FilterError as error:
        raise PeriodError(str(error)) from error
    finally:
        snapshot.close()
