"""What runs the models of a build: DuckDB in this process, or an engine that does the same elsewhere.

All else of a build (what is touched, identity, scopes, digests, checks) is one code on this machine. An engine derives
rows from a model's text and hands them over as the temporary table `new_rows`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import duckdb

from etl.build_models import BuildModel
from etl.frames import query

if TYPE_CHECKING:
    import polars as pl


class Engine(Protocol):
    """Runs models one after the other in the order of a build."""

    @property
    def most(self) -> int | None:
        """Exams that it derives at once at most; None leaves it to the settings."""

    def stage(self, model: BuildModel) -> None:
        """Make the rows of a model known to later ones under its name, as a view where the model says so."""

    def rows(self, model: BuildModel) -> bool:
        """Temporary table `new_rows` with the rows of a mart; whether there is any."""

    def answer(self, statement: str) -> pl.DataFrame:
        """The rows of a query on what is staged."""


#: Makes the engine of one derivation: of the marts behind a connection, of all exams (True) or of those touched.
EngineOf = Callable[[duckdb.DuckDBPyConnection, bool], Engine]


@dataclass(frozen=True)
class InProcess:
    """DuckDB, on the connection that holds the marts."""

    con: duckdb.DuckDBPyConnection
    most: int | None = None

    def stage(self, model: BuildModel) -> None:
        kind = "VIEW" if model.materialize == "view" else "TABLE"
        self.con.execute(f"CREATE OR REPLACE TEMP {kind} {model.name} AS {model.body}")

    def rows(self, model: BuildModel) -> bool:
        made = self.con.execute(f"CREATE OR REPLACE TEMP TABLE new_rows AS {model.body}").fetchone()
        return made is None or bool(made[0])

    def answer(self, statement: str) -> pl.DataFrame:
        return query(self.con, statement)


def in_process(con: duckdb.DuckDBPyConnection, _anew: bool) -> Engine:
    """DuckDB, whether all exams are derived or only some."""
    return InProcess(con)
