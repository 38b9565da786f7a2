"""Marts that a night leaves as they are: what they are made of is as it was.

A mart without a scope is made of whole tables, whatever a night told. Where the rows that these lost are those that
they got, as of messages told again, and neither the site nor the clock has changed, it would be made as it is. What is
not known to be as it was counts as changed.
"""

from __future__ import annotations

import re

import duckdb

from etl import forecast
from etl.build_models import BuildModel, Plan

#: Tables that nothing but another site or another reference changes, which makes a build full.
_STEADY = re.compile(r"site_\w+|procedure_reference")
_SOURCE, _WITH = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)"), re.compile(r"\b(\w+) AS (?:MATERIALIZED )?\(")


def sources(body: str) -> set[str]:
    """The tables that a model reads."""
    return {*_SOURCE.findall(body)} - {*_WITH.findall(body)}


class Same:
    """What is as it was before a build of new batches; of one that has not begun, as of all exams, nothing is."""

    def __init__(self) -> None:
        self.reads: dict[str, set[str]] = {}
        self.known: dict[str, bool] = {}
        self.watched: set[str] = set()

    def begin(self, con: duckdb.DuckDBPyConnection, plan: Plan) -> None:
        """Compare from now on. Needs the temp table `clock`."""
        whole = (model for model in plan.marts if model.scope == "all" and model.materialize == "table")
        self.reads = {model.name: sources(model.body) for model in whole}
        self.watched = {forecast.COUNTS}.union(*self.reads.values())
        asked = "SELECT data_through IS NOT DISTINCT FROM told_through FROM clock"
        self.known["clock"] = bool(con.execute(asked).fetchall()[0][0])

    def is_same(self, model: BuildModel) -> bool:
        """Whether a mart would be made as it is."""
        names = self.reads.get(model.name, set())
        return bool(names) and all(_STEADY.fullmatch(name) or self.known.get(name, False) for name in names)

    def has_forecast(self) -> bool:
        """Whether the forecast would be made as it is, once the counts are new."""
        return all(self.known.get(name, False) for name in forecast.MADE)

    def look(
        self, con: duckdb.DuckDBPyConnection, model: BuildModel, *, has_old: bool, has_new: bool, is_alike: bool
    ) -> None:
        """Compare what a mart has lost and got: the temp tables `old_rows` and `new_rows`, where it `has` such rows.

        `is_alike`: its digest is as it was; rows of which it is not are others.
        """
        if model.name not in self.watched or model.scope == "all":
            return
        is_equal = is_alike and _is_equal(con, model, has_old, has_new)
        self._note(model.name, is_equal)
        if model.name == forecast.COUNTS:
            within = forecast.days_before(con)
            is_same = within is not None and (is_equal or _is_equal(con, model, has_old, has_new, within))
            for name in forecast.MADE:
                self._note(name, is_same)

    def _note(self, name: str, is_same: bool) -> None:
        """A mart that is made in parts is the same where each part is."""
        self.known[name] = self.known.get(name, True) and is_same


def _is_equal(
    con: duckdb.DuckDBPyConnection, model: BuildModel, has_old: bool, has_new: bool, within: str = "TRUE"
) -> bool:
    columns = ", ".join(f'"{column.name}"' for column in model.columns)
    old, new = (
        f"(SELECT {columns} FROM {rows if has_any else model.name} WHERE {within if has_any else 'FALSE'})"
        for rows, has_any in (("old_rows", has_old), ("new_rows", has_new))
    )
    changed = f"SELECT count(*) FROM (({old} EXCEPT ALL {new}) UNION ALL ({new} EXCEPT ALL {old}))"
    return not con.execute(changed).fetchall()[0][0]
