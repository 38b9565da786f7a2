"""Raw rows to marts: identity, staging, then each mart in number order, only for what the new batches touched.

Identity commits first, in intake.duckdb, with a log of touched exams. The marts follow in one transaction of
marts.duckdb that also stores how far they are. Killed at any instant, the next build finds both as they were and takes
the log from where the marts stand; so an interrupted, an incremental and a full build give the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from etl import build_digest, forecast
from etl.build_checks import run_checks
from etl.build_digest import META, measure, overall, store, stored
from etl.build_models import BuildModel, Plan, models_signature, plan_build
from etl.build_scope import TALLY, add_up, derive_scopes, drop_empty, in_scope, keep_before, keep_now, keep_old
from etl.build_stage import find_touched, load_clock, load_mentions, load_movers, load_touched
from etl.build_tables import load_build_tables, load_procedure_names, reference_signature
from etl.identity import VERSION, State, advance, reset, state
from etl.pseudonym import keyed_macro, load_key
from etl.site import Site
from etl.site_tables import load_site_tables, site_signature
from etl.standing import BuildReport, last_batch
from etl.transaction import transaction
from sql.macros import MACROS

#: Models up to this number are of the exams; the scopes of later ones follow from their changes.
LAST_EXAM_MODEL = 219
#: Messages of an exam at a sender that tells much; identity takes so many at once as a part of the exams has.
MESSAGES_PER_EXAM = 10
STATE = (
    "CREATE TABLE IF NOT EXISTS meta_build (batch_id BIGINT, epoch BIGINT, signature VARCHAR, data_through TIMESTAMP)"
)
OWN_TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND database_name = current_database()"

Progress = Callable[[str, int, int], None]


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
    def key_file(self) -> Path: ...
    @property
    def settings(self) -> Choices: ...
    def load_site(self) -> Site: ...


@dataclass(frozen=True, slots=True)
class _Built:
    batch_id: int = 0
    epoch: int = 0
    signature: str = ""
    data_through: datetime | None = None


def _connect(home: Home) -> duckdb.DuckDBPyConnection:
    is_new = not home.marts.exists()
    con = duckdb.connect(str(home.marts), config={"memory_limit": home.settings.memory_limit})
    if is_new:
        home.marts.chmod(0o600)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"ATTACH '{str(home.intake).replace(chr(39), chr(39) * 2)}' AS intake")
    return con


def _prepare(con: duckdb.DuckDBPyConnection, home: Home, site: Site) -> str:
    """Site tables, references and macros; returns the signature of all that shapes the marts beside the raw rows."""
    load_site_tables(con, site)
    state(con)
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
        VERSION, build_digest.VERSION, forecast.VERSION,
        duckdb.__version__, site_signature(site), models_signature(), reference_signature(),
        repr((home.settings.publish_accession, home.settings.publish_names)), hashlib.sha256(key).hexdigest(),
    )  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _built(con: duckdb.DuckDBPyConnection) -> _Built:
    con.execute(STATE)
    con.execute(META)
    row = con.execute("SELECT batch_id, epoch, signature, data_through FROM meta_build").fetchone()
    return _Built(*row) if row else _Built()


@dataclass(frozen=True)
class _Fold:
    """One derivation of marts from staged rows: `anew` for all exams, else for those logged since `built`."""

    con: duckdb.DuckDBPyConnection
    built: _Built
    anew: bool
    most: int
    progress: Progress | None
    measured: dict[str, tuple[int, int]] = field(default_factory=dict)

    def run(self, identity: State, signature: str) -> int:
        """Derive the marts and store how far they are; returns the number of exams derived again."""
        plan = plan_build()
        self._create_tables(plan)
        self.measured.update(stored(self.con))
        since = None if self.anew else self.built.batch_id
        load_clock(self.con, since or 0, None if self.anew else self.built.data_through)
        parts = find_touched(self.con, since, self.most)
        steps = _Steps(self.progress, plan.n_steps(parts))
        load_movers(self.con, since)
        keep_before(self.con, self.anew)
        for model in plan.common:
            steps.next(model.name)
            self._stage(model)
        for part in range(parts):
            load_touched(self.con, part)
            load_mentions(self.con, parts)
            for model in plan.staging:
                steps.next(model.name)
                self._stage(model)
            for model in plan.exam_marts:
                steps.next(model.name)
                self._derive(model)
        load_touched(self.con, None)
        is_scoped = False
        for model in plan.marts:
            steps.next(model.name)
            if model.number > LAST_EXAM_MODEL and not is_scoped:
                derive_scopes(self.con, self.anew)
                is_scoped = True
            self._derive(model)
        run_checks(self.con)
        store(self.con, self.measured)
        self.con.execute("DELETE FROM meta_build")
        self.con.execute(
            "INSERT INTO meta_build SELECT ?, ?, ?, data_through FROM clock",
            [identity.batch_id, identity.epoch, signature],
        )
        return int(self.con.execute("SELECT count(*) FROM touched_exam").fetchall()[0][0])

    def _create_tables(self, plan: Plan) -> None:
        if self.anew:
            for (name,) in self.con.execute(OWN_TABLES).fetchall():
                self.con.execute(f'DROP TABLE "{name}"')
            self.con.execute(STATE)
            self.con.execute(META)
        for model in (*plan.exam_marts, *plan.marts):
            if model.materialize == "table":
                columns = ", ".join(f'"{column.name}" {column.type}' for column in model.columns)
                self.con.execute(f"CREATE TABLE IF NOT EXISTS {model.name} ({columns})")

    def _stage(self, model: BuildModel) -> None:
        """One staging model; local names are harmonized as soon as the exams' names are known."""
        kind = "VIEW" if model.materialize == "view" else "TABLE"
        self.con.execute(f"CREATE OR REPLACE TEMP {kind} {model.name} AS {model.body}")
        if model.name == "stg_exam_fact":
            load_procedure_names(self.con)

    def _derive(self, model: BuildModel) -> None:
        """Replace the rows of one mart that are in scope, and carry its digest along."""
        if model.materialize == "work":
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {model.name} AS {model.body}")
            return
        made = self.con.execute(f"CREATE OR REPLACE TEMP TABLE new_rows AS {model.body}").fetchone()
        if model.scope == TALLY and not self.anew:
            add_up(self.con, model)
        n_rows, total = self._forget(model)
        if model.scope == TALLY:
            drop_empty(self.con, model)
        if made is None or made[0]:
            order = f" ORDER BY {model.sorted_by}" if model.sorted_by else ""
            self.con.execute(f"INSERT INTO {model.name} BY NAME SELECT * FROM new_rows{order}")
            n_new, new = measure(self.con, "new_rows", _typed(model))
            n_rows, total = n_rows + n_new, total + new
        if not self.anew:
            keep_now(self.con, model.name)
        self.measured[model.name] = (n_rows, total)
        self.con.execute("DROP TABLE new_rows")
        if model.name == "fct_volume_day":
            forecast.load_forecast(self.con)

    def _forget(self, model: BuildModel) -> tuple[int, int]:
        """Delete the rows in scope; returns rows and sum of those that stay."""
        n_rows, total = self.measured.get(model.name, (0, 0))
        if not n_rows or (self.anew and model.scope == "exam"):  # a full build fills exams' marts part by part
            return n_rows, total
        if model.scope == "all":
            self.con.execute(f"DELETE FROM {model.name}")
            return 0, 0
        # Found by one column, then read and deleted by their place: the other columns of all other rows are not read.
        places = f"SELECT rowid AS place FROM {model.name} WHERE {in_scope(self.con, model)}"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE old_place AS {places}")
        old = f"FROM {model.name} WHERE rowid IN (SELECT place FROM old_place)"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE old_rows AS SELECT * {old}")
        self.con.execute(f"DELETE {old}")
        n_old, sum_old = measure(self.con, "old_rows", _typed(model))
        keep_old(self.con, model.name)
        return n_rows - n_old, total - sum_old


