"""Flags that are looked up in a table of some of a table's rows: counted where they lie, so that nothing is joined.

A repeat is an exam that counts and says again what the exam says. So how many exams hold one of its flags is counted of
repeats, and of how many, of exams: a tenth of the time that it takes to look each exam up by its key.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

import sqlglot
from sqlglot import exp

from sql.catalog import Catalog, Metric
from sql.nullness import is_of_one


class Copy(NamedTuple):
    """A table each of whose rows is one of another table, with the same values in columns of the same name; what other
    columns of that table are in such a row, as SQL over `r`, and which columns of it are then not NULL."""

    of: str
    others: dict[str, str]
    known: frozenset[str]


#: A test holds all of it to the marts.
COPIES = {
    "fct_repeat": Copy(
        "fct_exam",
        {"is_countable": "TRUE", "exam_local": "r.exam_started_local", "exam_started_at": "r.exam_started_local"},
        frozenset({"exam_started_at", "region", "patient_key"}),
    )
}
#: What is folded of a row, and what of one that was counted before.
_FOLDS = re.compile(r"(count\(p\.\w+\))|sum\(p\.\w+\)|(?:min|max)\(p\.at\)")


#: Long texts of their own in most rows: to tell of each row that it has one takes as long as all else that is counted.
#: Rows without one are found at once, since blocks tell whether they hold any.
_LONG = frozenset({"patient_key"})


class Apart(NamedTuple):
    """Bodies in place of one: all rows as if they held no flag and had their long texts; those that hold some flag with
    what these add; those without a text, which are counted too much ('' where no text matters)."""

    rows: str
    flagged: str
    lacking: str


def folded_again(sql: str) -> str | None:
    """An aggregate over rows that were counted before; None where it cannot be told apart."""
    found = _FOLDS.fullmatch(sql)
    return None if found is None else "0" if found[1] else sql


def taken_back(sql: str) -> str:
    """An aggregate over rows that were counted too much."""
    return f"-{sql}" if sql.startswith(("count", "sum")) else sql


@lru_cache(maxsize=256)
def apart(asked: Metric, used: frozenset[str]) -> Apart | None:
    """The body of a metric of which these columns are used; None where it looks up more than flags of a copy."""
    tree = sqlglot.parse_one(asked.body, read="duckdb")
    table = _looked_up(tree)
    if not table or not isinstance(tree, exp.Select):
        return None
    base = tree.args["from_"].this
    rules = {join.this.alias_or_name: _rule(join) for join in tree.args["joins"]}
    where = [tree.args["where"].this] if tree.args.get("where") else []
    if None in rules.values() or any(_flags(part, rules) for part in where):
        return None
    row = _Row(base.alias_or_name, COPIES[table], {name: rule or [] for name, rule in rules.items()})
    values = {choice.numerator for choice in asked.choices}
    plain, flagged = exp.Select(), exp.Select()
    for item in tree.selects:
        name, told = item.alias_or_name, item.unalias()
        if name not in used:
            continue
        flags = _flags(told, rules)
        if flags and (name not in values or not _is_counted(told, flags)):
            return None
        plain.select(exp.alias_(_without(told, rules), name), copy=False)
        flagged.select(exp.alias_(row.told(told) if flags or name not in values else exp.null(), name), copy=False)
    columns = {column.name for part in [*flagged.selects, *where] for column in part.find_all(exp.Column)}
    if not columns <= row.copy.others.keys() | {column.name for column in Catalog.load().models[table].columns}:
        return None
    copied = ", ".join(f"{row.copy.others.get(name, f'r.{name}')} AS {name}" for name in sorted(columns))
    for made, source in ((plain, base.name), (flagged, f"(SELECT {copied} FROM {table} r)")):
        made.from_(f"{source} AS {row.alias}", dialect="duckdb", copy=False)
        for rule in where:
            made.where(rule.copy(), copy=False)
    tests = [test for item in plain.selects if item.alias in values for test in _tests(item.unalias())]
    used_long = [column for column in plain.find_all(exp.Column) if column.name in _LONG]
    if not used_long or len(tests) < len(used_long):
        return Apart(plain.sql("duckdb"), flagged.sql("duckdb"), "")
    for test in tests:
        test.replace(exp.true())
    lacking = plain.copy().where(exp.Is(this=used_long[0].copy(), expression=exp.null()), copy=False)
    return Apart(plain.sql("duckdb"), flagged.sql("duckdb"), lacking.sql("duckdb"))


def _tests(told: exp.Expr) -> list[exp.Expr]:
    """Where an expression is NULL if a long text is: the tests for these."""
    if (
        not isinstance(told, exp.Case)
        or told.this is not None
        or len(told.args["ifs"]) != 1
        or told.args.get("default")
    ):
        return []
    rule = told.args["ifs"][0].this
    return [
        part for part in (rule.flatten() if isinstance(rule, exp.And) else [rule])
        if isinstance(part, exp.Not) and isinstance(part.this, exp.Is) and part.this.expression == exp.null()
        and isinstance(part.this.this, exp.Column) and part.this.this.name in _LONG
    ]  # fmt: skip


class _Row(NamedTuple):
    """A row of a copy that goes by the alias of the table that it is of, and what it must meet by alias of a join."""

    alias: str
    copy: Copy
    rules: dict[str, list[exp.Expr]]

    def told(self, told: exp.Expr) -> exp.Expr:
        """An expression over such a row: it holds its flags where it meets the rule."""

        def of_row(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null) and node.this.name in self.copy.known:
                return exp.false()
            if not isinstance(node, exp.Column) or node.table not in self.rules:
                return node
            parts = [part.copy() for part in (node, *self.rules[node.table])]
            for column in (column for part in parts for column in part.find_all(exp.Column)):
                column.set("table", exp.to_identifier(self.alias))
            return exp.and_(*parts)

        return told.copy().transform(of_row)


def _looked_up(tree: exp.Expr) -> str:
    """The one table whose rows all joins look up by its key, where it is a copy of what is read; else nothing."""
    parts = ("with_", "group", "distinct", "limit")
    joins = tree.args.get("joins") or []
    tables = {join.this.name if is_of_one(join) else "" for join in joins}
    table = tables.pop() if len(tables) == 1 else ""
    is_plain = isinstance(tree, exp.Select) and not any(tree.args.get(part) for part in parts)
    return table if table in COPIES and is_plain and tree.args["from_"].this.name == COPIES[table].of else ""


def _flags(told: exp.Expr, rules: Collection[str]) -> list[exp.Column]:
    return [column for column in told.find_all(exp.Column) if column.table in rules]


def _without(told: exp.Expr, rules: Collection[str]) -> exp.Expr:
    """An expression over a row that holds no flag."""

    def of_row(node: exp.Expr) -> exp.Expr:
        return exp.false() if isinstance(node, exp.Column) and node.table in rules else node

    return told.copy().transform(of_row)


def _rule(join: exp.Join) -> list[exp.Expr] | None:
    """What a joined row must meet beside having the key of the other; None where more is asked of the other."""
    on, name = join.args["on"], join.this.alias_or_name
    parts = [part.unnest() for part in on.flatten()] if isinstance(on, exp.And) else [on]
    rest = [part for part in parts if {column.table for column in part.find_all(exp.Column)} == {name}]
    keys = [part for part in parts if part not in rest]
    is_same = len(keys) == 1 and isinstance(keys[0], exp.EQ) and keys[0].this.name == keys[0].expression.name
    return rest if is_same and all(isinstance(side, exp.Column) for side in keys[0].iter_expressions()) else None


def _is_counted(told: exp.Expr, flags: list[exp.Column]) -> bool:
    """Whether an expression is 1 where its one flag holds, and 0 or NULL else."""
    if isinstance(told, exp.Case) and told.this is None and len(told.args["ifs"]) == 1 and not told.args.get("default"):
        told = told.args["ifs"][0].args["true"]
    if not isinstance(told, exp.Cast) or told.to.this != exp.DType.INT or len(flags) != 1:
        return False
    known = told.this
    return (
        isinstance(known, exp.Coalesce) and known.this is flags[0]
        and [part.sql("duckdb") for part in known.expressions] == ["FALSE"]
    )  # fmt: skip
