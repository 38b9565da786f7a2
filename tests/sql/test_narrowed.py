"""Statements for some statistics of a metric."""

from __future__ import annotations

from dataclasses import replace

import sqlglot
from sqlglot import exp

from sql.catalog import Catalog, Metric
from sql.narrowed import narrowed

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
