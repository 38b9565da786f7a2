"""Why a number as reported then is not the number as known now: two snapshots, one metric, and parts that add up.

The parts are steps from the old value to the new one, each with the value after it: today's definition on the old
snapshot's data; then rows of the metric's table that are no longer used are taken out, those used in both get their new
values, and new ones are put in, each by reason. Steps of percentiles depend on this order; their sum does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import polars as pl

from sql.asked import QueryError, clause_of, must_have
from sql.candidates import candidates, fate_sql
from sql.catalog import PERCENTILES, Metric
from sql.definitions import definition
from sql.filters import Filters
from sql.measure import metric
from sql.shape import weight_sql
from sql.snapshot import Snapshot

STEPS: dict[str, type[pl.DataType]] = {
    "step": pl.String, "reason": pl.String, "n": pl.Int64, "effect": pl.Float64, "value": pl.Float64,
}  # fmt: skip


def difference(
    then: Snapshot, now: Snapshot, metric_id: str, filters: Filters | None = None, statistic: str | None = None
) -> pl.DataFrame:
    """The way from a metric's value then to its value now: columns step, reason, n (rows), effect, value (after it).

    The first row is `then` (n of the metric), the last `now`; between them `definition`, `removed`, `changed` and
    `added`, by reason, as far as there are any. value of the last row = value of the first + all effects; a value is
    NULL where nothing is used, and so are the effects around it. Raises QueryError.
    """
    asked, filters = definition(now, metric_id), filters or Filters()
    chosen = statistic or asked.statistic
    must_have(asked, (), "all", chosen)
    if asked.kind == "last":
        raise QueryError(f"{asked.id} counts at one instant, which the two snapshots do not share")
    first = _answer(then, metric_id, filters, chosen)
    last = _answer(now, metric_id, filters, chosen)
    try:
        old = _rows(then, asked, filters, chosen)
    except duckdb.Error:  # made under marts that today's definition cannot read: its data cannot be told apart from it
        return _frame([("then", "", *first), ("definition", "and data: cannot be told apart", 0, last[1])], last)
    new = _rows(now, asked, filters, chosen)
    steps: list[tuple[str, str, int, float | None]] = [("then", "", *first)]
    version, restated = definition(then, metric_id).version, _value(asked, old, chosen)
    if version != asked.version or not _is_same(first[1], restated):
        steps.append(("definition", f"version {version} to {asked.version}", 0, restated))
    gone, come = (before.join(after, on="row_key", how="anti") for before, after in ((old, new), (new, old)))
    why_gone = _told(now, asked, filters, chosen, gone)
    steps += _walked(asked, old, new, why_gone, _told(then, asked, filters, chosen, come), chosen)
    return _frame(steps, last)


def _answer(snapshot: Snapshot, metric_id: str, filters: Filters, statistic: str) -> tuple[int, float | None]:
    """n and value of a metric by a snapshot's own definition; of one that it does not have, nothing."""
    found = metric(snapshot, metric_id, filters=filters, statistic=statistic)
    return (int(found["n"][0]), found["value"][0]) if found.height else (0, None)


def _rows(
    snapshot: Snapshot, asked: Metric, filters: Filters, statistic: str, keys: Sequence[str] | None = None
) -> pl.DataFrame:
    """Candidates of a metric that are behind the value, or those of some rows of its table (`keys`): key, row_key,
    is_in (the dates and filters), fate, and what the statistic folds.

    A row that a metric takes twice has two row_keys, by its place among all that are taken of it: they are told apart
    before the dates and filters, of those rows alone that these leave.
    """
    clause = clause_of(asked, filters)
    choice = {c.name: c for c in asked.choices}.get(statistic)
    above = f"b.{choice.numerator}" if choice else "b.value"
    below = f"b.{choice.denominator}" if choice and choice.denominator else "1"
    every, fate = f"({candidates(asked)}) b", fate_sql(asked, statistic, "NULL")
    used = f"SELECT b.row_key FROM {every} WHERE {clause.sql} AND {fate} = 'used|'"
    return snapshot.execute(
        f"""SELECT * FROM (SELECT b.row_key AS "key", concat_ws(chr(31), b.row_key,
                         row_number() OVER (PARTITION BY b.row_key ORDER BY b.period_local, {above})) AS row_key,
        coalesce({clause.sql}, FALSE) AS is_in, {fate} AS fate,
        CAST({above} AS DOUBLE) AS above, CAST({below} AS DOUBLE) AS below,
        CAST(coalesce({weight_sql(asked, statistic)}, 0) AS BIGINT) AS n
        FROM {every} WHERE b.row_key IN ({used if keys is None else "SELECT unnest(CAST($looked AS VARCHAR[]))"}))
        WHERE {"is_in AND fate = 'used|'" if keys is None else "TRUE"}""",
        clause.params if keys is None else clause.params | {"looked": [*keys]},
    )


