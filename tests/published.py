"""A published snapshot of a small simulated network, made once a session for tests that read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.export import export_pack
from etl.home import Home
from etl.log import Log
from etl.pipeline import run
from etl.settings import Settings
from sample_data.simulate import simulate
from sql.catalog import Metric
from sql.definitions import definitions
from sql.leadership import MEASURES
from sql.snapshot import Snapshot

#: Two whole months and the days around them, so that a month has one before it.
EXAMS, DAYS, SEED = 900, 80, 41
MONTH = "2026-10"


@dataclass(frozen=True, slots=True)
class Published:
    """An installation that has run once: its home and the newest snapshot."""

    home: Home
    snapshot: Path


def publish_network(root: Path) -> None:
    """Simulate, ingest, build and publish below `root`."""
    made = root / "simulated"
    simulate(made, exams=EXAMS, days=DAYS, seed=SEED)
    home = _home(root)
    home.prepare()
    run(home, Log(home.log, is_quiet=True), [made / "files"], stages=("ingest", "build", "publish"))


def export_report(published: Published, folder: Path) -> None:
    """Export the month with the metrics that its report shows; the others are written the same way."""

    def of_the_report(snapshot: Snapshot) -> dict[str, Metric]:
        known = definitions(snapshot)
        return {measure.metric: known[measure.metric] for measure in MEASURES}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.export.definitions", of_the_report)
        export_pack(published.snapshot, MONTH, folder)


def opened(root: Path) -> Published:
    """What `publish_network` made below `root`."""
    home = _home(root)
    return Published(home, (home.published / "radops.duckdb").resolve())


def _home(root: Path) -> Home:
    return Home(root / "home", Settings(home=root / "home", site=root / "simulated" / "site", workers=1))
