"""`what-if`: the effect of one change, from a simulation of the queues as the snapshot tells them."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.commands import AsJson, opened, show


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""

    @app.command("what-if")
    def what_if_verb(
        change: Annotated[str, typer.Argument(help="As in add_reader:hours=17-22,weekdays=12345.")],
        filters: Annotated[str, typer.Option(help="As in an address: since=2026-10-01&facility=NORTH.")] = "",
        runs: Annotated[int, typer.Option(min=1, help="Runs of the simulation.")] = 10,
        seed: Annotated[int, typer.Option(help="Number that chance begins from.")] = 1,
        as_json: AsJson = False,
    ) -> None:
        """Say what one change of staff, devices or routing would do to target misses, report times and waits."""
        from etl.errors import PeriodError, UnreadableInputError  # noqa: PLC0415
        from etl.publish import current  # noqa: PLC0415
        from sql.filters import FilterError, Filters  # noqa: PLC0415
        from sql.planning.change import Change, ChangeError  # noqa: PLC0415
        from sql.query import what_if  # noqa: PLC0415
        from sql.snapshot import open_snapshot  # noqa: PLC0415

        home, _ = opened(as_json=as_json)
        path = current(home)
        if path is None:
            raise UnreadableInputError("nothing is published yet; run: radops run")
        snapshot = open_snapshot(path)
        try:
            meant = Change.parse(change)
            asked = Filters.from_query(filters) if filters else None
            found = what_if(snapshot, meant, asked, runs=runs, seed=seed)
        except (ChangeError, FilterError) as error:
            raise PeriodError(str(error)) from error
        finally:
            snapshot.close()
        measures = {row.pop("measure"): row for row in found.to_dicts()}
        show({"change": str(meant), "sentence": meant.sentence(), "measures": measures}, as_json=as_json)
