"""Whether a numerator is known is told with fewer columns and joins, and as before."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from sql.nullness import is_of_one, simplify


def simplified(sql: str, *columns: str) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(tree, exp.Select)
    simplify(tree, columns)
    return tree.sql("duckdb")


@pytest.mark.parametrize(("told", "left"), [
    ("coalesce(r.is_7d, FALSE)", "1"),
    ("CAST(r.exam_key IS NULL AS INTEGER)", "1"),
    ("CAST(r.days AS INTEGER)", "r.days"),
    ("CASE WHEN e.region IS NOT NULL THEN CAST(coalesce(r.is_7d, FALSE) AS INTEGER) END",
     "CASE WHEN NOT e.region IS NULL THEN 1 END"),
    ("TRY_CAST('a' AS INTEGER)", "TRY_CAST('a' AS INT)"),
    ("CASE e.region WHEN 'x' THEN 2 END", "CASE e.region WHEN 'x' THEN 2 END"),
])  # fmt: skip
def test_a_column_keeps_its_nulls(told: str, left: str) -> None:
    assert simplified(f"SELECT {told} AS n FROM fct_exam AS e", "n") == f"SELECT {left} AS n FROM fct_exam AS e"


def test_what_nothing_needs_is_not_joined() -> None:
    join = "LEFT JOIN fct_repeat AS r ON r.exam_key = e.exam_key"
    body = f"SELECT CAST(coalesce(r.is_7d, FALSE) AS INTEGER) AS n, e.region FROM fct_exam AS e {join}"
    assert simplified(body, "n") == "SELECT 1 AS n, e.region FROM fct_exam AS e"
    assert "fct_repeat" in simplified(body)
    assert "fct_repeat" in simplified(f"{body} WHERE r.days > 1", "n")
    assert "fct_repeat" in simplified(body.replace("e.region", "r.region"), "n")


@pytest.mark.parametrize(("join", "is_one"), [
    ("LEFT JOIN fct_repeat r ON r.exam_key = e.exam_key AND r.kind = 'repeat'", True),
    ("LEFT JOIN dim_procedure_weight w ON w.modality IS NOT DISTINCT FROM e.modality"
     " AND w.procedure IS NOT DISTINCT FROM e.procedure", True),
    ("LEFT JOIN dim_procedure_weight w ON w.procedure = e.procedure", False),
    ("JOIN fct_repeat r ON r.exam_key = e.exam_key", False),
    ("LEFT JOIN fct_repeat r ON r.exam_key > e.exam_key", False),
    ("LEFT JOIN (SELECT * FROM fct_repeat) r ON r.exam_key = e.exam_key", False),
])  # fmt: skip
def test_a_join_by_the_whole_key_finds_one_row(join: str, is_one: bool) -> None:
    tree = sqlglot.parse_one(f"SELECT 1 FROM fct_exam e {join}", read="duckdb")
    (found,) = tree.args["joins"]
    assert is_of_one(found) is is_one
