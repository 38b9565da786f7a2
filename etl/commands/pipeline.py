"""`run`, `ingest`, `build`, `publish`, `rebuild`: the stages of the night."""

from __future__ import annotations

from pathlib import Path

import typer

from etl.commands import AsJson, Paths, opened, progress_bar, show


def _run(paths: list[Path] | None, stages: tuple[str, ...], *, as_json: bool, full: bool = False) -> None:
    from etl.pipeline import run  # noqa: PLC0415

    home, log = opened(as_json=as_json)
    with progress_bar(as_json=as_json) as progress:
        facts = run(home, log, list(paths or []), stages=stages, full=full, progress=progress)
    if as_json:
        show(facts, as_json=True)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""

    @app.command("run")
    def run_verb(paths: Paths = None, as_json: AsJson = False) -> None:
        """Ingest, build and publish: the verb for cron."""
        _run(paths, ("ingest", "build", "publish"), as_json=as_json)

    @app.command("ingest")
    def ingest_verb(paths: Paths = None, as_json: AsJson = False) -> None:
        """Load new files of any standard, recognised by content, into the raw store."""
        _run(paths, ("ingest",), as_json=as_json)

    @app.command("build")
    def build_verb(as_json: AsJson = False) -> None:
        """Derive the marts for what was loaded since the last build."""
        _run(None, ("build",), as_json=as_json)

    @app.command("publish")
    def publish_verb(as_json: AsJson = False) -> None:
        """Publish the marts as a new immutable snapshot."""
        _run(None, ("publish",), as_json=as_json)

    @app.command("rebuild")
    def rebuild_verb(as_json: AsJson = False) -> None:
        """Derive all marts again from the raw store; the digest must be the same."""
        _run(None, ("build",), as_json=as_json, full=True)
