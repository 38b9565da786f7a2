"""Where an exam's time goes: from order to final report in stages that add up, each with its owner and its change.

Each exam's way is cut at its milestones in their proper order. A milestone that is told before the one it follows
counts as at the same instant (its stage is 0, `n_crossed` says how often), one told after the final report as at it.
So the stages of an exam add up to its order-to-final time, and the means add up to the mean. Medians do not add up.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sql.catalog import Catalog
from sql.coded import Words
from sql.filters import CLOCKS, Filters
from sql.noted import noted
from sql.quantiles import interpolated
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
Times = npt.NDArray[np.int64]
#: Microseconds of a second, and an instant that is none.
_SECOND, _NONE = 1_000_000, -(2**63) + 1
_SCHEMA = {
    "number": pl.Int32, **dict.fromkeys(("stage", "clock_start", "clock_stop", "owner"), pl.String), "n": pl.Int64,
    "n_crossed": pl.Int64, **dict.fromkeys(("mean", "p50", "p90"), pl.Float64), "n_exams": pl.Int64,
}  # fmt: skip
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
    code, fate = _fate_sql()
    return snapshot.execute(
        f"""SELECT split_part(t.fate, '|', 1) AS kind, split_part(t.fate, '|', 2) AS reason, t.n
        FROM (SELECT {fate} AS fate, g.n
              FROM (SELECT {code} AS code, count(*) AS n FROM fct_exam e WHERE {where} GROUP BY ALL) g) t
        ORDER BY list_position(['used', 'missing', 'negative'], kind), n DESC, reason""",
        params,
    )


@lru_cache(maxsize=1)
def _fate_sql() -> tuple[str, str]:
    """The number of an exam's fate, and the fate of a group by number."""
    missing, words = "".join(f" WHEN {_AT[name]} IS NULL THEN 'missing|{name}'" for name in _NEEDED), Words()
    negative = "WHEN e.first_final_at < e.ordered_at THEN 'negative|final before ordered'"
    return words.coded(f"CASE{missing} {negative} ELSE 'used|' END"), words.told("g.code")


def _where(filters: Filters) -> tuple[str, dict[str, object]]:
    columns = (*(column.name for column in Catalog.load().models["fct_exam"].columns), *CLOCKS)
    clause = filters.where(columns, anchor="exam_ended_local", alias="e", table="fct_exam")
    return f"e.is_countable AND {clause.sql}", clause.params


@noted
def _asked(snapshot: Snapshot, filters: Filters) -> pl.DataFrame:
    where, params = _where(filters)
    known = " AND ".join(f"{_AT[name]} IS NOT NULL" for name in _NEEDED)
    told = ", ".join(f"{at} AS {name}" for name, at in _AT.items())
    return snapshot.execute(
        f"SELECT {told} FROM fct_exam e WHERE {where} AND {known} AND e.first_final_at >= e.ordered_at",
        params, fold=_folded, of="stages",
    )  # fmt: skip


def _folded(exams: pa.RecordBatchReader) -> pl.DataFrame:
    """The stages of exams, of which a row each tells the instants of the milestones.

    Arrays instead of statements: eight stages of two percentiles each are a fifth of the time. Batch by batch, since
    pages of memory that are new cost more than what is done in them.
    """
    found = [_Lengths(stage) for stage in [*STAGES, Stage("total", "ordered", "first_final", "")]]
    n_exams = 0
    for batch in exams:
        told = dict(zip(batch.schema.names, map(_instants, batch.columns), strict=True))
        n_exams += batch.num_rows
        is_booked, before, final = told["booked"] != _NONE, told["ordered"], told["first_final"]
        cut = {"ordered": before}
        for name in list(_AT)[1:]:
            at = np.where(is_booked, told[name], before) if name == "booked" else told[name]
            cut[name] = before = np.minimum(np.maximum(at, before), final)
        seconds = {name: at // _SECOND for name, at in cut.items()}
        for lengths in found:
            stage = lengths.stage
            crossed = (told[stage.stop] < cut[stage.start]) | (told[stage.stop] > final)
            of = {"all": slice(None), "booked": is_booked, "unbooked": ~is_booked}[stage.of]
            lengths.add((seconds[stage.stop] - seconds[stage.start])[of], crossed[of])
    rows = [lengths.row(number, n_exams) for number, lengths in enumerate(found)]
    return pl.DataFrame([row for row in rows if row["n"]], schema=_SCHEMA)


def _instants(column: pa.Array) -> Times:
    """Microseconds, `_NONE` where there is no instant."""
    told = column.cast(pa.int64())
    return np.asarray((told.fill_null(_NONE) if told.null_count else told).to_numpy())


class _Lengths:
    """What is known of a stage: the seconds of each exam that has it, and how many crossed it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self._n_crossed, self._parts = stage, 0, [np.empty(0, np.int32)]

    def add(self, seconds: Times, crossed: npt.NDArray[np.bool_]) -> None:
        """More exams."""
        self._parts.append(seconds.astype(np.int32))
        self._n_crossed += int(np.count_nonzero(crossed))

    def row(self, number: int, n_exams: int) -> dict[str, object]:
        """How many have it and crossed it, minutes an exam of all, two percentiles."""
        stage, lengths = self.stage, np.concatenate(self._parts)
        self._parts.clear()
        whole = int(lengths.sum(dtype=np.int64))
        lengths.sort()
        half, tenth = (float(interpolated(lengths, share)) / 60 if len(lengths) else None for share in (0.5, 0.9))
        return {
            "number": number, "stage": stage.id, "clock_start": stage.start, "clock_stop": stage.stop,
            "owner": stage.owner, "n": len(lengths), "n_crossed": 0 if stage.id == "total" else self._n_crossed,
            "mean": whole / 60 / n_exams if n_exams else None, "p50": half, "p90": tenth, "n_exams": n_exams,
        }  # fmt: skip
