"""What a person can ask a snapshot for, from its own catalog: tables, columns and macros with their comments."""

from __future__ import annotations

from typing import Any

from sql.meta_tables import INTERNAL_TABLES
from sql.snapshot import Snapshot
from sql.worked import worked

#: Schemas of macros in the order in which they are shown.
SCHEMAS = ("metrics", "control", "evidence", "censored")
#: Words of the language that an editor proposes.
KEYWORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "QUALIFY", "LIMIT", "OFFSET", "JOIN", "LEFT JOIN",
    "CROSS JOIN", "FULL JOIN", "ASOF JOIN", "ON", "USING", "WITH", "AS", "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE",
    "ILIKE", "IS NULL", "IS NOT NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "DISTINCT", "UNION ALL", "EXCEPT",
    "INTERSECT", "OVER", "PARTITION BY", "FILTER", "DESC", "ASC", "NULLS LAST", "INTERVAL", "DATE", "TIMESTAMP",
    "GROUP BY ALL", "PIVOT", "UNPIVOT", "DESCRIBE", "SUMMARIZE", "SHOW TABLES", "EXPLAIN", "EXPLAIN ANALYZE", "VALUES",
)  # fmt: skip
#: Functions that an editor proposes.
FUNCTIONS = (
    "count", "sum", "avg", "min", "max", "median", "quantile_cont", "quantile_disc", "stddev_samp", "any_value",
    "arg_max", "arg_min", "list", "string_agg", "bool_and", "bool_or", "round", "coalesce", "nullif", "greatest",
    "least", "abs", "date_trunc", "date_diff", "date_part", "strftime", "hour", "isodow", "month", "year", "lower",
    "upper", "length", "contains", "starts_with", "regexp_matches", "row_number", "rank", "lag", "lead", "unnest",
)  # fmt: skip


def schema(snapshot: Snapshot) -> dict[str, Any]:
    """Tables with their columns, macros with their parameters, words, and the worked queries: as plain values."""
    tables = snapshot.execute(
        """SELECT t.table_name, coalesce(t.comment, ''), m.n_rows
           FROM duckdb_tables() t LEFT JOIN meta_table m ON m.table_name = t.table_name
           WHERE t.schema_name = 'main' AND NOT t.internal AND NOT t.temporary
               AND NOT list_contains($internal, t.table_name) ORDER BY t.table_name""",
        {"internal": list(INTERNAL_TABLES)},
    )
    columns = snapshot.execute(
        """SELECT table_name, column_name, data_type, coalesce(comment, '') FROM duckdb_columns()
           WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"""
    )
    macros = snapshot.execute(
        """SELECT schema_name, function_name, coalesce(comment, ''), parameters FROM duckdb_functions()
           WHERE NOT internal AND function_type = 'table_macro' ORDER BY function_name"""
    )
    of: dict[str, list[dict[str, str]]] = {}
    for table, name, kind, note in columns.iter_rows():
        of.setdefault(table, []).append({"name": name, "type": kind, "note": note})
    return {
        "snapshot": snapshot.id,
        "tables": [
            {"name": name, "note": note, "n_rows": n_rows, "columns": of.get(name, [])}
            for name, note, n_rows in tables.iter_rows()
        ],
        "macros": [
            {"name": f"{part}.{name}", "note": note, "parameters": list(parameters)}
            for part in SCHEMAS for found, name, note, parameters in macros.iter_rows() if found == part
        ],
        "keywords": KEYWORDS,
        "functions": FUNCTIONS,
        "worked": [{"name": query.title, "statement": query.statement} for query in worked()],
    }  # fmt: skip
