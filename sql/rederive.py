"""A metric as it would be over other inputs: the models between them derived again inside one statement.

The models are those of the build, word for word, as common table expressions; so what is foretold here is what the next
build gives, and there is no second rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from sql.asked import ask_of
from sql.catalog import Catalog
from sql.filters import Filters
from sql.shape import statement
from sql.snapshot import Snapshot


def with_list(given: Mapping[str, str], models: Sequence[str]) -> str:
    """`WITH ...` of the given inputs, name -> SQL, and then of the models by name in the order of the build."""
    known = Catalog.load().models
    named = sorted((known[name] for name in models), key=lambda model: (model.number, model.name))
    parts = [*given.items(), *((model.name, model.body) for model in named)]
    return "WITH " + ",\n".join(f"{name} AS (\n{sql}\n)" for name, sql in parts)


def metric_over(
    snapshot: Snapshot, metric_id: str, tables: str, groups: Sequence[str] = (), filters: Filters | None = None
) -> pl.DataFrame:
    """A metric in the standard shape over `tables`, the text of `with_list`."""
    asked = Catalog.load().metric(metric_id)
    ask, params = ask_of(asked, tuple(groups), "all", filters or Filters(), asked.statistic)
    over = replace(asked, body=f"{tables}\n{asked.body}")
    return snapshot.execute(statement(over, ask), params, has_macros=True)


def literal_rows(columns: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> str:
    """A SELECT that gives these rows, empty text as NULL, with columns of these names and types."""
    types = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in columns.items())
    made = [
        ", ".join(f"CAST({_literal(row[name])} AS {kind})" for name, kind in columns.items()) for row in rows
    ]  # fmt: skip
    values = f" UNION ALL VALUES {', '.join(f'({cells})' for cells in made)}" if made else ""
    return f"SELECT {types} WHERE FALSE{values}"


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if text else "NULL"
