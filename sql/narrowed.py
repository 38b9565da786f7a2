"""A metric's statement for some of its statistics: of a table whose flags are looked up, rows that hold none of them
are not joined, since a row without any is told the same. Where only some rows are looked up at all, keys of no others
are read."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sqlglot
from sqlglot import exp

from sql.catalog import Metric
from sql.nullness import is_of_one


@lru_cache(maxsize=512)
def narrowed(metric: Metric, statistics: tuple[str, ...]) -> str:
    """The body of a metric for these statistics; as it is where no join can be kept to fewer rows."""
    if not metric.choices:
        return metric.body
    tree = sqlglot.parse_one(metric.body, read="duckdb")
    if not isinstance(tree, exp.Select) or tree.args.get("with_"):
        return metric.body
    asked, others = (
        {column for choice in metric.choices if (choice.name in statistics) is is_asked
         for column in (choice.numerator, choice.denominator)}
        for is_asked in (True, False)
    )  # fmt: skip
    left_out = (others - asked) | {"why_null"}
    where, joins = tree.args.get("where"), tree.args.get("joins") or []
    used = [item for item in tree.selects if item.alias_or_name not in left_out]
    is_changed = False
    for join in filter(is_of_one, joins):
        rest = [*(other for other in joins if other is not join), *([where] if where else [])]
        flags, known = (_flags(join.this.alias_or_name, [*items, *rest]) for items in (used, tree.selects))
        if 0 < len(flags) < len(known):  # all of them keep as many rows as none, or nearly
            join.on(exp.or_(*(exp.column(flag, join.this.alias_or_name) for flag in flags)), copy=False)
            is_changed = True
    for place, join in enumerate(joins):
        rule = _rule(join) if is_of_one(join) else None
        if rule is not None:
            return _parted(tree, place, rule).sql("duckdb")
    return tree.sql("duckdb") if is_changed else metric.body


def _rule(join: exp.Join) -> exp.If | None:
    """When a row is looked up and by what key, where the join tells that by one case; else None."""
    on = join.args["on"]
    key = on.expression if isinstance(on, exp.EQ) else None
    if not isinstance(key, exp.Case) or key.this is not None or key.args.get("default"):
        return None
    rules: list[exp.If] = key.args["ifs"]
    return rules[0] if len(rules) == 1 else None


def _parted(tree: exp.Select, place: int, rule: exp.If) -> exp.Expr:
    """The rows that a join looks up, and beside them the others, which find nothing."""
    asked, others = tree.copy(), tree.copy()
    join = asked.args["joins"][place]
    join.args["on"].set("expression", rule.args["true"].copy())
    asked.where(rule.this.copy(), copy=False)
    others.args["joins"].pop(place)
    for column in list(others.find_all(exp.Column)):
        if column.table == join.this.alias_or_name:
            column.replace(exp.null())
    others.where(exp.not_(exp.func("coalesce", rule.this.copy(), exp.false())), copy=False)
    return exp.union(asked, others, distinct=False, copy=False)


def _flags(alias: str, parts: Iterable[exp.Expr]) -> list[str]:
    """The columns of a table of which nothing is asked but whether they hold; none where more is asked."""
    columns = [column for part in parts for column in part.find_all(exp.Column) if column.table == alias]
    return list(dict.fromkeys(column.name for column in columns)) if all(map(_is_flag, columns)) else []


def _is_flag(column: exp.Column) -> bool:
    """Whether a column that is not known is taken for FALSE."""
    told = column.parent
    return (
        isinstance(told, exp.Coalesce)
        and told.this is column
        and len(told.expressions) == 1
        and isinstance(told.expressions[0], exp.Boolean)
        and not told.expressions[0].this
    )
