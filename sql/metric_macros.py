"""What a snapshot needs to explain itself: `metrics.<id>` table macros, comments, and the dictionary as tables.

A macro is made from the same file and the same wrapper as `sql.query.metric` and gives the same numbers:
`FROM metrics.report_final(groups := ['facility'], since := DATE '2026-01-01', period := 'month')`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import duckdb

from sql import catalog as files
from sql.candidates import completeness_sql
from sql.catalog import Catalog, Metric, Model
from sql.clock_filters import KNOWN, macro_sql
from sql.control import chart_statement
from sql.filters import FILTERS, NO_VALUE
from sql.kaplan_meier import censored_statement, is_censorable
from sql.meta_tables import INTERNAL_TABLES, META_TABLES
from sql.shape import PERIODS, Ask, group_sql, period_end_sql, period_sql, statement

__all__ = ["create_macro", "install", "install_macros", "signature"]

_META_METRIC = (
    "id", "title", "question", "unit", "better", "kind", "statistic", "clock_start", "clock_stop", "includes",
    "excludes", "nulls", "min_n", "table", "anchor", "target", "goal", "floor", "reference", "version", "since",
    "changed", "number", "numerator", "denominator", "body",
)  # fmt: skip
_LISTS = ("groups", "filters", "columns")


def signature() -> str:
    """SHA-256 over all that makes a metric's number, as hex: the files, and the statements made of them."""
    digest = hashlib.sha256(files.signature().encode())
    for metric in Catalog.load().metrics.values():
        digest.update("".join(created(metric) for created in _folded(metric)).encode())
    return digest.hexdigest()


def _folded(metric: Metric) -> list[Callable[[Metric], str]]:
    return [create_macro, create_control, create_evidence, *([create_censored] if is_censorable(metric) else [])]


def create_macro(metric: Metric) -> str:
    """The statement that creates a metric's table macro. Parameters: groups, since, until, period, statistic and one
    list a filter (NULL = all)."""
    return _macro("metrics", metric, "all", statement(metric, _ask(metric)))


def create_control(metric: Metric) -> str:
    """The statement that creates a metric's control chart as a table macro with the same parameters."""
    return _macro("control", metric, "week", chart_statement(metric, _ask(metric), "period"))


def create_censored(metric: Metric) -> str:
    """The statement that creates a metric's percentiles with waiting exams as a table macro; the same parameters."""
    return _macro("censored", metric, "all", censored_statement(metric, _ask(metric)))


def create_evidence(metric: Metric) -> str:
    """The statement that creates a metric's evidence: what became of every row that it could have used."""
    many = metric.statistics if metric.choices else ()  # those of a percentile use the same rows
    statistics = {name: f"statistic = '{name}'" for name in many} or {metric.statistic: ""}
    body = completeness_sql(metric, _ask(metric).where, "since", "until", statistics)
    return f"CREATE OR REPLACE MACRO evidence.{metric.id}({', '.join(_parameters(metric))}) AS TABLE {body}"


def _parameters(metric: Metric) -> list[str]:
    filters = [f"{f.key} := CAST(NULL AS VARCHAR[])" for f in FILTERS if f.key in metric.filters]
    dates = ["since := CAST(NULL AS DATE)", "until := CAST(NULL AS DATE)"]
    return [*dates, f"statistic := '{metric.statistic}'", *filters]


def _macro(schema: str, metric: Metric, period: str, body: str) -> str:
    parameters = ["groups := CAST([] AS VARCHAR[])", f"period := '{period}'", *_parameters(metric)]
    return f"CREATE OR REPLACE MACRO {schema}.{metric.id}({', '.join(parameters)}) AS TABLE {body}"


def _ask(metric: Metric) -> Ask:
    """What the parameters of a macro ask."""
    filters = [f for f in FILTERS if f.key in metric.filters]
    conditions = [
        macro_sql(f.key) if f.key in KNOWN
        else f"({f.key} IS NULL OR list_contains({f.key}, coalesce(b.{f.column}, '{NO_VALUE}')))"
        for f in filters
    ]  # fmt: skip
    if metric.has_dates:
        conditions += [
            "(since IS NULL OR b.period_local >= CAST(since AS TIMESTAMP))",
            "(until IS NULL OR b.period_local < CAST(until AS TIMESTAMP))",
        ]
    cases = "".join(f" WHEN '{group}' THEN {group_sql(group)}" for group in metric.groups)
    unknown = f"error('{metric.id}: groups are {', '.join(metric.groups)}')"
    periods = ("all", *PERIODS)
    return Ask(
        keys=(f"array_to_string(list_transform(groups, lambda g: CASE g{cases} ELSE {unknown} END), ' | ')",),
        group_name="CASE WHEN len(groups) = 0 THEN 'all' ELSE array_to_string(groups, ' | ') END",
        group_value="CASE WHEN len(groups) = 0 THEN 'all' ELSE f.g0 END",
        period_start=_by_period({p: period_sql(p) for p in periods}),
        period_end=_by_period({p: period_end_sql(p) for p in periods}),
        since="since",
        until="until",
        statistic="statistic",
        where=" AND ".join(conditions) or "TRUE",
        has_shift="shift" in metric.groups,
        order="f.period_start, f.g0",
    )


