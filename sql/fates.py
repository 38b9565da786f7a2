"""What became of the rows of metrics whose table says which clocks told them; those of the same rows are read once.

The engine counts rows by what became of them and by their sources; of these few counts all else is told here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import polars as pl
import sqlglot
from sqlglot import exp

from sql.asked import clause_of, dates_of
from sql.candidates import ANY_LOCAL, FATES, fate_sql, opened, own_columns, placed, source_of
from sql.catalog import Metric
from sql.coded import Words
from sql.elsewhere import Use, needed
from sql.filters import Filters
from sql.nullness import is_of_one
from sql.snapshot import Snapshot
from sql.windows import Window, windowed

#: Fates and clocks as they are told.
FATE_COLUMNS = {"kind": pl.String, "reason": pl.String, "n": pl.Int64, "share": pl.Float64, "n_rows": pl.Int64}
CLOCK_COLUMNS = {"milestone": pl.String, "source": pl.String, "rung": pl.Int32, "n": pl.Int64, "share": pl.Float64}
#: The fate of a row that is used.
USED = "used|"
#: Columns of candidates that say a fate.
_SAID = frozenset({"left_out", "why_null"})
#: Days in which nearly all sources tell of some milestone.
_LATELY = 7
#: Who tells a milestone that nobody told.
_NONE = "none"


class _Rows(NamedTuple):
    """A metric's candidates in parts: its table, columns that say where a row lies and those of its own (name, SQL),
    joins by alias, and the windows of what is read."""

    table: str
    places: frozenset[tuple[str, str]]
    own: tuple[tuple[str, str], ...]
    joins: tuple[tuple[str, str], ...]
    windows: tuple[Window, ...]
    is_of_one: bool


@lru_cache(maxsize=256)
def is_plain(asked: Metric) -> bool:
    """Whether a metric's statement reads a table outermost, and nothing that is made before."""
    tree = opened(asked, asked.statistic)
    return tree is not None and not any(tree.args.get(part) for part in ("with_", "group", "distinct"))


@lru_cache(maxsize=256)
def _rows_of(asked: Metric) -> _Rows:
    tree = opened(asked, asked.statistic)
    assert tree is not None  # noqa: S101 - every metric reads its table outermost
    own, told = own_columns(asked), {item.alias_or_name: item.unalias().sql("duckdb") for item in tree.selects}
    joins = tree.args.get("joins") or []
    text = tree.sql("duckdb")
    return _Rows(
        tree.args["from_"].this.sql("duckdb"), frozenset(pair for pair in told.items() if pair[0] not in own),
        tuple(pair for pair in told.items() if pair[0] in own),
        tuple((join.this.alias_or_name, join.sql("duckdb")) for join in joins),
        tuple(window for window in asked.windows if window.table in text),
        all(is_of_one(join) or join.this.name == "meta_snapshot" for join in joins),
    )  # fmt: skip


def gathered(asked: Iterable[tuple[Metric, Filters]]) -> list[tuple[tuple[Metric, ...], Filters]]:
    """Metrics under filters that one statement answers."""
    found: dict[Hashable, tuple[list[Metric], Filters]] = {}
    alone = count()
    for metric, filters in dict.fromkeys(asked):
        rows, clause = _rows_of(metric), clause_of(metric, filters)
        like: Hashable = (rows.table, rows.places, rows.windows, clause.sql, repr(clause.params))
        mine, _ = found.setdefault(like if rows.is_of_one else next(alone), ([], filters))
        known = dict(join for other in mine for join in _rows_of(other).joins)
        if all(known.get(alias, join) == join for alias, join in rows.joins):
            mine.append(metric)
        else:
            found[next(alone)] = ([metric], filters)
    return [(tuple(metrics), filters) for metrics, filters in found.values()]


def ask(
    snapshot: Snapshot, metrics: Sequence[Metric], filters: Filters, ends: Mapping[str, Sequence[str]]
) -> list[pl.DataFrame]:
    """For each of some metrics that `gathered` gave: rows counted by fate (kind|reason; NULL of a row that is none of
    its) and by the sources of its milestones `ends`, with n; they are kept."""
    clause = clause_of(metrics[0], filters)
    sources = tuple(dict.fromkeys(source_of(each) for metric in metrics for each in ends[metric.id]))
    uses = {needed(metric.id, filters) for metric in metrics}
    made = _counted_sql(tuple(metrics), clause.sql, *dates_of(clause), sources, uses.pop() if len(uses) == 1 else ())
    counted = snapshot.execute(made, clause.params)
    found = []
    for number, metric in enumerate(metrics):
        told = {name: counted[name] for name in (*map(source_of, ends[metric.id]), "n")}
        found.append(pl.DataFrame({"fate": counted[f"fate_{number}"], **told}))
        snapshot.put(_key(metric, filters), found[-1])
    return found


def counted(snapshot: Snapshot, asked: Metric, filters: Filters, ends: Sequence[str]) -> pl.DataFrame:
    """Rows of a metric counted by fate and sources, as `ask` tells them."""
    known = snapshot.kept(_key(asked, filters))
    return ask(snapshot, (asked,), filters, {asked.id: ends})[0] if known is None else known


def _key(asked: Metric, filters: Filters) -> Hashable:
    return "fates", asked.id, filters.replace(compare="none")


