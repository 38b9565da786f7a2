"""Definitions as a snapshot has them: it answers with the metrics it was published under, not with today's.

A snapshot whose signature is that of this code is asked with the catalog's own SQL. Any other brings its metrics: the
words and bodies in `meta_metric`, the whole statements as macros.
"""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import Any

import duckdb

from sql.catalog import FLOOR, Catalog, CatalogError, Metric, Version, read_choices
from sql.filters import FILTERS, Filters
from sql.metric_macros import signature
from sql.snapshot import Snapshot

#: The facility of a scope that allows none: no row has it.
_NOWHERE = ""


@lru_cache(maxsize=1)
def _ours() -> str:
    return signature()


def is_current(snapshot: Snapshot) -> bool:
    """Whether a snapshot was published under the definitions of this code."""
    return snapshot.signature == _ours()


def definitions(snapshot: Snapshot) -> dict[str, Metric]:
    """The metrics of a snapshot by id, in number order, each as it was defined when the snapshot was published.

    Raises CatalogError for a snapshot that is older than this.
    """
    if is_current(snapshot):
        return Catalog.load().metrics
    try:
        told = snapshot.execute('SELECT * FROM meta_metric ORDER BY "number"').to_dicts()
        past = snapshot.execute('SELECT * FROM meta_definition ORDER BY id, CAST("version" AS INTEGER)').to_dicts()
    except duckdb.Error as error:
        raise CatalogError(f"snapshot {snapshot.id} does not tell its definitions") from error
    history: dict[str, list[Version]] = {}
    for row in past:
        history.setdefault(row.pop("id"), []).append(Version(**row))
    return {row["id"]: _metric(row, history.get(row["id"], [])) for row in told}


def definition(snapshot: Snapshot, metric_id: str) -> Metric:
    """A metric as a snapshot defines it. Raises CatalogError naming those that it has."""
    known = definitions(snapshot)
    if metric_id not in known:
        raise CatalogError(f"no metric {metric_id!r}; known: {', '.join(known)}")
    return known[metric_id]


def _metric(row: dict[str, Any], history: list[Version]) -> Metric:
    columns = frozenset(row["columns"])
    given = {item.name: row[item.name] for item in fields(Metric) if item.name in row}
    made: dict[str, Any] = {
        "choices": read_choices(row["choices"], row["kind"], columns), "history": tuple(history), "columns": columns,
        "groups": tuple(row["groups"]), "filters": tuple(row["filters"]), "floor": row.get("floor", FLOOR),
    }  # fmt: skip
    return Metric(**given | made)


def own_statement(
    asked: Metric, schema: str, groups: tuple[str, ...], period: str, filters: Filters, statistic: str
) -> tuple[str, dict[str, Any]]:
    """The question put to the snapshot's own macro of a metric in a schema (metrics, control), with its parameters."""
    given: dict[str, Any] = {"groups": list(groups)}
    if asked.has_dates:
        given |= {key: day for key in ("since", "until") if (day := getattr(filters, key)) is not None}
    chosen = {f.key: list(getattr(filters, f.key)) for f in FILTERS if f.key in asked.filters}
    given |= {key: values for key, values in chosen.items() if values}
    if filters.scope is not None:
        seen = set(filters.scope) & set(given.get("facility", filters.scope))
        given["facility"] = sorted(seen) or [_NOWHERE]
    arguments = ", ".join(f"{name} := ${name}" for name in given)
    return f"FROM {schema}.{asked.id}({arguments}, period := '{period}', statistic := '{statistic}')", given
