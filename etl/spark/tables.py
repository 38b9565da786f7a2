"""Tables of this machine's engine for Spark, each as one file of Parquet, and Spark's files for this engine.

Of raw rows only those columns are written that a model names; no patient's name is among them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from etl.build_digest import columns_of
from etl.build_models import read_build_models

#: Type of a column -> how it is written, and what Spark takes it for. Numbers without a sign only tell rows apart: they
#: are moved by half their range.
TYPES: dict[str, tuple[str, str]] = {
    "VARCHAR": ("{0}", "STRING"), "BOOLEAN": ("{0}", "BOOLEAN"), "DATE": ("{0}", "DATE"), "DOUBLE": ("{0}", "DOUBLE"),
    "SMALLINT": ("{0}", "SMALLINT"), "INTEGER": ("{0}", "INT"), "BIGINT": ("{0}", "BIGINT"),
    "HUGEINT": ("CAST({0} AS BIGINT)", "BIGINT"), "UTINYINT": ("CAST({0} AS SMALLINT)", "SMALLINT"),
    "UBIGINT": ("CAST(CAST({0} AS HUGEINT) - 9223372036854775808 AS BIGINT)", "BIGINT"),
    "TIMESTAMP": ("timezone('UTC', {0})", "TIMESTAMP"), "INTEGER[]": ("{0}", "ARRAY<INT>"),
}  # fmt: skip


#: A length of time as DuckDB tells it in the text of a view.
_INTERVAL = re.compile(r"to_(minute|hour|day)s\(CAST\(trunc\(CAST\((\d+) AS DOUBLE\)\) AS \w+\)\)")


@dataclass(frozen=True)
class Written:
    """A table as a file: its path, and its columns in Spark's words."""

    path: Path
    schema: str


def spark_type(kind: str) -> str:
    """Spark's word for a type of a mart. Raises KeyError for one that no mart has."""
    return TYPES[kind][1]


@cache
def _named() -> frozenset[str]:
    """All words of all models."""
    bodies = (model.body for folder in ("staging", "marts") for model in read_build_models(folder))
    return frozenset(word for body in bodies for word in re.findall(r"\w+", body))


def kept(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """(name, type) of the columns of a table that Spark gets: of raw rows those that a model names."""
    raw = table.removeprefix("intake.").startswith("raw_")
    return [column for column in columns_of(con, table) if not raw or column[0] in _named()]


def copy(con: duckdb.DuckDBPyConnection, table: str, path: Path, where: str = "TRUE") -> str:
    """Write the rows of a table or view that satisfy `where` to a file; returns their schema in Spark's words."""
    columns = kept(con, table)
    parts = ", ".join(f'{TYPES[kind][0].format(f"{chr(34)}{name}{chr(34)}")} AS "{name}"' for name, kind in columns)
    con.execute(f"COPY (SELECT {parts} FROM {table} WHERE {where}) TO '{_quoted(path)}' (FORMAT parquet)")
    return ", ".join(f"`{name}` {spark_type(kind)}" for name, kind in columns)


def write(con: duckdb.DuckDBPyConnection, table: str, folder: Path) -> Written:
    """Write a table or view of `con` to `folder`/<table>.parquet."""
    path = folder / f"{table}.parquet"
    return Written(path, copy(con, table, path))


def view_text(con: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """The query of a temporary view; None of a table, and of a view that reads what only this machine has."""
    row = con.execute("SELECT sql FROM duckdb_views() WHERE view_name = ? AND temporary", [name]).fetchone()
    text = str(row[0]) if row else ""
    if not row or "intake." in text:
        return None
    return _INTERVAL.sub(r"INTERVAL \2 \1", text.partition(" AS ")[2].rstrip().rstrip(";"))


def take(con: duckdb.DuckDBPyConnection, name: str, folder: Path, columns: list[tuple[str, str]]) -> bool:
    """Temporary table `name` with the rows of Spark's files in `folder`; whether there is any.

    `columns` are (name, type); others keep their type, times being in UTC.
    """
    files = f"read_parquet('{_quoted(folder)}/*.parquet')"
    typed = dict(columns)
    parts = []
    for column, kind, *_ in con.execute(f"DESCRIBE SELECT * FROM {files}").fetchall():
        given = typed.get(column, "TIMESTAMP" if kind == "TIMESTAMP WITH TIME ZONE" else kind)
        parts.append(f'CAST("{column}" AS {given}) AS "{column}"')
    made = con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {', '.join(parts)} FROM {files}").fetchone()
    return made is None or bool(made[0])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
