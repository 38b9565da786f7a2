"""Statements for some statistics of a metric."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp

from sql.catalog import Catalog, Metric
from sql.narrowed import narrowed
from tests.snapshots import Rows, exam_row, snapshot_of

REPEATS = Catalog.load().metrics["repeat_exam_rate"]


def rule(metric: Metric, *statistics: str) -> str:
    (join,) = sqlglot.parse_one(narrowed(metric, statistics), read="duckdb").find_all(exp.Join)
    return str(join.args["on"].sql("duckdb")).partition("duplicate')")[2].lstrip(")")


def test_rows_without_a_flag_that_is_asked_are_not_joined() -> None:
    assert rule(REPEATS, "30d") == " AND r.is_30d"
    assert rule(REPEATS, "7d", "90d") == " AND (r.is_7d OR r.is_90d)"


def test_a_statement_stays_as_it_is_where_rows_tell_more() -> None:
    """Of all flags, of a metric without choices, of a column that is shown or a flag that is told where it is absent,
    and of a table of which a row of the metric may have several."""
    assert narrowed(REPEATS, ("7d", "30d", "90d")) == REPEATS.body
    reports = Catalog.load().metrics["report_final"]
    assert narrowed(reports, ("p50",)) == reports.body
    for old, new in (("e.facility", "r.facility"), ("coalesce(r.is_30d, FALSE)", "coalesce(r.is_30d, TRUE)"),
                     ("ON r.exam_key = e.exam_key", "ON r.patient_key = e.patient_key"),
                     ("WHERE e.is_countable", "WHERE r.days IS NULL")):  # fmt: skip
        assert old in REPEATS.body
        other = replace(REPEATS, body=REPEATS.body.replace(old, new))
        assert narrowed(other, ("30d",)) == other.body


def test_keys_of_rows_that_are_not_looked_up_are_not_read(tmp_path: Path) -> None:
    """An exam that is declared is looked up; one that is not, or says nothing of it, is told as it was."""
    declared = Catalog.load().metrics["declared_repeat"]
    found = sqlglot.parse_one(narrowed(declared, declared.statistics), read="duckdb")
    assert isinstance(found, exp.Union)
    keys = [
        {column.name for column in part.find_all(exp.Column)} for part in (found.left.args["joins"][0], found.right)
    ]
    assert keys[0] == {"exam_key"}
    assert not found.right.args.get("joins")
    told: Rows = [{"is_declared_repeat": is_told, "exam_key": f"{number}", "region": region, "is_imported": False}
            for number, (is_told, region) in enumerate(product((True, False, None), ("HEAD", None)) )]  # fmt: skip
    times: dict[str, Any] = {"exam_started_at": datetime(2026, 3, 2, 10)}
    exams = [exam_row(1.0, **each, **times) for each in told] + [exam_row(1.0, **told[0] | {"exam_key": "6"}, **times)]
    held = snapshot_of(tmp_path, datetime(2026, 4, 1), fct_exam=exams, fct_repeat=[{"exam_key": "6"}])
    names = "exam_key, is_necessary, is_unfound, is_duplicate_order"
    plain, parted = (held.execute(f"SELECT {names} FROM ({body}) ORDER BY exam_key")
                     for body in (declared.body, narrowed(declared, declared.statistics)))  # fmt: skip
    assert plain["is_unfound"].to_list() == [1, None, 0, 0, 1, None, 0]
    assert plain.equals(parted)
