"""Raw rows to marts: identity, staging, then each mart in number order, only for what the new batches touched.

Identity commits first, in intake.duckdb, with a log of touched exams. The marts follow in one transaction of
marts.duckdb that also stores how far they are; all marts anew are written to a file of their own, part by part, which
takes the place of the old one when it is whole: a transaction would keep what was staged for every part. Killed at any
instant, the next build finds both as they were and takes the log from where the marts stand; so an interrupted, an
incremental and a full build give the same digest.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import duckdb

from etl import block_writes, build_digest, forecast, proof, spare
from etl.build_digest import META, overall
from etl.build_engine import EngineOf, in_process
from etl.build_fold import STATE, Built, Fold, Progress
from etl.build_models import models_signature
from etl.build_tables import load_build_tables, reference_signature
from etl.durable import sync
from etl.identity import advance, begin_anew, ground, make_tables, state
from etl.intake import tidy_seldom
from etl.pseudonym import keyed_macro, load_key
from etl.site import Site
from etl.site_tables import load_site_tables, site_signature
from etl.standing import BuildReport, last_batch
from etl.transaction import transaction
from sql.engine import SOUND
from sql.macros import MACROS

#: Messages of an exam at a sender that tells much; identity takes so many at once as a part of the exams has.
MESSAGES_PER_EXAM = 10
#: Messages up to which the engine works in one thread: what it does at once is too little for two.
FEW_MESSAGES = 50_000
#: Memory of the engine for so few: blocks that it read take the room of others. Each in memory of its own would cost a
#: fault a page, and of most blocks a night reads one row.
NIGHT_MEMORY = "512MB"
#: What a night commits goes to the file at once: its log would be written, and taken up as soon as the build ends.
COMMIT_TO_FILE = "SET checkpoint_threshold = '1KB'"


class Choices(Protocol):
    """The settings that change what is published."""

    @property
    def publish_accession(self) -> bool: ...
    @property
    def publish_names(self) -> bool: ...
    @property
    def memory_limit(self) -> str: ...
    @property
    def part_exams(self) -> int: ...


class Home(Protocol):
    """Where an installation keeps its databases, site and key."""

    @property
    def intake(self) -> Path: ...
    @property
    def marts(self) -> Path: ...
    @property
    def published(self) -> Path: ...
    @property
    def key_file(self) -> Path: ...
    @property
    def settings(self) -> Choices: ...
    def load_site(self) -> Site: ...


@dataclass(frozen=True)
class _How:
    """What a build was asked for; `saves` memory where few messages came."""

    full: bool
    progress: Progress | None
    engine: EngineOf
    saves: bool = True


def _connect(home: Home, marts: Path) -> duckdb.DuckDBPyConnection:
    is_new = not marts.exists()
    con = duckdb.connect(str(marts), config={"memory_limit": home.settings.memory_limit})
    if is_new:
        marts.chmod(0o600)
    con.execute(SOUND)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"ATTACH '{str(home.intake).replace(chr(39), chr(39) * 2)}' AS intake")
    return con


def _prepare(con: duckdb.DuckDBPyConnection, home: Home, site: Site) -> str:
    """Site tables, references and macros; returns the signature of all that shapes the marts beside the raw rows."""
    load_site_tables(con, site)
    make_tables(con)
    key = load_key(home.key_file)
    con.execute(keyed_macro(key))
    for macro in MACROS:
        con.execute(macro.create_duckdb())
    shown = "accession" if home.settings.publish_accession else "keyed('accession', accession)"
    con.execute(f"CREATE OR REPLACE TEMP MACRO published_accession(accession) AS {shown}")
    name = "person" if home.settings.publish_names else "NULL"
    con.execute(f"CREATE OR REPLACE TEMP MACRO published_name(person) AS {name}")
    load_build_tables(con)
    parts = (
        build_digest.VERSION, forecast.VERSION, site_signature(site), models_signature(), reference_signature(),
        repr((home.settings.publish_accession, home.settings.publish_names)),
    )  # fmt: skip
    return ground(con, key) + hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _built(con: duckdb.DuckDBPyConnection) -> Built:
    con.execute(STATE)
    con.execute(META)
    row = con.execute("SELECT batch_id, epoch, signature, data_through FROM meta_build").fetchone()
    return Built(*row) if row else Built()


def build(
    home: Home, *, full: bool = False, progress: Progress | None = None, engine: EngineOf = in_process
) -> BuildReport:
    """Bring the marts up to the last loaded batch; `full` derives everything from the raw rows.

    What runs the models, `engine`, changes nothing in the marts. A changed site, model, reference, key or setting makes
    a build full by itself, but for identities where what these are made of is the same. Raises CheckFailedError where
    the marts would break one of their rules; they then stay as they were. `progress` gets (step, number, of).
    """
    how = _How(full, progress, engine)
    site = home.load_site()
    if not full and home.marts.exists():
        try:
            report = _brought_up(home, site, how)
        except duckdb.OutOfMemoryException:  # that of few messages was too little for what they touch
            report = _brought_up(home, site, replace(how, saves=False))
            report = report and replace(report, took_all_memory=True)
        if report is not None:
            return report
    fresh = home.marts.with_name(f"{home.marts.name}.new")
    _remove(fresh)  # of a build that was killed
    spare.drop(home.published)
    try:
        with closing(_connect(home, fresh)) as con:
            report = _derive_anew(con, home, _prepare(con, home, site), how)
    except BaseException:
        _remove(fresh)
        raise
    _remove(home.marts, but_file=True)  # a log of the engine belongs to the file beside which it lies
    sync(fresh)
    os.replace(fresh, home.marts)
    sync(home.marts.parent)
    return report


def _brought_up(home: Home, site: Site, how: _How) -> BuildReport | None:
    """What a build of new batches reports; None as `_bring_up` has it. Raises OutOfMemoryException."""
    known, written, watch = proof.noted(home.marts), proof.Measured(), block_writes.Watch(home.marts)
    with closing(_connect(home, home.marts)) as con:
        report = _bring_up(con, home, _prepare(con, home, site), how, written)
    if report is not None:
        proof.after_build(home.marts, known, written)
        watch.note()
    return report


def _bring_up(
    con: duckdb.DuckDBPyConnection, home: Home, signature: str, how: _How, written: proof.Measured
) -> BuildReport | None:
    """Derive what new batches touched and tell in `written` what; None where all marts have to be derived anew."""
    built, identity = _built(con), state(con)
    if not (built.signature == identity.signature == signature and built.epoch == identity.epoch):
        return None
    most = home.settings.part_exams
    if how.saves and _n_messages(con, built.batch_id) <= FEW_MESSAGES:
        _take_little(con)
    con.execute(COMMIT_TO_FILE)
    last = last_batch(con)
    tidy_seldom(con, built.batch_id, last)
    identity = advance(con, last, forget=built.batch_id, most=most * MESSAGES_PER_EXAM)
    touched = 0
    if built.batch_id < identity.batch_id:
        with transaction(con):
            touched = Fold(con, built, False, most, how.progress, how.engine(con, False), written).run(
                identity, signature
            )
    return _report(con, touched, is_full=False)


def _take_little(con: duckdb.DuckDBPyConnection) -> None:
    """One thread, and no more memory than `NIGHT_MEMORY`, which the engine then keeps for blocks."""
    con.execute("SET threads = 1")
    asked = f"SELECT parse_formatted_bytes(current_setting('memory_limit')) > parse_formatted_bytes('{NIGHT_MEMORY}')"
    if con.execute(asked).fetchall()[0][0]:
        con.execute(f"SET memory_limit = '{NIGHT_MEMORY}'")
        con.execute(f"SET block_allocator_memory = '{NIGHT_MEMORY}'")


def _n_messages(con: duckdb.DuckDBPyConnection, since: int) -> int:
    told = f"SELECT coalesce(sum(n_kept), 0) FROM intake.raw_batch WHERE batch_id > {since}"
    return int(con.execute(told).fetchall()[0][0])


def _derive_anew(con: duckdb.DuckDBPyConnection, home: Home, signature: str, how: _How) -> BuildReport:
    """Derive all marts into an empty file; identities too, where asked to or where their ground has changed."""
    if _n_messages(con, 0) <= FEW_MESSAGES:
        con.execute("SET threads = 1")
    begin_anew(con, signature, full=how.full)
    most = home.settings.part_exams
    identity = advance(con, last_batch(con), forget=None, most=most * MESSAGES_PER_EXAM)
    touched = Fold(con, _built(con), True, most, how.progress, how.engine(con, True)).run(identity, signature)
    return _report(con, touched, is_full=True)


def _report(con: duckdb.DuckDBPyConnection, touched: int, *, is_full: bool) -> BuildReport:
    row = con.execute("SELECT count(*) FROM fct_exam").fetchone()
    return BuildReport(overall(con), int(row[0]) if row else 0, touched, _built(con).data_through, is_full)


def _remove(marts: Path, *, but_file: bool = False) -> None:
    """Remove a database, and what the engine leaves beside it when it is killed: its log and its spilled blocks."""
    if not but_file:
        marts.unlink(missing_ok=True)
    marts.with_name(f"{marts.name}.wal").unlink(missing_ok=True)
    shutil.rmtree(marts.with_name(f"{marts.name}.tmp"), ignore_errors=True)
