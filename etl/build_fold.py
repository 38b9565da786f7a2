"""One derivation of the marts: each model in number order, of what is touched or of all exams part by part."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from etl import build_places, forecast
from etl.build_checks import run_checks
from etl.build_digest import measure, store, stored
from etl.build_engine import Engine, InProcess
from etl.build_models import BuildModel, Plan, plan_build
from etl.build_moves import load_movers
from etl.build_same import Same
from etl.build_scope import KEPT, derive_scopes, in_scope, keep_before, keep_now, keep_old
from etl.build_stage import find_touched, load_clock, load_mentions, load_moved, load_touched
from etl.build_tables import NAMES, load_batch_views, load_procedure_names
from etl.build_tally import TALLY, add_up, drop_helpers
from etl.identity import State
from etl.transaction import transaction

STATE = (
    "CREATE TABLE IF NOT EXISTS meta_build (batch_id BIGINT, epoch BIGINT, signature VARCHAR, data_through TIMESTAMP)"
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Built:
    batch_id: int = 0
    epoch: int = 0
    signature: str = ""
    data_through: datetime | None = None


@dataclass(frozen=True)
class Fold:
    """One derivation of marts from staged rows: `anew` for all exams, else for those logged since `built`."""

    con: duckdb.DuckDBPyConnection
    built: Built
    anew: bool
    most: int
    progress: Progress | None
    engine: Engine
    written: dict[str, tuple[int, int]] = field(default_factory=dict)  # rows and their sum by mart, as they are made
    measured: dict[str, tuple[int, int]] = field(default_factory=dict)
    placed: list[tuple[str, int, int]] = field(default_factory=list)  # mart of exams, part, rows
    same: Same = field(default_factory=Same)

    def run(self, identity: State, signature: str) -> int:
        """Derive the marts and store how far they are; returns the number of exams derived again."""
        plan = plan_build()
        self._create_tables(plan)
        build_places.settle(self.con)
        self.measured.update(stored(self.con))
        since = None if self.anew else self.built.batch_id
        load_clock(self.con, since or 0, None if self.anew else self.built.data_through)
        parts = find_touched(self.con, since, self.engine.most or self.most)
        steps = _Steps(self.progress, plan.n_steps(parts))
        load_movers(self.con, since)
        load_batch_views(self.con, since or 0)
        keep_before(self.con, self.anew)
        if not self.anew:
            self.same.begin(self.con, plan)
        for model in plan.common:
            steps.next(model.name)
            self._stage(model)
        n_moved = 0 if since is None else self._move(plan, since)
        for part in range(parts):
            with self._step():
                self._derive_part(plan, part, parts, steps)
        with self._step():
            self._derive_rest(plan, steps)
            run_checks(self.con, self.measured)
            store(self.con, self.measured)
            build_places.note(self.con, self.placed, is_moved=n_moved > 0)
            self.con.execute("DELETE FROM meta_build")
            self.con.execute(
                "INSERT INTO meta_build SELECT ?, ?, ?, data_through FROM clock",
                [identity.batch_id, identity.epoch, signature],
            )
        return n_moved + int(self.con.execute("SELECT count(*) FROM touched_exam").fetchall()[0][0])

    def _step(self) -> AbstractContextManager[None]:
        """Of marts anew, a transaction a step, with which what was staged goes; else all is in one transaction."""
        return transaction(self.con) if self.anew else nullcontext()

    def _derive_part(self, plan: Plan, part: int, parts: int, steps: _Steps) -> None:
        load_touched(self.con, part)
        load_mentions(self.con, parts, None if self.anew else self.built.batch_id)
        if not self.anew:
            build_places.find_exams(self.con)
        for model in plan.staging:
            steps.next(model.name)
            self._stage(model)
        for model in plan.exam_marts:
            steps.next(model.name)
            self.placed.append((model.name, part + 1, self._derive(model)))

    def _move(self, plan: Plan, since: int) -> int:
        """Give the exams of which only the patient is another their patient's key; returns how many they are.

        An exam takes nothing else from its patient, so its other rows, and all that was told of it, are not read.
        """
        n = load_moved(self.con, since)
        if n:
            build_places.find_exams(self.con)
            build_places.keep_numbers(self.con)
            (exams,) = (model for model in plan.staging if model.name == "stg_exam")
            InProcess(self.con).stage(exams)
            for model in plan.exam_marts:
                if any(column.name == "patient_key" for column in model.columns) and self._find_old(model):
                    self.con.execute("""
                        CREATE OR REPLACE TEMP TABLE new_rows AS
                        SELECT o.* REPLACE (x.patient_key AS patient_key)
                        FROM old_rows o JOIN stg_exam x ON x.exam_key = o.exam_key""")
                    self.placed.append((model.name, 0, self._put(model, True, self._take_out(model))))
        return n

    def _derive_rest(self, plan: Plan, steps: _Steps) -> None:
        load_touched(self.con, None)
        for model in plan.scoping:
            steps.next(model.name)
            self._derive(model)
        derive_scopes(self.con, self.anew)
        for model in plan.marts:
            steps.next(model.name)
            if not self.same.is_same(model):
                self._derive(model)
            if model.name == forecast.COUNTS and not self.same.has_forecast():
                forecast.load_forecast(self.con)

    def _create_tables(self, plan: Plan) -> None:
        told = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        known = {name for (name,) in self.con.execute(told).fetchall()}
        new = [m for m in (*plan.exam_marts, *plan.scoping, *plan.marts)
               if m.materialize == "table" and m.name not in known]  # fmt: skip
        self.con.execute("".join(f"CREATE TABLE {model.name} ({_columns(model)});" for model in new) or "SELECT 1")

    def _stage(self, model: BuildModel) -> None:
        """One staging model; local names are harmonized as soon as the exams' names are known."""
        self.engine.stage(model)
        if model.name == "stg_exam_fact":
            load_procedure_names(self.con, self.engine.answer(NAMES))

    def _derive(self, model: BuildModel) -> int:
        """Replace the rows of one mart that are in scope, and carry its digest along; returns the new rows."""
        if model.materialize != "table":
            self.engine.stage(model)
            return 0
        is_any = self.engine.rows(model)
        if model.scope == TALLY and not self.anew and is_any:
            self._find_old(model)
            add_up(self.con, model, KEPT)
        return self._put(model, is_any, self._forget(model, is_any))

    def _put(self, model: BuildModel, is_any: bool, kept: tuple[int, int]) -> int:
        """Add `new_rows` to those that are `kept` (rows and their sum); returns how many are new."""
        n_new = 0
        before = self.measured.get(model.name, (0, 0))
        n_rows, total = kept
        has_old = n_rows < before[0]
        if is_any:
            if model.scope == TALLY:
                drop_helpers(self.con, model)
            order = f" ORDER BY {model.order('new_rows')}" if model.sorted_by else ""
            self.con.execute(f"INSERT INTO {model.name} BY NAME SELECT * FROM new_rows{order}")
            n_new, new = measure(self.con, "new_rows", _typed(model))
            n_rows, total = n_rows + n_new, total + new
            n_written, written = self.written.get(model.name, (0, 0))
            self.written[model.name] = (n_written + n_new, written + new)
            if not self.anew:
                keep_now(self.con, model.name)
        is_alike = (n_rows, total) == before
        self.same.look(self.con, model, has_old=has_old, has_new=is_any, is_alike=is_alike)
        self.measured[model.name] = (n_rows, total)
        self.con.execute("DROP TABLE new_rows")
        return n_new

    def _forget(self, model: BuildModel, is_any: bool) -> tuple[int, int]:
        """Delete the rows in scope; returns rows and sum of those that stay. Of a tally nothing is in scope where no
        row `is_any` change."""
        n_rows, total = self.measured.get(model.name, (0, 0))
        if not n_rows or (self.anew and model.scope == "exam"):  # a full build fills exams' marts part by part
            return n_rows, total
        if model.scope == "all":
            self.con.execute(f"DELETE FROM {model.name}")
            return 0, 0
        # Of a tally they are what was added up.
        if not (is_any if model.scope == TALLY else self._find_old(model)):
            return n_rows, total
        return self._take_out(model)

    def _take_out(self, model: BuildModel) -> tuple[int, int]:
        """Delete the rows of `old_place`; returns rows and sum of those that stay."""
        n_rows, total = self.measured.get(model.name, (0, 0))
        self.con.execute(f"DELETE FROM {model.name} WHERE rowid IN (SELECT place FROM old_place)")
        n_old, sum_old = measure(self.con, "old_rows", _typed(model))
        keep_old(self.con, model.name)
        return n_rows - n_old, total - sum_old

    def _find_old(self, model: BuildModel) -> bool:
        """Temp table `old_place` of the rows in scope, and `old_rows` of a tally or where there are any; tells if so.

        Found by one column, then read by their place: the other columns of all other rows are not read.
        """
        where = in_scope(self.con, model)
        if model.scope == "exam":
            where = build_places.where(self.con, model.name, where)
        places = f"SELECT rowid AS place FROM {model.name} WHERE {where}"
        (n,) = self.con.execute(f"CREATE OR REPLACE TEMP TABLE old_place AS {places}").fetchall()[0]
        if not n and model.scope != TALLY:
            return False
        old = "WHERE rowid IN (SELECT place FROM old_place)" if n else "LIMIT 0"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE old_rows AS SELECT * FROM {model.name} {old}")
        return bool(n)


def _columns(model: BuildModel) -> str:
    return ", ".join(f'"{column.name}" {column.type}' for column in model.columns)


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
