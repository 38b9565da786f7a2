"""Which columns of a metric's statement are whole numbers, whose sums need no decimals to be exact."""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp

from sql.catalog import Catalog, Metric

_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})
_WHOLE_CASTS = (exp.DType.INT, exp.DType.BIGINT)


@lru_cache(maxsize=256)
def whole_columns(asked: Metric) -> frozenset[str]:
    """Columns that are whole numbers for sure, as their expression says; sums of columns that are not named here may
    be whole as well."""
    tree = sqlglot.parse_one(asked.body, read="duckdb")
    if not isinstance(tree, exp.Select):
        return frozenset()
    tables = [tree.args["from_"].this, *(join.this for join in tree.args.get("joins") or [])]
    models = Catalog.load().models
    types = {
        (table.alias_or_name, column.name): column.type
        for table in tables if isinstance(table, exp.Table) and table.name in models
        for column in models[table.name].columns
    }  # fmt: skip
    return frozenset(item.alias_or_name for item in tree.selects if _is_whole(item.unalias(), types))


def _is_whole(told: exp.Expr, types: dict[tuple[str, str], str]) -> bool:
    if isinstance(told, exp.Paren):
        return _is_whole(told.this, types)
    if isinstance(told, exp.Null) or (isinstance(told, exp.Literal) and told.is_int):
        return True
    if isinstance(told, exp.Cast):
        return told.to.this in _WHOLE_CASTS
    if isinstance(told, exp.Column):
        return types.get((told.table, told.name)) in _WHOLE
    if isinstance(told, exp.Case):
        ends = [branch.args["true"] for branch in told.args["ifs"]]
        ends += [told.args["default"]] if told.args.get("default") else []
        return all(_is_whole(end, types) for end in ends)
    return False
