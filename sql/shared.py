"""Bundles about the same rows as one: metrics that count and sum rows of one table read, place and group them once.

Each metric's rule goes into its own numerator: a row that it leaves out has none, and rows without one are no trials
(`sql.bundle_folds`). So the sums are those that each statement alone would give; what is told of them is told by kind.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import polars as pl
import sqlglot
from sqlglot import exp

from sql.asked import answer_key
from sql.bundle import Bundle
from sql.bundle_folds import weight_of
from sql.bundle_statement import bundle_statement
from sql.bundled import answers, parted
from sql.catalog import Choice, Metric
from sql.fine import Set
from sql.nullness import is_of_one
from sql.shape import KINDS, SHAPE
from sql.shifts import with_step
from sql.snapshot import Snapshot
from sql.whole import whole_columns

#: Kinds that are told of a numerator and a denominator.
_SUMMED = frozenset({"sum", "ratio", "rate"})
#: Sets of groups in one statement: each costs a hash table.
MOST_SETS = 16


class Rows(NamedTuple):
    """The rows that a metric counts: table with its alias, columns that say where a row lies (name, SQL), by choice the
    SQL of numerator, denominator and weight in n (the last two '' where rows are counted), joins, and the rule."""

    table: str
    places: frozenset[tuple[str, str]]
    values: dict[str, tuple[str, str, str]]
    joins: tuple[str, ...]
    rule: str

    @property
    def has_weights(self) -> bool:
        """Whether more is summed than numerators."""
        return any(any(rest) for _, *rest in self.values.values())


@lru_cache(maxsize=256)
def rows_of(metric: Metric) -> Rows | None:
    """The rows of a metric that counts or sums those of one table, None for others; what is joined alike has one
    name."""
    if metric.kind not in _SUMMED or "n" in metric.columns - whole_columns(metric):
        return None
    tree = sqlglot.parse_one(metric.body, read="duckdb")
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in ("with_", "group", "distinct", "limit")):
        return None
    joins = tree.args.get("joins") or []
    base = tree.args["from_"].this
    if not isinstance(base, exp.Table) or not all(is_of_one(join) or _is_of_snapshot(join) for join in joins):
        return None
    new = {join.this.alias_or_name: f"j{crc32(join.sql('duckdb').encode()):08x}" for join in joins}
    for column in tree.find_all(exp.Column):
        if column.table in new:
            column.set("table", exp.to_identifier(new[column.table]))
    told = {item.alias_or_name: item.unalias().sql("duckdb") for item in tree.selects}
    values = {column for choice in metric.choices for column in choice[1:3]} | {"n", "why_null"}
    where = tree.args.get("where")
    return Rows(
        f"{base.name} {base.alias_or_name}", frozenset(pair for pair in told.items() if pair[0] not in values),
        {c.name: (told[c.numerator], told.get(c.denominator, ""),
                  told.get(c.denominator if metric.kind == "ratio" else "n", "")) for c in metric.choices},
        tuple(_join_sql(join, new[join.this.alias_or_name]) for join in joins),
        where.this.sql("duckdb") if where else "",
    )  # fmt: skip


def _is_of_snapshot(join: exp.Join) -> bool:
    """Whether each row is joined to what is told of the snapshot: one row."""
    return join.kind == "CROSS" and join.this.name == "meta_snapshot"


def _join_sql(join: exp.Join, alias: str) -> str:
    """A join under another alias, of which the columns of its condition have the name already."""
    table = f"{join.this.name} {alias}"
    return f"CROSS JOIN {table}" if _is_of_snapshot(join) else f"LEFT JOIN {table} ON {join.args['on'].sql('duckdb')}"


def gathered(bundles: Iterable[Bundle]) -> list[tuple[Bundle, ...]]:
    """Bundles that one statement answers, those of most periods first; a bundle of its own where nothing is shared."""
    found: list[list[Bundle]] = []
    for bundle in sorted(bundles, key=lambda each: -len(each.slices)):
        like = next((mine for mine in found if _may_join(mine, bundle)), None)
        if like is None:
            found.append([bundle])
        else:
            like.append(bundle)
    return [tuple(mine) for mine in found]


def _may_join(mine: Sequence[Bundle], bundle: Bundle) -> bool:
    metric, other = mine[0].metric, bundle.metric
    first, rows = rows_of(metric), rows_of(other)
    if first is None or rows is None or other in [each.metric for each in mine]:
        return False
    is_same = (first.table, first.places, metric.filters) == (rows.table, rows.places, other.filters)
    # The days of an open period are those of its rows. Sums of decimals of rows that only the other counts cost more
    # than reading twice (hours beside staffed hours: 35 ms in place of 29).
    is_placed = first.rule == rows.rule or not (mine[0].is_open or first.has_weights or rows.has_weights)
    is_within = set(bundle.slices) <= set(mine[0].slices) and len(_sets([*mine, bundle])) <= MOST_SETS
    return is_same and is_placed and is_within and all(_is_windowed_alike(each.metric, other) for each in mine)


def _is_windowed_alike(one: Metric, other: Metric) -> bool:
    """Whether no window of the one keeps rows of a table from the other."""
    pairs = ((window, reader) for asked, reader in ((one, other), (other, one)) for window in asked.windows)
    return all(window in reader.windows or window.table not in reader.body for window, reader in pairs)


def _sets(bundles: Sequence[Bundle]) -> tuple[Set, ...]:
    return tuple(dict.fromkeys(each for bundle in bundles for each in bundle.sets))


def together(bundles: Sequence[Bundle]) -> Bundle:
    """One bundle of several: its statistics are `metric.statistic`, as sums."""
    metric = _merged(tuple(bundle.metric for bundle in bundles))
    statistics = tuple(f"{b.metric.id}.{statistic}" for b in bundles for statistic in b.statistics)
    return Bundle(metric, _sets(bundles), statistics, bundles[0].slices)


@lru_cache(maxsize=64)
def _merged(metrics: tuple[Metric, ...]) -> Metric:
    told = [rows for metric in metrics if (rows := rows_of(metric)) is not None]
    rules = {rows.rule for rows in told}
    choices: list[Choice] = []
    columns: dict[str, str] = {}
    for metric, rows in zip(metrics, told, strict=True):
        for name, values in rows.values.items():
            above = f"v{len(choices)}"
            below = f"below_{above}" if values[1] else ""
            choices.append(Choice(f"{metric.id}.{name}", above, below))
            held = f"CASE WHEN {rows.rule} THEN {{}} END" if rows.rule and len(rules) > 1 else "{}"
            named = zip((above, below, weight_of(above)), values, strict=True)
            columns |= {column: held.format(sql) for column, sql in named if sql}
    selected = [f"{sql} AS {name}" for name, sql in (*sorted(told[0].places), *columns.items())]
    joins = "".join(dict.fromkeys(f"\n{join}" for rows in told for join in rows.joins))
    rule = f"\nWHERE {told[0].rule}" if len(rules) == 1 and told[0].rule else ""
    return replace(
        metrics[0], id="+".join(metric.id for metric in metrics), kind="sum", choices=tuple(choices),
        groups=tuple(dict.fromkeys(group for metric in metrics for group in metric.groups)),
        body=f"SELECT {', '.join(selected)}\nFROM {told[0].table}{joins}{rule}",
        columns=frozenset({name for name, _ in told[0].places} | set(columns)),
        windows=tuple(dict.fromkeys(window for metric in metrics for window in metric.windows)),
    )  # fmt: skip


def shared_answers(snapshot: Snapshot, bundles: Sequence[Bundle]) -> dict[Hashable, pl.DataFrame]:
    """The answer to each question of bundles that share their rows (`gathered`), by its key; they are kept."""
    if len(bundles) == 1:
        return answers(snapshot, bundles[0])
    one = together(bundles)
    statement, params = bundle_statement(with_step(snapshot, one))
    kinds = dict.fromkeys(bundle.metric.kind for bundle in bundles)
    names = ", ".join(f"f.{name}" for name in ("place", "slice", "part", "statistic", *SHAPE[:4]))
    parts = (
        f"SELECT {names}, {KINDS[kind][1]} FROM f WHERE f.statistic IN ({_of_kind(bundles, kind)})" for kind in kinds
    )
    whole = snapshot.execute(
        f"""WITH f AS MATERIALIZED (SELECT t.*, row_number() OVER () AS place FROM ({statement}) t)
SELECT * EXCLUDE (place) FROM ({" UNION ALL ".join(parts)}) ORDER BY place""",
        params,
    )
    found = parted(whole)
    none, kept = whole.clear().select(SHAPE), dict[Hashable, pl.DataFrame]()
    for bundle in bundles:
        for filters in bundle.slices:
            for groups, period in bundle.sets:
                at = one.slices.index(filters), one.sets.index((groups, period))
                for statistic in bundle.statistics:
                    key = answer_key(bundle.metric.id, groups, period, statistic, filters)
                    kept[key] = found.get((*at, f"{bundle.metric.id}.{statistic}"), none)
                    snapshot.put(key, kept[key])
    return kept


def _of_kind(bundles: Sequence[Bundle], kind: str) -> str:
    return ", ".join(f"'{b.metric.id}.{name}'" for b in bundles if b.metric.kind == kind for name in b.statistics)
