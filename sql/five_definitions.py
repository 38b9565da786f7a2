"""The same exams under five definitions of turnaround: why a RIS, a PACS and a registry contradict each other.

Each system is right by its own clocks. What differs is where the clock starts, where it stops, which statistic is
customary, and which exams have both stamps; asked of the same exams, only the first three are left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from sql.quantiles import interpolated

_FOUR_WEEKS_MIN = 28 * 1440


class View(NamedTuple):
    """Whose definition: column of the length, its ends, the customary statistic, a target where one is set, source."""

    id: str
    column: str
    clock_start: str
    clock_stop: str
    statistic: str
    target_min: int | None
    source: str


VIEWS = (
    View("radiologist", "read_final_min", "images_available", "first_final", "p50", None,
         "reading room: images ready to first final report, without the send delay"),
    View("grid", "report_final_min", "exam_ended", "first_final", "mean", None,
         "ACR General Radiology Improvement Database: exam completed to report signed, published as means"),
    View("referrer", "order_to_final_min", "ordered", "first_final", "p50", None,
         "referrer and patient: order to first final report"),
    View("nhs_england", "report_final_min", "exam_ended", "first_final", "within", _FOUR_WEEKS_MIN,
         "NHS England, August 2023: exam to verified report within four weeks"),
    View("first_read", "first_read_min", "exam_ended", "first_read", "p50", None,
         "emergency practice: exam end to the first preliminary or final report"),
)  # fmt: skip
#: Columns of the lengths.
LENGTHS = tuple(sorted({view.column for view in VIEWS}))
SCHEMA = {
    **dict.fromkeys(("view", "clock_start", "clock_stop", "statistic", "source"), pl.String), "n_own": pl.Int64,
    "n": pl.Int64, **dict.fromkeys(("mean", "p50", "p90", "target_min", "within"), pl.Float64),
}  # fmt: skip


class Definitions:
    """The lengths of exams under each definition; arrays order them in a fifth of the time."""

    def __init__(self) -> None:
        self._n_exams, self._own = 0, dict.fromkeys(LENGTHS, 0)
        self._parts: dict[str, list[npt.NDArray[np.float64]]] = {name: [np.empty(0)] for name in LENGTHS}

    def add(self, batch: pa.RecordBatch) -> None:
        """More exams; batch by batch, since pages of memory that are new cost more than what is done in them."""
        self._n_exams += batch.num_rows
        told = {name: batch.column(name).fill_null(-1.0).to_numpy() for name in LENGTHS}
        known = {name: values >= 0 for name, values in told.items()}
        is_common = np.logical_and.reduce(list(known.values()))
        for name, values in told.items():
            self._own[name] += int(np.count_nonzero(known[name]))
            self._parts[name].append(values[is_common])

    def frame(self) -> pl.DataFrame:
        """A row a definition with the columns of `SCHEMA`, none without any exam."""
        common = {}
        for name in LENGTHS:
            common[name] = np.concatenate(self._parts.pop(name))
            common[name].sort()
        rows = [
            {
                "view": view.id, "clock_start": view.clock_start, "clock_stop": view.clock_stop,
                "statistic": view.statistic, "source": view.source, "n_own": self._own[view.column],
                **_row(view, common[view.column]),
            }
            for view in VIEWS
        ]  # fmt: skip
        return pl.DataFrame(rows if self._n_exams else [], schema=SCHEMA)


def _row(view: View, ordered: npt.NDArray[np.float64]) -> dict[str, float | None]:
    """n, mean, percentiles and share in target of the ordered lengths of a definition."""
    n, target = len(ordered), view.target_min
    half, ninth = (float(interpolated(ordered, share)) if n else None for share in (0.5, 0.9))
    within = None if target is None or not n else int(np.searchsorted(ordered, target, side="right")) / n
    return {"n": n, "mean": float(ordered.mean()) if n else None, "p50": half, "p90": ninth,
            "target_min": target, "within": within}  # fmt: skip
