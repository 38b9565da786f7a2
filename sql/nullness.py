"""A metric's statement where only matters whether its numerators are known: what cannot be NULL needs no column, and
what nothing needs is not joined."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from sql.catalog import Catalog


def is_of_one(join: exp.Join) -> bool:
    """Whether a join leaves each row once: a model that is looked up by its whole key."""
    on, models = join.args.get("on"), Catalog.load().models
    if join.side != "LEFT" or on is None or not isinstance(join.this, exp.Table) or join.this.name not in models:
        return False
    parts = on.flatten() if isinstance(on, exp.And) else [on]
    equal = {side.name for part in parts if isinstance(part, exp.EQ | exp.NullSafeEQ)
             for side in (part.this, part.expression)
             if isinstance(side, exp.Column) and side.table == join.this.alias_or_name}  # fmt: skip
    return {part.strip() for part in models[join.this.name].key.split(",")} <= equal


def simplify(tree: exp.Select, columns: Iterable[str]) -> None:
    """Each of these columns becomes something that is NULL where it was; then joins go that nothing needs."""
    names = set(columns)
    for item in tree.selects:
        if item.alias in names:
            item.set("this", _same_nulls(item.unalias()))
    for join in list(tree.args.get("joins") or []):
        alias, others = join.this.alias_or_name, [part for part in _parts(tree) if part is not join]
        if is_of_one(join) and not any(
            column.table == alias for part in others for column in part.find_all(exp.Column)
        ):
            tree.args["joins"].remove(join)


def _parts(tree: exp.Select) -> list[exp.Expr]:
    return [*tree.selects, *(tree.args.get("joins") or []), *([tree.args["where"]] if tree.args.get("where") else [])]


def _same_nulls(told: exp.Expr) -> exp.Expr:
    if _is_known(told):
        return exp.Literal.number(1)
    if isinstance(told, exp.Cast | exp.Paren) and not isinstance(told, exp.TryCast):
        return _same_nulls(told.this)
    if isinstance(told, exp.Case) and told.this is None:
        made = told.copy()
        for branch in made.args["ifs"]:
            branch.set("true", _same_nulls(branch.args["true"]))
        if made.args.get("default"):
            made.set("default", _same_nulls(made.args["default"]))
        return made
    return told


def _is_known(told: exp.Expr) -> bool:
    """Whether an expression is NULL for no row."""
    if isinstance(told, exp.Literal | exp.Boolean | exp.Is):
        return True
    if isinstance(told, exp.Coalesce):
        return any(map(_is_known, (told.this, *told.expressions)))
    return isinstance(told, exp.Cast | exp.Paren) and not isinstance(told, exp.TryCast) and _is_known(told.this)
