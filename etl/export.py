"""The leadership pack of a month, from one immutable snapshot: CSV files, a workbook, a printed report, a manifest.

Every number comes through `sql.query`, as on the pages. The same snapshot, month and options give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from etl.editions import set_aside
from etl.errors import PeriodError, UnreadableInputError
from etl.pack_documents import documents
from etl.pack_findings import findings_table
from etl.pack_folder import put
from etl.pack_mask import masked, small_cells
from sql import query
from sql.catalog import Metric
from sql.csv_text import to_csv
from sql.definitions import definitions
from sql.filters import Filters
from sql.snapshot import Snapshot, open_snapshot
from sql.unfinished import last_day

#: Groups that single out a person; leaders' packs go without them.
INDIVIDUALS = frozenset({"radiologist", "operator"})
#: Groups that every statistic is given for; the others have the metric's own statistic.
HEADS: tuple[tuple[str, ...], ...] = ((), ("facility",))
#: The one crossing of two groups.
CROSSING = ("facility", "modality")
_PERIOD = re.compile(r"((?:19|2[0-9])[0-9]{2})-(0[1-9]|1[0-2])")
_SUMMARY = (
    "facility", "metric", "title", "statistic", "unit", "value", "n", "is_small", "target", "previous", "previous_n",
    "delta", "verdict", "version", "version_before",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, half-open, and its filters: compared with the month before."""

    period: str
    since: date
    until: date

    @property
    def filters(self) -> Filters:
        return Filters(since=self.since, until=self.until, compare="previous")


def last_month(today: date) -> str:
    """The month before that of a day, as `month` reads it."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"


def month(period: str) -> Month:
    """The month written `YYYY-MM`. Raises PeriodError."""
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise PeriodError(f"{period!r} is not a month from 1900 to 2999; write it as 2026-03")
    year, number = int(match[1]), int(match[2])
    return Month(period, date(year, number, 1), date(year + number // 12, number % 12 + 1, 1))


def export_pack(
    snapshot_path: Path,
    period: str,
    folder: Path,
    with_bom: bool = False,
    keeps_editions: bool = False,
    is_masked: bool = False,
) -> dict[str, Any]:
    """Write the pack of a month into `folder` and return its manifest; with `keeps_editions` one that lies there and is
    of another snapshot moves aside first, with `is_masked` small cells are masked (`etl.pack_mask`).

    The folder appears whole; in one that exists the files of an earlier pack are replaced, the manifest last, and
    others are left alone. Raises PeriodError, and UnreadableInputError where a file that is no pack's is in the way or
    the snapshot lacks a table.
    """
    asked = month(period)
    snapshot = open_snapshot(snapshot_path)
    try:
        tables, hidden = dict(_frames(snapshot, asked.filters)), None
        known = definitions(snapshot)
        if is_masked:
            tables, hidden = masked(tables, known)
        tables["findings"] = findings_table(
            tables["scorecard"], {name: metric.better for name, metric in known.items()}
        )
        head = _head(snapshot, asked) | small_cells(hidden)
        printed = documents(tables, snapshot, asked.filters, head)
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise UnreadableInputError(
            f"{snapshot.path.name} has not the tables of this version of radops; run: radops rebuild, radops publish"
        ) from error
    finally:
        snapshot.close()
    files = {f"{name}.csv": to_csv(frame, with_bom=with_bom) for name, frame in tables.items()} | printed
    manifest = head | {"files": [_entry(name, data) for name, data in files.items()]}
    if keeps_editions:
        set_aside(folder, snapshot.id)
    put(folder, files, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    return manifest


def _frames(snapshot: Snapshot, filters: Filters) -> Iterator[tuple[str, pl.DataFrame]]:
    metrics = list(definitions(snapshot).values())
    for metric in metrics:
        query.foresee(snapshot, _wanted(metric, filters))
    yield "summary", summary(snapshot, metrics, filters)
    yield "scorecard", query.scorecard(snapshot, filters)
    yield "findings", pl.DataFrame()  # made of the scorecard, once it is as it is written
    yield "course", query.course(snapshot, filters)
    for metric in metrics:
        yield metric.id, metric_rows(snapshot, metric, filters)


def groupings(metric: Metric) -> tuple[tuple[str, ...], ...]:
    """What a metric's file breaks down by: everything, each allowed group but persons, facility with modality."""
    single = [(group,) for group in metric.groups if group not in INDIVIDUALS]
    crossing = [CROSSING] if set(CROSSING) <= set(metric.groups) else []
    return ((), *single, *crossing)


