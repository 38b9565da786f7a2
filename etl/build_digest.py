"""Order-free digest of the marts, kept up to date by subtraction and addition.

A row's number is the engine's 64-bit hash of its columns; a table's digest is the sum of its rows' numbers. So deleting
rows subtracts, inserting adds, and neither order nor file layout matters; a doubled row shows. The hash is that of one
version of the engine, as is the file: another version derives all marts again.
"""

from __future__ import annotations

import hashlib

import duckdb

#: Raise it when equal rows would have another digest: all marts are then derived again.
VERSION = "2"
#: Columns that say when something was loaded: equal data loaded in another order has the same digest.
LOAD_COLUMNS = frozenset({"loaded_at", "first_loaded_batch"})
Columns = list[tuple[str, str]]
META = "CREATE TABLE IF NOT EXISTS meta_table (table_name VARCHAR, n_rows BIGINT, digest VARCHAR)"


def _canonical(column: str, kind: str) -> str:
    """SQL for a value as it is hashed, of the declared type. Reals are rounded to millionths."""
    return f'CAST(round("{column}" * 1000000) AS BIGINT)' if kind == "DOUBLE" else f'CAST("{column}" AS {kind})'


def row_number_sql(columns: Columns) -> str:
    """SQL for the number of a row with `columns` (name, type)."""
    parts = ", ".join(_canonical(name, kind) for name, kind in columns if name not in LOAD_COLUMNS)
    return f"hash({parts})"


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> Columns:
    """(name, type) of a table's columns in order."""
    return [(row[0], row[1]) for row in con.execute(f"DESCRIBE {table}").fetchall()]


def measure(con: duckdb.DuckDBPyConnection, table: str, columns: Columns, where: str = "TRUE") -> tuple[int, int]:
    """(rows, sum of row numbers) of the rows of `table` that satisfy `where`."""
    number = row_number_sql(columns)
    row = con.execute(
        f"SELECT count(*), CAST(coalesce(sum({number}), 0) AS VARCHAR) FROM {table} WHERE {where}"
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return int(row[0]), int(row[1])


def stored(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[int, int]]:
    """Count and sum of each table as `meta_table` holds them."""
    rows = con.execute("SELECT table_name, n_rows, digest FROM meta_table").fetchall()
    return {name: (int(n), int(digest)) for name, n, digest in rows}


def store(con: duckdb.DuckDBPyConnection, measured: dict[str, tuple[int, int]]) -> None:
    """Replace `meta_table`."""
    con.execute("DELETE FROM meta_table")
    rows = [(name, n, str(total)) for name, (n, total) in sorted(measured.items())]
    if rows:  # one statement over lists: the engine takes as long for each as for all
        lists = [list(values) for values in zip(*rows, strict=True)]
        con.execute("INSERT INTO meta_table SELECT unnest(?), unnest(?), unnest(?)", lists)


def overall(con: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 over the tables' names, counts and sums, as hex."""
    rows = con.execute("SELECT table_name, n_rows, digest FROM meta_table ORDER BY table_name").fetchall()
    return hashlib.sha256("\n".join(":".join(map(str, row)) for row in rows).encode()).hexdigest()


def recount(con: duckdb.DuckDBPyConnection, tables: list[str]) -> dict[str, tuple[int, int]]:
    """Count and sum of each table from its rows, to prove what `meta_table` says."""
    return {table: measure(con, table, columns_of(con, table)) for table in tables}