@lru_cache(maxsize=256)
def _counted_sql(
    metrics: tuple[Metric, ...], where: str, since: str, until: str, sources: tuple[str, ...], uses: tuple[Use, ...]
) -> str:
    told, words = [_rows_of(metric) for metric in metrics], Words()
    own = [f"{words.coded(sql) if name in _SAID else sql} AS {name}_{number}"
           for number, rows in enumerate(told) for name, sql in rows.own]  # fmt: skip
    fates = [words.coded(fate_sql(metric, metric.statistic, until, f"_{number}"))
             for number, metric in enumerate(metrics)]  # fmt: skip
    keys = [f"{sql} AS {name}" for sql, name in words.keys.items()]
    columns = ", ".join([*(f"{sql} AS {name}" for name, sql in sorted(told[0].places)), *own, *keys])
    joins = " ".join(dict.fromkeys(join for rows in told for _, join in rows.joins))
    tree = sqlglot.parse_one(f"SELECT {columns} FROM {told[0].table} {joins}", read="duckdb")
    assert isinstance(tree, exp.Select)  # noqa: S101 - it is one
    body = windowed(placed(tree, since, until), told[0].windows, since, until, uses)
    if ANY_LOCAL in tree.named_selects:
        # Without the time that it asks for, a row is told of where it is left out for a reason.
        body = f"""SELECT c.* EXCLUDE ({ANY_LOCAL}) REPLACE (coalesce(c.period_local, c.{ANY_LOCAL}) AS period_local),
c.period_local IS NOT NULL AS is_placed FROM ({body}) c"""
        fates = [f"CASE WHEN b.is_placed OR b.left_out_{number} IS NOT NULL THEN {fate} END"
                 for number, fate in enumerate(fates)]  # fmt: skip
    codes = ", ".join(f"{fate} AS fate_{number}" for number, fate in enumerate(fates))
    held = "".join(f"b.{name}, " for name in [*sources, *words.keys.values()])
    named = "".join(f"{words.told(f'g.fate_{number}')} AS fate_{number}, " for number in range(len(fates)))
    return f"""SELECT {named}{"".join(f"g.{source}, " for source in sources)}g.n
FROM (SELECT {codes}, {held}count(*) AS n
FROM ({body}) b WHERE {where} GROUP BY ALL) g"""


def fates_of(told: pl.DataFrame) -> pl.DataFrame:
    """kind, reason, n, share and n_rows of rows that count once each, from counts by fate."""
    many: Counter[str] = Counter()
    for fate, n in zip(told["fate"].to_list(), told["n"].to_list(), strict=True):
        if fate is not None:
            many[fate] += n
    whole = many.total()
    rows = [(kind, reason, n, n / whole, n) for fate, n in many.items() for kind, _, reason in [fate.partition("|")]]
    rows.sort(key=lambda row: (FATES.index(row[0]), -row[2], row[1]))
    return pl.DataFrame(rows, schema=FATE_COLUMNS, orient="row")


def clocks_of(snapshot: Snapshot, told: pl.DataFrame, filters: Filters, ends: Sequence[str]) -> pl.DataFrame:
    """milestone, source, rung, n and share of the milestones `ends`, from counts by sources: of those that are used,
    where there are fates."""
    many = {milestone: Counter[str]() for milestone in ends}
    fates = told["fate"].to_list() if "fate" in told.columns else [USED] * len(told)
    for milestone in ends:
        for fate, source, n in zip(fates, told[source_of(milestone)].to_list(), told["n"].to_list(), strict=True):
            if fate == USED:
                many[milestone][source or _NONE] += n
    rungs = _rungs(snapshot, filters, {(milestone, source) for milestone in ends for source in many[milestone]})
    rows: list[tuple[Any, ...]] = []
    for milestone, sources in many.items():
        mine = [(source, rungs.get((milestone, source)), n) for source, n in sources.items()]
        mine.sort(key=lambda row: (row[1] is None, row[1] or 0, -row[2], row[0]))
        rows += [(milestone, source, rung, n, n / sources.total()) for source, rung, n in mine]
    return pl.DataFrame(rows, schema=CLOCK_COLUMNS, orient="row")


def _rungs(snapshot: Snapshot, filters: Filters, asked: set[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """The place of sources on the ladder of their milestone: it is the same on every day, so where the last days of the
    dates, or the dates, tell of all that are asked for, no more are read."""
    found: dict[tuple[str, str], int | None] = {}
    for span in _spans(snapshot, filters):
        if not found or any(source != _NONE and (milestone, source) not in found for milestone, source in asked):
            rows = _ladders(snapshot, span)
            found = {(milestone, source): rung for milestone, source, rung in rows.iter_rows()}
    return found


def ask_rungs(snapshot: Snapshot, filters: Filters) -> None:
    """Ask what `clocks_of` asks first under some filters."""
    _ladders(snapshot, _spans(snapshot, filters)[0])


def _spans(snapshot: Snapshot, filters: Filters) -> list[Filters]:
    """Days of which ladders are asked, one after the other."""
    spans = [Filters(since=filters.since, until=filters.until), Filters()]
    lately = (filters.until or snapshot.data_through.date()) - timedelta(days=_LATELY)
    if filters.since is None or filters.since < lately:
        spans.insert(0, spans[0].replace(since=lately))
    return list(dict.fromkeys(spans))


def _ladders(snapshot: Snapshot, span: Filters) -> pl.DataFrame:
    held = span.where((), anchor="day", alias="c")
    return snapshot.execute(
        f"""SELECT c.milestone, c.source, min(c.rung) AS rung FROM dq_completeness c
        WHERE {held.sql} GROUP BY ALL""",
        {key: at.date() for key, at in held.params.items()},
    )