def _asked(metric: Metric) -> Iterator[tuple[tuple[str, ...], str]]:
    """Groups and statistic of each question of a metric's file."""
    for groups in groupings(metric):
        for statistic in metric.statistics if groups in HEADS else (metric.statistic,):
            yield groups, statistic


def _wanted(metric: Metric, filters: Filters) -> Iterator[query.Wanted]:
    """What the pack asks of a metric: for its file, and for the month before in the summary."""
    for groups, statistic in _asked(metric):
        yield query.Wanted(metric.id, groups, "all", statistic, filters)
    before = filters.before() if metric.has_dates else None
    if before is not None:
        for groups in HEADS:
            if set(groups) <= set(metric.groups):
                yield query.Wanted(metric.id, groups, "all", metric.statistic, before)


def metric_rows(snapshot: Snapshot, metric: Metric, filters: Filters) -> pl.DataFrame:
    """A metric's file: the standard shape for each grouping, with statistic, unit, is_small and version."""
    parts = [
        query.metric(snapshot, metric.id, groups=groups, filters=filters, statistic=statistic).with_columns(
            pl.lit(statistic).alias("statistic")
        )
        for groups, statistic in _asked(metric)
    ]
    return pl.concat(parts).with_columns(
        pl.lit(metric.unit).alias("unit"),
        (pl.col("n") < metric.min_n).alias("is_small"),
        pl.lit(metric.version).alias("version"),
    )


def summary(snapshot: Snapshot, metrics: list[Metric], filters: Filters) -> pl.DataFrame:
    """One row a metric and facility (`all` first): value beside target and the month before, empty where unknown."""
    names = sorted(query.rows(snapshot, "dim_facility", columns=("facility",))["facility"].to_list())
    parts = []
    for metric in metrics:
        groups = [groups for groups in HEADS if set(groups) <= set(metric.groups)]
        places = ["all", *names] if ("facility",) in groups else ["all"]
        # What is said at the data cut-off is the same in every month: there is nothing to compare.
        asked = filters if metric.has_dates else filters.replace(compare="none")
        found = pl.concat([query.compare(snapshot, metric.id, groups=group, filters=asked) for group in groups])
        rows = pl.DataFrame({"facility": places}).join(
            found.rename({"group_value": "facility"}), on="facility", how="left", maintain_order="left"
        )
        parts.append(rows.with_columns(_said(metric, filters)).select(_SUMMARY))
    return pl.concat(parts)


def _said(metric: Metric, filters: Filters) -> list[pl.Expr]:
    """What the definition says of a metric, and missing rows as none seen."""
    return [
        pl.lit(metric.version).alias("version"),
        pl.lit(None if filters.since is None else _version_before(metric, filters.since)).alias("version_before"),
        pl.lit(metric.id).alias("metric"),
        pl.lit(metric.title).alias("title"),
        pl.lit(metric.statistic).alias("statistic"),
        pl.lit(metric.unit).alias("unit"),
        pl.lit(metric.goal, dtype=pl.Float64).alias("target"),
        pl.col("n").fill_null(0),
        pl.col("previous_n").fill_null(0) if metric.has_dates else pl.col("previous_n"),
        (pl.col("n").fill_null(0) < metric.min_n).alias("is_small"),
    ]


def _version_before(metric: Metric, since: date) -> str:
    """The version under which the period before `since` was reported when it ended."""
    return metric.version_on(since - timedelta(days=1))


def _redefined(metric: Metric, since: date) -> Iterator[str]:
    """In words what changed since the period before was reported: its pack has numbers of another definition."""
    before = _version_before(metric, since)
    for item in metric.history:
        if int(item.version) > int(before):
            yield f"{metric.id}: version {item.version} since {item.changed}, {before} before: {item.what}"


def _entry(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _head(snapshot: Snapshot, asked: Month) -> dict[str, Any]:
    """The manifest without its files."""
    metrics = definitions(snapshot).values()
    return {
        "product": f"radops {version('radops')}",
        "snapshot": {
            "id": snapshot.id,
            "digest": snapshot.digest,
            "built_at": f"{snapshot.built_at.isoformat()}Z",
            "data_through": f"{snapshot.data_through.isoformat()}Z",
        },
        "period": asked.period,
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
        "is_complete": last_day(snapshot) >= asked.until,
        "filters": asked.filters.sentence(),
        "definitions": {
            "signature": snapshot.signature,
            "metrics": {metric.id: metric.version for metric in metrics},
            "changed": {metric.id: metric.changed.isoformat() for metric in metrics if metric.changed is not None},
            "redefined": [note for metric in metrics for note in _redefined(metric, asked.since)],
            "at_data_cut_off": [metric.id for metric in metrics if not metric.has_dates],
        },
    }
