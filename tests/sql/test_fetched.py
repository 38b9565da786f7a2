"""Rows are had in the engine's own way where it has one, and in the documented one elsewhere: the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from sql.fetched import fetched

SQL = """SELECT i, CAST(i AS VARCHAR) AS text, CAST(i AS DECIMAL(18, 3)) AS exact, [i, NULL] AS listed,
CAST('x' AS ENUM ('x', 'y')) AS kind, TIMESTAMP '2026-01-01' + to_seconds(i) AS at, nullif(i, 1) AS some
FROM range($n) t(i) ORDER BY i"""


class Documented:
    """A cursor with nothing but what is documented."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.execute = cursor.execute


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("n", [0, 2_500])
def test_both_ways_give_the_same_rows(engine: duckdb.DuckDBPyConnection, n: int) -> None:
    documented: Any = Documented(engine.cursor())
    ours, theirs = (fetched(cursor, SQL, {"n": n}, 1_000).read_all() for cursor in (engine.cursor(), documented))
    assert hasattr(engine, "_submit"), "the engine has no such way any more: away with it in `sql.fetched`"
    assert ours.equals(theirs)
    assert ours.num_rows == n


def test_rows_come_so_many_at_once(engine: duckdb.DuckDBPyConnection) -> None:
    batches = list(fetched(engine.cursor(), SQL, {"n": 5_000}, 2_048))
    assert [batch.num_rows for batch in batches] == [2_048, 2_048, 904]


@pytest.mark.parametrize("sql", ["SELECT error('wrong')", "SELECT wrong", "SELECT $other"])
def test_what_is_wrong_is_an_error_of_the_engine(engine: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        fetched(engine.cursor(), sql, {}, 1_000)
