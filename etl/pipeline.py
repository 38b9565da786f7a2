"""The stages as the verbs run them: ingest, build, publish, each under the writer's lock and told in one line.

What parses and builds is loaded only where there is something to parse or to build.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from etl.errors import AlreadyRunningError, SettingsError, StoreError, TooManyRejectsError
from etl.faults import explain, place
from etl.home import Home
from etl.inbox import Candidate, scan, settle
from etl.intake import open_intake
from etl.ledger import Counts, new_candidates
from etl.lock import writer_lock
from etl.log import Log
from etl.publish import publish
from etl.site import Site
from etl.standing import BuildReport, made_with, note, standing

if TYPE_CHECKING:
    from etl.build_engine import EngineOf
    from etl.load import Parses
    from etl.store import Place

Facts = dict[str, Any]
#: Called with (stage, done, of) while a stage works.
Progress = Callable[[str, int, int], None]


def _nothing(_stage: str, _done: int, _of: int) -> None:
    pass


@contextmanager
def _stage(log: Log, name: str) -> Iterator[Facts]:
    facts: Facts = {}
    started = time.monotonic()
    try:
        yield facts
    except Exception as error:
        known = explain(error)
        log.stage("failed", stage=name, error=str(known) if known else place(error))
        raise
    facts["seconds"] = round(time.monotonic() - started, 2)
    log.stage(name, **facts)


def ingest_stage(home: Home, log: Log, paths: Sequence[Path | str], progress: Progress = _nothing) -> Counts:
    """Load what is new below `paths` (default: the inbox). Raises TooManyRejectsError after keeping the rest."""
    inputs = list(paths) or [home.inbox]
    adopted = home.adopt_site(path for path in inputs if isinstance(path, Path))
    if adopted is not None:
        log.stage("site", adopted_from=str(adopted))
    site = home.load_site()
    if not site.facilities:
        log.stage(
            "site", warning=f"no site.toml in {home.site}: every facility is unmapped, times without offset are UTC"
        )
    with _stage(log, "ingest") as facts:
        con = open_intake(home.intake, memory_limit=home.settings.memory_limit)
        try:
            candidates = new_candidates(con, scan(inputs, home.settings.s3_endpoint))
            settle(candidates, home.settings.settle_seconds)
            counts = _load(home, site, con, candidates, progress) if candidates else Counts()
        finally:
            con.close()
        facts.update({k: v for k, v in asdict(counts).items() if v or k in ("read", "kept", "rejected", "duplicate")})
    share = counts.rejected / counts.read if counts.read else 0.0
    if share > home.settings.max_rejects:
        raise TooManyRejectsError(
            f"{counts.rejected:,} of {counts.read:,} messages were rejected ({share:.0%}); see: radops quarantine list"
        )
    return counts


def _load(
    home: Home, site: Site, con: duckdb.DuckDBPyConnection, candidates: list[Candidate], progress: Progress
) -> Counts:
    from etl.load import load  # noqa: PLC0415

    n = len(candidates)
    return load(con, _parser(home, site), candidates, lambda c: progress("ingest", c.files + c.skipped, n))


def _parser(home: Home, site: Site) -> Parses:
    if home.settings.engine == "spark":
        from etl.spark.parser import SparkParser  # noqa: PLC0415

        return SparkParser(home, site)
    from etl.pool import Parser  # noqa: PLC0415

    return Parser(home.settings, site)


def build_stage(home: Home, log: Log, *, full: bool = False, progress: Progress = _nothing) -> Facts:
    """Bring the marts up to date. Raises CheckFailedError."""
    with _stage(log, "rebuild" if full else "build") as facts:
        made = made_with(home)
        report = None if full else standing(home, made)
        facts.update(asdict(report or _build(home, made, full, progress)))
    return facts


def _build(home: Home, made: str, full: bool, progress: Progress) -> BuildReport:
    from etl.build import build  # noqa: PLC0415

    open_intake(home.intake).close()
    with _engine(home) as engine:
        report = build(home, full=full, progress=progress, engine=engine)
    note(home, made)
    return report


@contextmanager
def _engine(home: Home) -> Iterator[EngineOf]:
    """What runs the models of a build."""
    from etl.build_engine import in_process  # noqa: PLC0415

    if home.settings.engine != "spark":
        yield in_process
        return
    from etl.spark.folder import folder_of  # noqa: PLC0415
    from etl.spark.models import spark_engine  # noqa: PLC0415
    from etl.spark.session import session  # noqa: PLC0415

    with folder_of(home, "build") as folder, session("radops build", home.settings.spark_master) as spark:
        yield spark_engine(spark, home, folder)


def publish_stage(home: Home, log: Log, digest: str = "") -> Facts:
    """Publish the marts if they changed; `digest` as a build has just told it that found nothing to do. Raises
    CheckFailedError."""
    if home.settings.pull_from:
        raise SettingsError("this home takes its snapshots from RADOPS_PULL_FROM, so it does not publish its own")
    with _stage(log, "publish") as facts:
        done = publish(home, digest)
        facts.update(snapshot=done.snapshot_id, path=done.path.name, is_new=done.is_new, digest=done.digest)
    return facts


def put_stages(home: Home, log: Log, below: str = "") -> StoreError | None:
    """Put what is published to the places that the settings name, or to a folder of them: snapshots, and their marts
    as Parquet. Each is tried; returns why the first could not, once that is in the log."""
    from etl.store import marts, offer  # noqa: PLC0415

    found = [
        _put(home, log, kind, url, below, told)
        for kind, url, told in (
            ("put", home.settings.publish_to, offer.told), ("parquet", home.settings.parquet_to, marts.told),
        )
        if url
    ]  # fmt: skip
    return next((error for error in found if error is not None), None)


def _put(
    home: Home, log: Log, kind: str, url: str, below: str, told: Callable[[Home, Place], Facts]
) -> StoreError | None:
    from etl.store import open_place  # noqa: PLC0415

    started, error, facts = time.monotonic(), None, Facts()
    try:
        with writer_lock(home.root / "put.lock"):
            place = open_place(url, home.settings.s3_endpoint)
            facts = told(home, place.below(below) if below else place)
    except AlreadyRunningError:  # it puts the newest, or the next start does
        return None
    except StoreError as known:
        facts, error = {"error": str(known)}, known
    name, where = (f"{kind}_scope", {"below": below}) if below else (kind, {})
    log.stage(name, **where, **facts, seconds=round(time.monotonic() - started, 2))
    return error


def run(
    home: Home,
    log: Log,
    paths: Sequence[Path | str],
    *,
    stages: tuple[str, ...],
    full: bool = False,
    progress: Progress = _nothing,
) -> Facts:
    """Stages (ingest, build, publish) under the lock; rejects above the limit fail the run after all is published.

    What is published is then put to the places that the settings name, without the lock: the way may be long.
    """
    facts: Facts = {}
    too_many: TooManyRejectsError | None = None
    not_put: StoreError | None = None
    with writer_lock(home.lock_file):
        if "ingest" in stages:
            try:
                facts["ingest"] = asdict(ingest_stage(home, log, paths, progress))
            except TooManyRejectsError as error:
                too_many = error
        if "build" in stages:
            facts["build"] = build_stage(home, log, full=full, progress=progress)
        if "publish" in stages:
            built = facts.get("build", {})
            facts["publish"] = publish_stage(home, log, built["digest"] if built.get("touched") == 0 else "")
    if "publish" in stages:
        not_put = put_stages(home, log)
    if too_many is not None:
        raise too_many
    if not_put is not None:
        raise not_put
    return facts


def publish_scopes(home: Home, log: Log, names: Sequence[str]) -> Facts:
    """Publish the marts, and snapshots of these scopes of them, each put to a folder of its own where the settings say
    so. Raises SettingsError for an unknown one before anything, StoreError at the end, CheckFailedError."""
    if not names:  # what cuts scopes is not needed
        return run(home, log, [], stages=("publish",))
    from etl.scopes import chosen, home_of, publish_scope  # noqa: PLC0415

    scopes, facts = chosen(home, names), Facts()
    not_put: StoreError | None = None
    try:
        facts |= run(home, log, [], stages=("publish",))
    except StoreError as error:
        not_put = error
    for scope in scopes:
        with writer_lock(home.lock_file), _stage(log, "scope") as told:
            done = publish_scope(home, scope)
            told.update(scope=scope.name, snapshot=done.snapshot_id, is_new=done.is_new, digest=done.digest)
        facts[f"scope {scope.name}"] = told
    for scope in scopes:
        failed = put_stages(home_of(home, scope.name), log, f"scopes/{scope.name}")
        not_put = not_put or failed
    if not_put is not None:
        raise not_put
    return facts
