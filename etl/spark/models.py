"""The models of a build on Spark: the same files in the same order, over the tables that this machine hands over.

A staging table is written as Parquet and read again by those that follow, so a lost executor costs no more than its
tasks; a view stays one. Marts are written as Parquet and taken into the marts' file as the rows of any model are. Of
all exams everything runs there. At night the models that read raw rows do, of the touched exams alone; what follows
from their changes is small, needs the marts as they were, and runs where these are.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import sqlglot
from sqlglot import exp

from etl.build_engine import Engine, EngineOf, InProcess
from etl.build_models import BuildModel, plan_build
from etl.build_tally import TALLY, sums
from etl.errors import ClusterError, StoreError
from etl.home import Home
from etl.pseudonym import load_key
from etl.spark import files, tables
from etl.spark.dialect import to_spark
from etl.spark.files import Rows
from etl.spark.folder import Folder, said
from etl.spark.lake import Lake, bring_up
from etl.spark.private import private_macros
from sql.macros import Macro

if TYPE_CHECKING:
    import polars as pl
    from pyspark.sql import DataFrame, SparkSession

#: What makes Spark mean what DuckDB means: errors instead of NULL, one zone, instants as they are.
OPTIONS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
#: What pyspark writes the text of an error to, which may quote a value.
_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
#: Exams of a part: Spark cuts the work itself.
ALL = 1 << 62


def spark_engine(spark: SparkSession, home: Home, folder: Folder) -> EngineOf:
    """The engine of builds of `home` on a session; it hands over by `folder`."""
    choices = home.settings
    macros = private_macros(
        load_key(home.key_file), publish_accession=choices.publish_accession, publish_names=choices.publish_names
    )
    apart = own_session(spark)

    def engine(con: duckdb.DuckDBPyConnection, anew: bool) -> Engine:
        lake = bring_up(con, choices.lake, choices.s3_endpoint) if choices.lake else None
        return OnSpark(con, anew, apart, folder.below(uuid.uuid4().hex), macros, lake=lake)

    return engine


def own_session(spark: SparkSession) -> SparkSession:
    """A session beside another on the same executors, which means what DuckDB means and tells no log what it read."""
    from pyspark.logger import PySparkLogger  # noqa: PLC0415

    for name in _LOGGERS:
        PySparkLogger.getLogger(name).disabled = True
    spark.sparkContext.setLogLevel("OFF")
    apart = spark.newSession()
    for name, value in OPTIONS.items():
        apart.conf.set(name, value)
    return apart


@dataclass
class OnSpark:
    """Runs the models of one derivation on a session of its own; `known` are the tables that Spark has."""

    con: duckdb.DuckDBPyConnection
    anew: bool
    spark: SparkSession
    folder: Folder
    macros: tuple[Macro, ...]
    most: int | None = ALL
    lake: Lake | None = None
    known: set[str] = field(default_factory=set)

    def _is_here(self, model: BuildModel) -> bool:
        """Whether DuckDB runs a model: at night what does not read raw rows of the touched exams."""
        plan = plan_build()
        return not self.anew and model not in plan.staging and model not in plan.exam_marts

    def stage(self, model: BuildModel) -> None:
        """Make the rows of a model known to later ones. Raises ClusterError."""
        if self._is_here(model):
            InProcess(self.con).stage(model)
        elif model.materialize == "view":
            self._view(model.name, self._asked(model.body, model.name))
        else:
            with _told(model.name):
                self._kept(model.name, _writable(self._asked(model.body, model.name)))

    def rows(self, model: BuildModel) -> bool:
        """Temporary table `new_rows` with the rows of a mart; whether there is any. Raises ClusterError."""
        if self._is_here(model):
            return InProcess(self.con).rows(model)
        declared = {column.name: tables.spark_type(column.type) for column in model.columns}
        with _told(model.name):
            made = self._asked(model.body, model.name)
            typed = [f"CAST(`{name}` AS {declared[name]}) AS `{name}`" if name in declared else f"`{name}`"
                     for name in made.columns]  # fmt: skip
            written, read = self._kept(model.name, _writable(made.selectExpr(*typed)))
            if model.scope == TALLY:
                read = read.where(f"`{sums(model)[0].name}` <> 0")
            self._view(model.name, read.select(*(f"`{name}`" for name in declared)))
        columns = [(column.name, column.type) for column in model.columns]
        with files.taken(written) as folder:
            return tables.take(self.con, "new_rows", folder, columns)

    def answer(self, statement: str) -> pl.DataFrame:
        """The rows of a query on what is staged. Raises ClusterError."""
        import polars as pl  # noqa: PLC0415

        with _told("names"):
            frame = pl.from_arrow(self._asked(statement, "names").toArrow())
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table becomes a frame
        return frame

    def _asked(self, statement: str, name: str) -> DataFrame:
        self._provide(statement)
        with _told(name):
            return self.spark.sql(to_spark(statement, self.macros))

    def _kept(self, name: str, rows: DataFrame) -> tuple[Rows, DataFrame]:
        """Write rows, and read them under their name from then on."""
        written = files.write(rows, self.folder, f"{name}.rows")
        read = files.read(self.spark, written)
        self._view(name, read)
        return written, read

    def _view(self, name: str, rows: DataFrame) -> None:
        rows.createOrReplaceTempView(name)
        self.known.add(name)

    def _provide(self, statement: str) -> None:
        """Hand over what a statement reads and Spark does not have: a view as a view, a table as its rows."""
        for name in sorted(_read(statement) - self.known):
            if self.lake is not None and self.anew and self.lake.holds(name):
                with _told(name):
                    self._view(name, self.lake.read(self.spark, self.con, name))
                continue
            text = tables.view_text(self.con, name)
            if text is not None:
                self._view(name, self._asked(text, name))
                continue
            written = tables.write(self.con, name, self.folder.here)
            with _told(name):
                self._view(name, files.read(self.spark, files.hand_over(written.path, written.schema, self.folder)))


def _read(statement: str) -> set[str]:
    """Tables that a statement of DuckDB reads, without its own."""
    tree = sqlglot.parse_one(statement, read="duckdb")
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


def _writable(rows: DataFrame) -> DataFrame:
    """Rows with columns that hold nothing but NULL as text: files have no type for nothing."""
    from pyspark.sql import functions as f  # noqa: PLC0415
    from pyspark.sql.types import NullType, StringType  # noqa: PLC0415

    empty = [column.name for column in rows.schema.fields if isinstance(column.dataType, NullType)]
    return rows.withColumns({name: f.lit(None).cast(StringType()) for name in empty}) if empty else rows


@contextmanager
def _told(model: str) -> Iterator[None]:
    """Errors of Spark by their kind alone: their text may quote a value."""
    try:
        yield
    except (ClusterError, StoreError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever Spark raises
        condition = said(error) or getattr(error, "getCondition", lambda: None)() or type(error).__name__
        raise ClusterError(f"Spark gave up at {model} ({condition}); the marts are as they were") from None
