"""Where an exam's time goes: from order to final report in stages that add up, each with its owner and its change.

Each exam's way is cut at its milestones in their proper order. A milestone that is told before the one it follows
counts as at the same instant (its stage is 0, `n_crossed` says how often), one told after the final report as at it.
So the stages of an exam add up to its order-to-final time, and the means add up to the mean. Medians do not add up.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from sql.catalog import Catalog
from sql.filters import CLOCKS, Filters
from sql.noted import noted
from sql.snapshot import Snapshot


class Stage(NamedTuple):
    """One stage: from where to where, who answers for it, and whether it is of booked exams, of others, or of all."""

    id: str
    start: str
    stop: str
    owner: str
    of: str = "all"


#: In the order of an exam's way. Exams without a booking have one stage in place of the first two.
STAGES = (
    Stage("booking", "ordered", "booked", "scheduling", "booked"),
    Stage("slot_wait", "booked", "arrived", "scheduling", "booked"),
    Stage("arrival", "ordered", "arrived", "ordering unit and transport", "unbooked"),
    Stage("begin", "arrived", "exam_started", "front desk and technologist"),
    Stage("exam", "exam_started", "exam_ended", "technologist"),
    Stage("archive", "exam_ended", "images_available", "IT"),
    Stage("read", "images_available", "first_read", "radiologist"),
    Stage("sign", "first_read", "first_final", "radiologist who signs"),
)
#: Milestone -> its instant; the booking may be missing, the others may not.
_AT = {
    "ordered": "e.ordered_at", "booked": "e.booked_at", "arrived": "e.arrived_at", "exam_started": "e.exam_started_at",
    "exam_ended": "e.exam_ended_at", "images_available": "e.images_available_at",
    "first_read": "least(e.first_prelim_at, e.first_final_at)", "first_final": "e.first_final_at",
}  # fmt: skip
_NEEDED = tuple(name for name in _AT if name not in ("booked", "first_read"))
#: What names a stage.
_NAMED = ("stage", "clock_start", "clock_stop", "owner")


def stages(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """A row a stage and `total` last: stage, clock_start, clock_stop, owner, n, n_crossed, mean, p50, p90, n_exams;

    previous, previous_n (exams), delta and share_of_change (of the change of the whole, may be negative or above 1).
    `mean` is minutes per exam over all exams of the set, so it adds up; p50 and p90 are of the n exams that have the
    stage, and do not. Empty where no exam has all milestones; delta is NULL where nothing is compared.
    """
    filters = filters or Filters()
    now, before = _asked(snapshot, filters), filters.before()
    if before is None:
        blank = {"previous": pl.Float64, "previous_n": pl.Int64, "delta": pl.Float64, "share_of_change": pl.Float64}
        return now.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in blank.items()).drop("number")
    then = _asked(snapshot, before)
    joined = now.join(then, on=[*_NAMED, "number"], how="full", coalesce=True, suffix="_then").sort("number")
    # A stage that no exam has in one of the two periods takes no time there; a period without exams is not known.
    n_now, n_then = (frame["n_exams"].max() for frame in (now, then))
    told = joined.with_columns(
        pl.col("n", "n_crossed").fill_null(0),
        pl.lit(n_now, dtype=pl.Int64).alias("n_exams"), pl.lit(n_then, dtype=pl.Int64).alias("previous_n"),
        (pl.col("mean").fill_null(0.0) if n_now else pl.col("mean")),
        (pl.col("mean_then").fill_null(0.0) if n_then else pl.col("mean_then")).alias("previous"),
    ).with_columns((pl.col("mean") - pl.col("previous")).alias("delta"))  # fmt: skip
    whole = pl.col("delta").filter(pl.col("stage") == "total").first()
    return told.with_columns(pl.when(whole != 0).then(pl.col("delta") / whole).alias("share_of_change")).select(
        *_NAMED, "n", "n_crossed", "mean", "p50", "p90", "n_exams", "previous", "previous_n", "delta", "share_of_change"
    )


@noted
def stage_fates(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """What became of the exams that count: kind (used, missing, negative), reason (first missing milestone), n."""
    where, params = _where(filters or Filters())
    missing = "".join(f" WHEN {_AT[name]} IS NULL THEN 'missing|{name}'" for name in _NEEDED)
    return snapshot.execute(
        f"""SELECT split_part(t.fate, '|', 1) AS kind, split_part(t.fate, '|', 2) AS reason, count(*) AS n
        FROM (SELECT CASE{missing} WHEN e.first_final_at < e.ordered_at THEN 'negative|final before ordered'
                     ELSE 'used|' END AS fate
              FROM fct_exam e WHERE {where}) t
        GROUP BY t.fate ORDER BY list_position(['used', 'missing', 'negative'], kind), n DESC, reason""",
        params,
    )


def _where(filters: Filters) -> tuple[str, dict[str, object]]:
    columns = (*(column.name for column in Catalog.load().models["fct_exam"].columns), *CLOCKS)
    clause = filters.where(columns, anchor="exam_ended_local", alias="e", table="fct_exam")
    return f"e.is_countable AND {clause.sql}", clause.params


@noted
def _asked(snapshot: Snapshot, filters: Filters) -> pl.DataFrame:
    where, params = _where(filters)
    known = " AND ".join(f"{_AT[name]} IS NOT NULL" for name in _NEEDED)
    told = ", ".join(f"{at} AS {name}" for name, at in _AT.items())
    steps, before = [], "w.ordered"
    for name in list(_AT)[1:]:
        at = f"least(greatest(coalesce(w.{name}, {before}), {before}), w.first_final)"
        steps.append(f"cut_{name} AS (SELECT w.*, {at} AS {name}_cut FROM {_from(name)} w)")
        before = f"w.{name}_cut"
    total = Stage("total", "ordered", "first_final", "")
    parts = ", ".join(_stage(number, stage) for number, stage in enumerate([*STAGES, total]))
    return snapshot.execute(
        f"""WITH whole AS (SELECT {told}, e.ordered_at AS ordered_cut FROM fct_exam e
                          WHERE {where} AND {known} AND e.first_final_at >= e.ordered_at),
        {", ".join(steps)},
        folded AS (SELECT count(*) AS n_exams, [{parts}] AS told FROM cut_first_final w)
        SELECT t.number, t.stage, t.clock_start, t.clock_stop, t.owner, t.n, t.n_crossed,
               t.s / 60.0 / f.n_exams AS mean, t.at[1] / 60.0 AS p50, t.at[2] / 60.0 AS p90, f.n_exams
        FROM folded f, (SELECT unnest(told, recursive := TRUE) FROM folded) t
        WHERE t.n > 0 ORDER BY t.number""",
        params,
    )


def _from(name: str) -> str:
    names = list(_AT)
    before = names[names.index(name) - 1]
    return "whole" if before == "ordered" else f"cut_{before}"


def _stage(number: int, stage: Stage) -> str:
    """A stage of the exams `w` as a struct: how many have it, how many crossed it, seconds in all, two percentiles."""
    of = {"all": "TRUE", "booked": "w.booked IS NOT NULL", "unbooked": "w.booked IS NULL"}[stage.of]
    if stage.id == "total":
        crossed, length = "FALSE", "date_diff('second', w.ordered, w.first_final)"
    else:
        crossed = f"w.{stage.stop} < w.{stage.start}_cut OR w.{stage.stop} > w.first_final"
        length = f"date_diff('second', w.{stage.start}_cut, w.{stage.stop}_cut)"
    told = {
        "number": str(number), "stage": f"'{stage.id}'", "clock_start": f"'{stage.start}'",
        "clock_stop": f"'{stage.stop}'", "owner": f"'{stage.owner}'", "n": f"count(*) FILTER (WHERE {of})",
        "n_crossed": f"count(*) FILTER (WHERE {of} AND ({crossed}))", "s": f"sum({length}) FILTER (WHERE {of})",
        "at": f"quantile_cont({length}, [0.5, 0.9]) FILTER (WHERE {of})",
    }  # fmt: skip
    fields = ", ".join(f"'{name}': {sql}" for name, sql in told.items())
    return f"{{{fields}}}"