def _by_period(expressions: dict[str, str]) -> str:
    cases = "".join(f" WHEN '{period}' THEN {sql}" for period, sql in expressions.items())
    return f"CASE period{cases} ELSE error('period is one of {', '.join(expressions)}') END"


#: Schema -> what creates its macro of a metric.
CREATED = {"metrics": create_macro, "control": create_control, "evidence": create_evidence,
           "censored": create_censored}  # fmt: skip


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Add macros, comments, `meta_metric` and `meta_column` to a copy of the marts, before it is made read-only."""
    catalog = Catalog.load()
    connection.execute("BEGIN")  # one commit, not one a statement: a fifth of the time
    install_macros(connection, catalog.metrics.values())
    _install_dictionary(connection, catalog)
    present = {name for (name,) in connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()}  # fmt: skip
    described = META_TABLES | INTERNAL_TABLES | dict(map(_described, catalog.tables.values()))
    for name, (purpose, notes) in described.items():
        if name in present:
            comments = [f"COMMENT ON TABLE {name} IS {_text(purpose)}"]
            comments += [f'COMMENT ON COLUMN {name}."{column}" IS {_text(note)}' for column, note in notes.items()]
            connection.execute("; ".join(comments))
    connection.execute("COMMIT")


def install_macros(connection: duckdb.DuckDBPyConnection, metrics: Iterable[Metric]) -> None:
    """Add all macros of metrics, with comments, and the schemas that they are in."""
    known = list(metrics)
    for schema, created in CREATED.items():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for metric in (m for m in known if created in _folded(m)):
            connection.execute(created(metric))
            words = _text(f"{metric.title}. {metric.question}")
            connection.execute(f"COMMENT ON MACRO TABLE {schema}.{metric.id} IS {words}")


def _described(model: Model) -> tuple[str, tuple[str, dict[str, str]]]:
    notes = {c.name: c.note if c.unit == "-" else f"{c.note} [{c.unit}]" for c in model.columns}
    return model.name, (f"{model.purpose} One row: {model.grain}.", notes)


def _install_dictionary(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    types = {"min_n": "BIGINT", "number": "BIGINT", "goal": "DOUBLE", "floor": "DOUBLE", "changed": "DATE"}
    columns = ", ".join(f'"{name}" {types.get(name, "VARCHAR")}' for name in _META_METRIC)
    lists = ", ".join(f'"{name}" VARCHAR[]' for name in _LISTS)
    connection.execute(f"CREATE OR REPLACE TABLE meta_metric ({columns}, choices VARCHAR, {lists})")
    connection.executemany(
        f"INSERT INTO meta_metric VALUES ({', '.join('?' for _ in range(len(_META_METRIC) + len(_LISTS) + 1))})",
        [
            [*(getattr(m, name) for name in _META_METRIC),
             ", ".join(f"{name}={above}/{below}".rstrip("/") for name, above, below in m.choices),
             *(sorted(value) if isinstance(value := getattr(m, name), frozenset) else list(value) for name in _LISTS)]
            for m in catalog.metrics.values()
        ],
    )  # fmt: skip
    connection.execute(
        'CREATE OR REPLACE TABLE meta_definition (id VARCHAR, "version" VARCHAR, changed DATE, digest VARCHAR, '
        "what VARCHAR)"
    )
    history = [[m.id, *version] for m in catalog.metrics.values() for version in m.history]
    if history:
        connection.executemany("INSERT INTO meta_definition VALUES (?, ?, ?, ?, ?)", history)
    connection.execute(
        "CREATE OR REPLACE TABLE meta_column (table_name VARCHAR, column_number INTEGER, column_name VARCHAR, "
        "type VARCHAR, "
        "unit VARCHAR, note VARCHAR)"
    )
    columns_told = [
        [model.name, number, column.name, column.type, column.unit, column.note]
        for model in catalog.tables.values()
        for number, column in enumerate(model.columns, 1)
    ]
    # One statement over lists: a tenth of the time of one a row.
    connection.execute(
        f"INSERT INTO meta_column SELECT {', '.join(['unnest(?)'] * len(columns_told[0]))}",
        [list(values) for values in zip(*columns_told, strict=True)],
    )


def _text(value: str) -> str:
    escaped = value.replace("'", "''")
    return f"'{escaped}'"