def _told(snapshot: Snapshot, asked: Metric, filters: Filters, statistic: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the other snapshot with why this one does not use them: what they are, or that they lie outside the dates
    and filters; NULL where it does not have them."""
    if rows.is_empty():
        return rows.with_columns(why=pl.lit(None, pl.String))
    found = _rows(snapshot, asked, filters, statistic, rows["key"].unique().sort().to_list())
    outside = pl.when(pl.col("fate") == "used|").then(pl.lit("outside|the dates or filters")).otherwise(pl.col("fate"))
    return rows.join(found.select("row_key", outside.alias("why")), on="row_key", how="left")


def _walked(
    asked: Metric, before: pl.DataFrame, after: pl.DataFrame, gone: pl.DataFrame, come: pl.DataFrame, statistic: str
) -> list[tuple[str, str, int, float | None]]:
    """Steps from the rows used before to those after, by what became of each."""
    both = before.join(after, on="row_key", suffix="_new")
    changed = both.filter(
        pl.col("above").ne_missing(pl.col("above_new")) | pl.col("below").ne_missing(pl.col("below_new"))
    )
    steps: list[tuple[str, str, int, float | None]] = []
    current = before
    for reason, rows in _by_reason(gone, "no longer there: joined to another, or gone"):
        current = current.join(rows, on="row_key", how="anti")
        steps.append(("removed", reason, rows.height, _value(asked, current, statistic)))
    if changed.height:
        corrected = after.join(changed, on="row_key", how="semi")
        current = pl.concat([current.join(changed, on="row_key", how="anti"), corrected])
        steps.append(("changed", "other times or counts", changed.height, _value(asked, current, statistic)))
    for reason, rows in _by_reason(come, "not known then"):
        current = pl.concat([current, after.join(rows, on="row_key", how="semi")])
        steps.append(("added", reason, rows.height, _value(asked, current, statistic)))
    return steps


def _by_reason(frame: pl.DataFrame, unknown: str) -> list[tuple[str, pl.DataFrame]]:
    told = frame.with_columns(pl.col("why").fill_null(unknown).str.replace(r"\|", ": ").str.strip_suffix(": "))
    return [(str(key[0]), rows) for key, rows in sorted(told.group_by("why"), key=lambda item: str(item[0]))]


def _value(asked: Metric, rows: pl.DataFrame, statistic: str) -> float | None:
    """The statistic of used rows, as `sql.shape` folds them; a test holds the two together."""
    if rows.is_empty():
        return None
    above, below = rows["above"], rows["below"]
    if asked.kind == "percentile":
        p = PERCENTILES[statistic]
        return _number(above.mean() if p is None else above.quantile(p, "linear"))
    if asked.kind == "max":
        return _number(above.max())
    total = float(above.sum())
    if asked.kind == "sum":
        return total
    return total / float(below.sum()) if below.sum() else None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _is_same(a: float | None, b: float | None) -> bool:
    return a is b if a is None or b is None else abs(a - b) <= 1e-6 + 1e-6 * abs(b)


def _frame(steps: list[tuple[str, str, int, float | None]], last: tuple[int, float | None]) -> pl.DataFrame:
    rows, before = [], steps[0][3]
    for number, (step, reason, n, value) in enumerate(steps):
        effect = None if number == 0 or value is None or before is None else value - before
        rows.append((step, reason, n, effect, value))
        before = value
    return pl.DataFrame([*rows, ("now", "", last[0], None, last[1])], schema=STEPS, orient="row")
