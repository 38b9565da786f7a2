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
from sql.bundle_statement import bundle_statement
from sql.bundled import answers
from sql.catalog import Choice, Metric
from sql.fine import Set
from sql.nullness import is_of_one
from sql.shape import KINDS, SHAPE
from sql.shifts import with_step
from sql.snapshot import Snapshot

#: Kinds that are told of a numerator and a denominator.
_SUMMED = frozenset({"sum", "ratio", "rate"})
#: Sets of groups in one statement: each costs a hash table.
MOST_SETS = 16


class Rows(NamedTuple):
    """The rows that a metric counts: table with its alias, columns that say where a row lies (name, SQL), numerators by
    choice, joins, and the rule."""

    table: str
    places: frozenset[tuple[str, str]]
    numerators: dict[str, str]
    joins: tuple[str, ...]
    rule: str


@lru_cache(maxsize=256)
def rows_of(metric: Metric) -> Rows | None:
    """The rows of a metric that counts or sums those of one table, None for others; what is joined alike has one
    name."""
    if metric.kind not in _SUMMED or "n" in metric.columns or any(c.denominator for c in metric.choices):
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
    values = {choice.numerator for choice in metric.choices} | {"why_null"}
    where = tree.args.get("where")
    return Rows(
        f"{base.name} {base.alias_or_name}", frozenset(pair for pair in told.items() if pair[0] not in values),
        {choice.name: told[choice.numerator] for choice in metric.choices},
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
    # The days of an open period are those of its rows.
    is_placed = first.rule == rows.rule or not mine[0].is_open
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
    values: list[str] = []
    for metric, rows in zip(metrics, told, strict=True):
        for name, numerator in rows.numerators.items():
            column = f"v{len(values)}"
            held = numerator if len(rules) == 1 or not rows.rule else f"CASE WHEN {rows.rule} THEN {numerator} END"
            values.append(f"{held} AS {column}")
            choices.append(Choice(f"{metric.id}.{name}", column, ""))
    places = [f"{sql} AS {name}" for name, sql in sorted(told[0].places)]
    joins = "".join(dict.fromkeys(f"\n{join}" for rows in told for join in rows.joins))
    rule = f"\nWHERE {told[0].rule}" if len(rules) == 1 and told[0].rule else ""
    return replace(
        metrics[0], id="+".join(metric.id for metric in metrics), kind="sum", choices=tuple(choices),
        groups=tuple(dict.fromkeys(group for metric in metrics for group in metric.groups)),
        body=f"SELECT {', '.join([*places, *values])}\nFROM {told[0].table}{joins}{rule}",
        columns=frozenset({name for name, _ in told[0].places} | {choice.numerator for choice in choices}),
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
    found = whole.partition_by("slice", "part", "statistic", as_dict=True, include_key=False)
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
