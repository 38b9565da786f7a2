"""`run`, `ingest`, `build`, `publish`, `rebuild`: the stages of the night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from etl.commands import AsJson, Paths, opened, progress_bar, show


class Engine(StrEnum):
    """What does the work."""

    DUCKDB = "duckdb"
    SPARK = "spark"


EngineName = Annotated[
    Engine | None, typer.Option(help="This machine (duckdb) or a cluster (spark); default RADOPS_ENGINE.")
]
Master = Annotated[str | None, typer.Option(help="Spark's master, as spark://host:7077; default RADOPS_SPARK_MASTER.")]


def _run(
    paths: list[str] | None,
    stages: tuple[str, ...],
    *,
    as_json: bool,
    full: bool = False,
    settings: Mapping[str, str | None] | None = None,
) -> None:
    """Run stages; `settings` that are given count more than the environment's."""
    from etl.inbox import named  # noqa: PLC0415
    from etl.pipeline import run  # noqa: PLC0415

    home, log = opened(as_json=as_json)
    given = {name: str(value) for name, value in (settings or {}).items() if value is not None}
    home = replace(home, settings=home.settings.model_copy(update=given))
    with progress_bar(as_json=as_json) as progress:
        facts = run(home, log, [named(text) for text in paths or []], stages=stages, full=full, progress=progress)
    if as_json:
        show(facts, as_json=True)


def _publish(scopes: tuple[str, ...], *, as_json: bool) -> None:
    from etl.pipeline import publish_scopes  # noqa: PLC0415

    home, log = opened(as_json=as_json)
    facts = publish_scopes(home, log, scopes)
    if as_json:
        show(facts, as_json=True)


def _on(engine: Engine | None, master: str | None) -> dict[str, str | None]:
    return {"engine": engine, "spark_master": master}


def _instant(text: str) -> datetime:
    """The instant that is meant: the end of a day, or as given; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("--as-known-on is YYYY-MM-DD, or with a time YYYY-MM-DDTHH:MM") from None
    if len(text) == len("YYYY-MM-DD"):
        found += timedelta(days=1)
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def _rebuild_known(until: datetime, out: Path, *, as_json: bool) -> None:
    from etl.known import rebuild_as_known  # noqa: PLC0415
    from etl.lock import writer_lock  # noqa: PLC0415

    home, log = opened(as_json=as_json)
    with progress_bar(as_json=as_json) as progress, writer_lock(home.lock_file):
        report = rebuild_as_known(home, until, out, progress)
    log.stage("known", until=str(until), out=str(out), digest=report.digest, n_exams=report.n_exams)
    if as_json:
        show(asdict(report) | {"out": str(out)}, as_json=True)


def _pull(*, as_json: bool) -> None:
    from etl.errors import SettingsError, StoreError  # noqa: PLC0415
    from etl.store.follow import pull_once  # noqa: PLC0415

    home, log = opened(as_json=as_json)
    if not home.settings.pull_from:
        raise SettingsError("RADOPS_PULL_FROM does not say where to take snapshots from")
    try:
        done = pull_once(home)
    except StoreError as error:
        log.stage("pull", error=str(error))
        raise
    log.stage("pull", snapshot=done.snapshot_id, taken=len(done.taken), removed=len(done.removed))
    if as_json:
        show(asdict(done), as_json=True)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""

    @app.command("run")
    def run_verb(
        paths: Paths = None, engine: EngineName = None, master: Master = None, as_json: AsJson = False
    ) -> None:
        """Ingest, build and publish: the verb for cron."""
        _run(paths, ("ingest", "build", "publish"), as_json=as_json, settings=_on(engine, master))

    @app.command("ingest")
    def ingest_verb(
        paths: Paths = None, engine: EngineName = None, master: Master = None, as_json: AsJson = False
    ) -> None:
        """Load new files of any standard, recognised by content, into the raw store."""
        _run(paths, ("ingest",), as_json=as_json, settings=_on(engine, master))

    @app.command("build")
    def build_verb(engine: EngineName = None, master: Master = None, as_json: AsJson = False) -> None:
        """Derive the marts for what was loaded since the last build."""
        _run(None, ("build",), as_json=as_json, settings=_on(engine, master))

    @app.command("publish")
    def publish_verb(
        scope: Annotated[
            list[str] | None, typer.Option(help="Name in scopes.toml: also a snapshot of its facilities only.")
        ] = None,
        as_json: AsJson = False,
    ) -> None:
        """Publish the marts as a new immutable snapshot, and snapshots of some facilities."""
        _publish(tuple(scope or ()), as_json=as_json)

    @app.command("pull")
    def pull_verb(as_json: AsJson = False) -> None:
        """Take new snapshots from RADOPS_PULL_FROM, each proven; `serve` does so by itself."""
        _pull(as_json=as_json)

    @app.command("rebuild")
    def rebuild_verb(
        as_known_on: Annotated[
            str, typer.Option(help="Day (its end) or instant, UTC: from what was loaded then.")
        ] = "",
        out: Annotated[Path | None, typer.Option(help="New file for the snapshot as known on that day.")] = None,
        engine: EngineName = None,
        master: Master = None,
        as_json: AsJson = False,
    ) -> None:
        """Derive all marts again from the raw store; the digest must be the same. Or a snapshot as known earlier."""
        if not as_known_on and out is None:
            _run(None, ("build",), as_json=as_json, full=True, settings=_on(engine, master))
            return
        if not as_known_on or out is None:
            raise typer.BadParameter("--as-known-on and --out belong together")
        _rebuild_known(_instant(as_known_on), out, as_json=as_json)
