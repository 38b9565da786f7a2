"""Where an exam's time goes: from order to final report in stages that add up, each with its owner and its change.

Each exam's way is cut at its milestones in their proper order. A milestone that is told before the one it follows
counts as at the same instant (its stage is 0, `n_crossed` says how often), one told after the final report as at it.
So the stages of an exam add up to its order-to-final time, and the means add up to the mean. Medians do not add up.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from sql.quantiles import interpolated


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
AT = {
    "ordered": "e.ordered_at", "booked": "e.booked_at", "arrived": "e.arrived_at", "exam_started": "e.exam_started_at",
    "exam_ended": "e.exam_ended_at", "images_available": "e.images_available_at",
    "first_read": "least(e.first_prelim_at, e.first_final_at)", "first_final": "e.first_final_at",
}  # fmt: skip
_NEEDED = tuple(name for name in AT if name not in ("booked", "first_read"))
Times = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
#: Microseconds of a second, and an instant that is none.
_SECOND, NONE = 1_000_000, -(2**63) + 1
SCHEMA = {
    "number": pl.Int32, **dict.fromkeys(("stage", "clock_start", "clock_stop", "owner"), pl.String), "n": pl.Int64,
    "n_crossed": pl.Int64, **dict.fromkeys(("mean", "p50", "p90"), pl.Float64), "n_exams": pl.Int64,
}  # fmt: skip
FATE_SCHEMA = {"kind": pl.String, "reason": pl.String, "n": pl.Int64}
_KINDS = ("used", "missing", "negative")
#: What names a stage.
_NAMED = ("stage", "clock_start", "clock_stop", "owner")


def changed(now: pl.DataFrame, then: pl.DataFrame | None) -> pl.DataFrame:
    """Stages with previous, previous_n, delta and share_of_change, beside those of the period before, if there is
    one."""
    if then is None:
        blank = {"previous": pl.Float64, "previous_n": pl.Int64, "delta": pl.Float64, "share_of_change": pl.Float64}
        return now.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in blank.items()).drop("number")
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


class Fates:
    """What became of exams by the instants of their milestones, as kind|reason."""

    def __init__(self) -> None:
        self._n = Counter[str]()

    def add(self, told: dict[str, Times]) -> Flags:
        """More exams: which of them have all milestones, and the last one not before the first."""
        left = np.ones(len(told["ordered"]), np.bool_)
        for name in _NEEDED:
            left = self._without(f"missing|{name}", left, told[name] == NONE)
        left = self._without("negative|final before ordered", left, told["first_final"] < told["ordered"])
        self._n["used|"] += int(np.count_nonzero(left))
        return left

    def frame(self) -> pl.DataFrame:
        """kind (used, missing, negative), reason (first missing milestone), n."""
        told = [(*fate.partition("|")[::2], n) for fate, n in self._n.items() if n]
        rows = sorted(told, key=lambda row: (_KINDS.index(row[0]), -row[2], row[1]))
        return pl.DataFrame(rows, schema=FATE_SCHEMA, orient="row")

    def _without(self, fate: str, left: Flags, is_out: Flags) -> Flags:
        if not is_out.any():  # as of most batches
            return left
        self._n[fate] += int(np.count_nonzero(left & is_out))
        return left & ~is_out


class Stages:
    """The lengths of the stages of exams.

    Arrays instead of statements: eight stages of two percentiles each are a fifth of the time. Batch by batch, since
    pages of memory that are new cost more than what is done in them.
    """

    def __init__(self) -> None:
        self._lengths = [_Lengths(stage) for stage in [*STAGES, Stage("total", "ordered", "first_final", "")]]
        self._n_exams = 0

    def add(self, told: dict[str, Times]) -> None:
        """More exams that have all milestones, by the instants of these."""
        self._n_exams += len(told["ordered"])
        is_booked, before, final = told["booked"] != NONE, told["ordered"], told["first_final"]
        cut = {"ordered": before}
        for name in list(AT)[1:]:
            at = np.where(is_booked, told[name], before) if name == "booked" else told[name]
            cut[name] = before = np.minimum(np.maximum(at, before), final)
        seconds = {name: at // _SECOND for name, at in cut.items()}
        for lengths in self._lengths:
            stage = lengths.stage
            crossed = (told[stage.stop] < cut[stage.start]) | (told[stage.stop] > final)
            of = {"all": slice(None), "booked": is_booked, "unbooked": ~is_booked}[stage.of]
            lengths.add((seconds[stage.stop] - seconds[stage.start])[of], crossed[of])

    def frame(self) -> pl.DataFrame:
        """A row a stage that some exam has, with the columns of `SCHEMA`."""
        rows = [lengths.row(number, self._n_exams) for number, lengths in enumerate(self._lengths)]
        return pl.DataFrame([row for row in rows if row["n"]], schema=SCHEMA)


class _Lengths:
    """What is known of a stage: the seconds of each exam that has it, and how many crossed it."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self._n_crossed, self._parts = stage, 0, [np.empty(0, np.int32)]

    def add(self, seconds: Times, crossed: Flags) -> None:
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
