"""The exams of a period as the two queues saw them, from one snapshot; all times in minutes since an origin (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from sql import clock_filters
from sql.clock_filters import LENGTHS
from sql.filters import FILTERS, NO_VALUE, Filters
from sql.rows import MAX_ROWS, rows
from sql.snapshot import Snapshot

#: Days replayed before and after the period that is asked for, so that its queues begin and end as they did.
LEAD_DAYS, TAIL_DAYS = 7, 4
#: Minutes of a read whose begin is not told: of a report from the beginning, and of a signature under one.
READ_MIN, SIGN_MIN = 10.0, 5.0
#: A told read longer than this is a reading that was left open.
LONGEST_READ_MIN = 120.0
_COLUMNS = ("exam_key", "facility", "modality", "region", "service_line", "priority", "patient_class", "device",
            "procedure", "radiologist", "assistant", "patient_key", "arrived_at", "exam_started_at", "exam_ended_at",
            "exam_ended_local", "read_started_at", "first_prelim_at", "first_final_at", "target_min",
            *LENGTHS)  # fmt: skip


@dataclass(slots=True)
class Case:
    """One read exam: `entered` is when it could first reach the final reader, `begun` and `final` what happened."""

    facility: str
    modality: str
    region: str
    service_line: str
    priority: str
    patient_class: str
    device: str
    patient: str
    reader: str
    day: Any
    is_counted: bool
    arrived: float | None
    started: float | None
    ended: float
    entered: float
    begun: float
    service: float
    after: float  # from the end of the reader's work to the signature
    target: float | None
    is_signature: bool
    lowest: float = 0.0  # could not have been ready before

    @property
    def final(self) -> float:
        """First final report as it happened."""
        return self.begun + self.service + self.after


class Period(NamedTuple):
    """What is replayed: cases by begin of reading, the origin, facility -> zone, and exams left out."""

    cases: list[Case]
    origin: datetime
    zones: dict[str, ZoneInfo]
    n_unread: int


def load(snapshot: Snapshot, filters: Filters) -> Period:
    """Cases of the period with lead and tail; filters on values and the scope only say which ones are counted.

    The queues are shared by all facilities, so all of their exams are replayed and none of them is shown.
    """
    until = filters.until or snapshot.data_through.date() + timedelta(days=1)
    since = filters.since or until - timedelta(days=36500)
    wide = Filters(since=since - timedelta(days=LEAD_DAYS), until=until + timedelta(days=TAIL_DAYS))
    parts: list[pl.DataFrame] = []
    while not parts or parts[-1].height == MAX_ROWS:
        parts.append(
            rows(snapshot, "fct_exam", filters=wide, columns=_COLUMNS, where={"is_countable": True},
                 order_by=("exam_ended_at", "exam_key"), limit=MAX_ROWS, offset=len(parts) * MAX_ROWS)
        )  # fmt: skip
    frame = pl.concat(parts)
    zones = {f: ZoneInfo(z) for f, z in rows(snapshot, "dim_facility", columns=("facility", "zone")).rows()}
    if frame.is_empty():
        return Period([], snapshot.data_through, zones, 0)
    first: datetime = frame["exam_ended_at"][0]
    origin = datetime(first.year, first.month, first.day) - timedelta(days=1)
    cases, unread = [], 0
    for row in frame.iter_rows(named=True):
        is_counted = since <= row["exam_ended_local"].date() < until and _matches(row, filters)
        case = _case(row, origin, is_counted=is_counted)
        if case is not None:
            cases.append(case)
        elif is_counted:
            unread += 1
    _fill_services(cases)
    cases.sort(key=lambda case: case.begun)
    return Period(cases, origin, zones, unread)


def _matches(row: dict[str, Any], filters: Filters) -> bool:
    if filters.scope is not None and row["facility"] not in filters.scope:
        return False
    return all(
        clock_filters.holds(item.key, row, row["exam_ended_local"], values) if item.key in clock_filters.KNOWN
        else (NO_VALUE if row[item.column] is None else row[item.column]) in values
        for item in FILTERS
        if (values := getattr(filters, item.key))
    )  # fmt: skip


def _case(row: dict[str, Any], origin: datetime, *, is_counted: bool) -> Case | None:
    def at(name: str) -> float | None:
        value = row[name]
        return None if value is None else float((value - origin).total_seconds() / 60)

    ended, final, prelim = at("exam_ended_at"), at("first_final_at"), at("first_prelim_at")
    if ended is None or final is None or final < ended or row["radiologist"] is None:
        return None
    begun, entered, done = at("read_started_at"), ended, final
    is_signature = row["assistant"] not in (None, row["radiologist"]) and prelim is not None and ended <= prelim < final
    if is_signature and prelim is not None:
        entered, begun = prelim, None
    elif prelim is not None and begun is not None and begun <= prelim < final:
        done = prelim  # dictated, and signed later without the reader's time
    if begun is not None and not (ended <= begun <= done and done - begun <= LONGEST_READ_MIN):
        begun = None
    service = done - begun if begun is not None else 0.0
    return Case(
        row["facility"], *_texts(row), row["patient_key"] or "",
        row["radiologist"], row["exam_ended_local"].date(), is_counted, at("arrived_at"), at("exam_started_at"), ended,
        entered, done - service, service, final - done, row["target_min"], is_signature,
    )  # fmt: skip


def _texts(row: dict[str, Any]) -> tuple[str, str, str, str, str, str]:
    modality, region, line, priority, patient_class, device = (row[name] or "" for name in _COLUMNS[2:8])
    return modality, region, line, priority, patient_class, device


def _fill_services(cases: list[Case]) -> None:
    """Give reads without a told begin their modality's usual length, not reaching into the reader's read before."""
    told: dict[str, list[float]] = {}
    for case in cases:
        if case.service:
            told.setdefault(case.modality, []).append(case.service)
    usual = {modality: median(values) for modality, values in told.items()}
    last: dict[str, float] = {}
    for case in sorted(cases, key=lambda c: c.begun + c.service):
        done = case.begun + case.service
        if not case.service:
            length = SIGN_MIN if case.is_signature else usual.get(case.modality, READ_MIN)
            case.service = max(0.5, min(length, done - case.entered, done - last.get(case.reader, 0.0)))
            case.begun = max(case.entered, done - case.service)
            case.service = done - case.begun
        last[case.reader] = done
