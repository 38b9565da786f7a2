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

from sql.catalog import Catalog
from sql.filters import CLOCKS, Filters
from sql.noted import noted
from sql.quantiles import interpolated
from sql.snapshot import Snapshot

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
_LENGTHS = tuple(sorted({view.column for view in VIEWS}))
_SCHEMA = {
    **dict.fromkeys(("view", "clock_start", "clock_stop", "statistic", "source"), pl.String), "n_own": pl.Int64,
    "n": pl.Int64, **dict.fromkeys(("mean", "p50", "p90", "target_min", "within"), pl.Float64),
}  # fmt: skip


@noted
def five_definitions(snapshot: Snapshot, filters: Filters | None = None) -> pl.DataFrame:
    """A row a definition: view, clock_start, clock_stop, statistic (the customary one), source, n_own, n, mean, p50,

    p90 (minutes), target_min and within (share in target, NULL without one). All values are of the same n exams: those
    that count, have every clock, and run forwards under each definition; n_own counts those that a definition has by
    itself. A row has n 0 and no values where no exam has all clocks.
    """
    columns = (*(column.name for column in Catalog.load().models["fct_exam"].columns), *CLOCKS)
    clause = (filters or Filters()).where(columns, anchor="exam_ended_local", alias="e", table="fct_exam")
    lengths = ", ".join(f"e.{name}" for name in _LENGTHS)
    return snapshot.execute(f"SELECT {lengths} FROM fct_exam e WHERE e.is_countable AND {clause.sql}", clause.params,
                            fold=_folded, of="five definitions")  # fmt: skip


def _folded(exams: pa.RecordBatchReader) -> pl.DataFrame:
    """A row a definition, of exams of which a row each tells the lengths; arrays order them in a fifth of the time."""
    n_exams, own = 0, dict.fromkeys(_LENGTHS, 0)
    parts: dict[str, list[npt.NDArray[np.float64]]] = {name: [np.empty(0)] for name in _LENGTHS}
    for batch in exams:  # pages of memory that are new cost more than what is done in them
        n_exams += batch.num_rows
        told = {name: batch.column(name).fill_null(-1.0).to_numpy() for name in _LENGTHS}
        known = {name: values >= 0 for name, values in told.items()}
        is_common = np.logical_and.reduce(list(known.values()))
        for name, values in told.items():
            own[name] += int(np.count_nonzero(known[name]))
            parts[name].append(values[is_common])
    common = {}
    for name in _LENGTHS:
        common[name] = np.concatenate(parts.pop(name))
        common[name].sort()
    rows = [
        {
            "view": view.id, "clock_start": view.clock_start, "clock_stop": view.clock_stop,
            "statistic": view.statistic, "source": view.source, "n_own": own[view.column],
            **_row(view, common[view.column]),
        }
        for view in VIEWS
    ]  # fmt: skip
    return pl.DataFrame(rows if n_exams else [], schema=_SCHEMA)


def _row(view: View, ordered: npt.NDArray[np.float64]) -> dict[str, float | None]:
    """n, mean, percentiles and share in target of the ordered lengths of a definition."""
    n, target = len(ordered), view.target_min
    half, ninth = (float(interpolated(ordered, share)) if n else None for share in (0.5, 0.9))
    within = None if target is None or not n else int(np.searchsorted(ordered, target, side="right")) / n
    return {"n": n, "mean": float(ordered.mean()) if n else None, "p50": half, "p90": ninth,
            "target_min": target, "within": within}  # fmt: skip
