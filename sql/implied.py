"""What became of the rows of a table of which most say nothing of their own: those are counted where they come from.

Of each exam that is no outside import there is a row that tells what its image headers say beside its name. To look
each of them up by its exam takes as long as to read all keys. So only rows that tell something are looked up; all exams
are counted as if they told nothing, and those that were looked up are taken out of these again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from sql.candidates import candidates, fate_sql, fates_sql, own_columns
from sql.catalog import Catalog, Metric
from sql.filters import Clause
from sql.shape import weight_sql


class Source(NamedTuple):
    """A table with one row a row of the table, and which of these, as SQL over `x`; where the table's flag `told` does
    not hold, none of its flags does."""

    of: str
    rule: str
    told: str


#: A test holds all of it to the marts.
SOURCES = {"fct_label": Source("fct_exam", "NOT x.is_imported", "is_told")}
#: What is behind the columns that tell what a row would be, did it tell nothing.
_UNTOLD = "_0"


def completeness_sql(asked: Metric, clause: Clause, since: str, until: str, statistic: str) -> str | None:
    """As `sql.candidates.completeness_sql`, of one statistic; None where the table's rows say more than flags."""
    source, weight = SOURCES.get(asked.table), weight_sql(asked, statistic)
    if source is None:
        return None
    tree = sqlglot.parse_one(candidates(asked, since, until, statistic), read="duckdb")
    if not isinstance(tree, exp.Select):
        return None
    fate, untold = (fate_sql(asked, statistic, until, behind) for behind in ("", _UNTOLD))
    used = {*re.findall(r"\bb\.(\w+)", f"{fate} {weight} {clause.sql}")}
    told = {item.alias_or_name: item.unalias() for item in tree.selects if item.alias_or_name in used}
    base, (join,) = tree.args["from_"].this, tree.args["joins"]
    flags = {column.name for column in Catalog.load().models[asked.table].columns if column.type == "BOOLEAN"}
    if any(_columns(base, part) - flags for part in told.values()) or not _is_flag(told.get(weight.removeprefix("b."))):
        return None
    plain = {name: _without(base, part) for name, part in told.items()}
    own = {f"{name}{_UNTOLD}": plain[name] for name in told if name in own_columns(asked)}
    rows = f"(SELECT * FROM {base.name} WHERE {source.told}) {base.alias_or_name} {join.sql('duckdb')}"
    others = f"(SELECT x.*, TRUE AS is_joined FROM {source.of} x WHERE {source.rule}) {join.this.alias_or_name}"
    return f"""WITH held AS MATERIALIZED (
SELECT {fate} AS fate, {untold} AS untold, sum(coalesce({weight}, 0)) AS n, count(*) AS n_rows
FROM (SELECT {_named({**told, **own})} FROM {rows}) b WHERE {clause.sql} GROUP BY ALL
), told AS (
SELECT h.fate, h.n, h.n_rows FROM held h
UNION ALL SELECT h.untold, 0, -h.n_rows FROM held h
UNION ALL SELECT {fate} AS fate, 0, count(*) FROM (SELECT {_named(plain)} FROM {others}) b
WHERE {clause.sql} GROUP BY ALL
)
{fates_sql(" HAVING sum(t.n_rows) > 0")}"""


def _named(told: dict[str, exp.Expr]) -> str:
    return ", ".join(f"{part.sql('duckdb')} AS {name}" for name, part in told.items())


def _columns(base: exp.Table, told: exp.Expr) -> set[str]:
    """The columns of the table that an expression asks for."""
    return {column.name for column in told.find_all(exp.Column) if column.table == base.alias_or_name}


def _without(base: exp.Table, told: exp.Expr) -> exp.Expr:
    """An expression over a row whose flags do not hold."""

    def of_row(node: exp.Expr) -> exp.Expr:
        return exp.false() if isinstance(node, exp.Column) and node.table == base.alias_or_name else node

    return told.copy().transform(of_row)


def _is_flag(told: exp.Expr | None) -> bool:
    """Whether a row's weight is a flag: 1 where it holds, else 0."""
    return isinstance(told, exp.Cast) and isinstance(told.this, exp.Column)