def _typed(model: BuildModel) -> list[tuple[str, str]]:
    return [(column.name, column.type) for column in model.columns]


@dataclass
class _Steps:
    """Tells the progress of a build, model by model."""

    progress: Progress | None
    of: int
    done: int = 0

    def next(self, name: str) -> None:
        self.done += 1
        if self.progress:
            self.progress(name, self.done, self.of)


def build(home: Home, *, full: bool = False, progress: Progress | None = None) -> BuildReport:
    """Bring the marts up to the last loaded batch; `full` derives everything from the raw rows.

    A changed site, model, reference, key or setting makes a build full by itself. Raises CheckFailedError where the
    marts would break one of their rules; they then stay as they were. `progress` gets (step, number, of).
    """
    site = home.load_site()
    con = _connect(home)
    try:
        signature = _prepare(con, home, site)
        built = _built(con)
        identity = state(con)
        if full or identity.signature != signature:
            reset(con, signature)
            identity = state(con)
        anew = built.epoch != identity.epoch or built.signature != signature
        forget = None if anew else built.batch_id
        identity = advance(con, last_batch(con), forget=forget, most=home.settings.part_exams * MESSAGES_PER_EXAM)
        touched = 0
        if anew or built.batch_id < identity.batch_id:
            with transaction(con):
                touched = _Fold(con, built, anew, home.settings.part_exams, progress).run(identity, signature)
        row = con.execute("SELECT count(*) FROM fct_exam").fetchone()
        return BuildReport(overall(con), int(row[0]) if row else 0, touched, _built(con).data_through, anew)
    finally:
        con.close()
