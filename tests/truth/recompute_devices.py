"""Overtime, standstill, capacity, slots, exams given up: recomputed from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from math import ceil
from statistics import median

from tests.truth.department import Department, Row, minutes
from tests.truth.recompute import Rows, device_hours, turnover
from tests.truth.statistics import quantile


def overtime(d: Department) -> Iterator[Row]:
    stated = {row["device"] for row in d.site("staffing.csv")}
    for words, _, _, _, busy, both in device_hours(d):
        if words["device"] in stated:
            yield words | {"numerator": busy - both, "denominator": 1.0}


def unused_capacity(d: Department) -> Iterator[Row]:
    """Idle staffed minutes over the device's median exam with its median turnover."""
    lengths: dict[str, list[float]] = defaultdict(list)
    gaps: dict[str, list[float]] = defaultdict(list)
    for exam in d.countable:
        length = minutes(exam["exam_started_at"], exam["exam_ended_at"])
        if length is not None and length > 0:
            lengths[exam["device"]].append(length)
    for gap in turnover(d):
        gaps[gap["device"]].append(gap["value"])
    for words, _, _, staffed, _, both in device_hours(d):
        device = words["device"]
        if staffed and device in lengths:
            each = median(lengths[device]) + (median(gaps[device]) if device in gaps else 0)
            yield words | {"numerator": (staffed - both) / each, "denominator": 1.0}


def idle_runs(d: Department, device: str) -> list[tuple[datetime, float]]:
    """(begin, staffed minutes) of the time from one busy stretch of a device to the next, or to the end of the data."""
    busy, blocks = d.busy[device], [b for b in d.blocks if b.device == device]
    found = []
    for number, (_, free_from) in enumerate(busy):
        free_to = busy[number + 1][0] if number + 1 < len(busy) else d.data_through
        inside = [(max(b.opens_at, free_from), min(b.closes_at, free_to)) for b in blocks]
        idle = [(start, end) for start, end in inside if end > start]
        if idle:
            found.append((min(idle)[0], sum(minutes(start, end) for start, end in idle)))
    return found


def downtime(d: Department) -> Iterator[Row]:
    """Hours of the runs beyond the device's own 99th percentile; a device with few runs is not judged."""
    for device in d.busy:
        runs, facts = idle_runs(d, device), d.devices[device]
        if len(runs) >= 50:
            usual = quantile([length for _, length in runs], 0.99)
            for start, length in runs:
                words = d.keys(facts, d.local(facts["facility"], start))
                yield words | {"numerator": length / 60 if length > usual else 0.0, "denominator": 1.0}


def exams_per_session(d: Department) -> Iterator[Row]:
    for sessions in d.sessions.values():
        for session in sessions:
            words = d.keys(session, d.local(session["facility"], session["started_at"]))
            yield words | {"numerator": float(session["n_exams"]), "denominator": 1.0}


def slots(d: Department) -> Iterator[tuple[Row, Row, Row, str]]:
    """(words, appointment, exam, outcome) of every slot: kept, noshow, cancelled or unknown."""
    for slot in d.truth("appointment"):
        exam = d.exam_of[slot["facility"], slot["accession"]]
        came = slot["status"] in ("arrived", "completed") or exam["arrived_at"] or exam["exam_started_at"]
        fate = "cancelled" if exam["is_cancelled"] else "noshow" if exam["is_no_show"] else "unknown"
        outcome = "kept" if came else slot["status"] if slot["status"] in ("noshow", "cancelled") else fate
        words = d.keys(exam | {"device": slot["device"]}, d.local(slot["facility"], slot["slot_at"]))
        yield words, slot, exam, outcome


def slot_outcomes(counted: str, *outcomes: str) -> Rows:
    """Share of one outcome among some, of the slots that the data have reached."""

    def rows(d: Department) -> Iterator[Row]:
        for words, slot, _, outcome in slots(d):
            if outcome in outcomes and slot["slot_at"] <= d.data_through:
                yield words | {"numerator": float(outcome == counted), "denominator": 1.0}

    return rows


def late_cancel_rate(d: Department) -> Iterator[Row]:
    for words, slot, _, outcome in slots(d):
        if outcome == "unknown" or slot["slot_at"] > d.data_through:
            continue
        late = {"24h": 0.0, "same_day": 0.0, "any": float(outcome == "cancelled")}
        if outcome == "cancelled":
            notice = (slot["slot_at"] - slot["cancelled_at"]).total_seconds() / 3600
            day, slot_day = (d.local(slot["facility"], slot[name]).date() for name in ("cancelled_at", "slot_at"))
            late |= {"24h": float(notice < 24), "same_day": float(day >= slot_day)}
        yield words | {"numerator": late, "denominator": 1.0}


def third_next_available(d: Department) -> Iterator[Row]:
    """Days from each staffed day to the third slot that the bookings known by then leave of a usual day."""
    slots_of: dict[str, list[tuple[date, date, date | None]]] = defaultdict(list)  # day, told on, cancelled on
    for _, slot, _, outcome in slots(d):
        at = (slot["slot_at"], slot["slot_told_at"], slot["cancelled_at"] if outcome == "cancelled" else None)
        day, told, cancelled = (None if a is None else d.local(slot["facility"], a).date() for a in at)
        slots_of[slot["device"]].append((day, told, cancelled))
    hours = {(row["device"], int(row["weekday"])) for row in d.site("staffing.csv")}
    for device, booked in slots_of.items():
        kept = Counter(day for day, _, cancelled in booked if cancelled is None)
        staffed = sorted({block.day for block in d.blocks if block.device == device})
        if len(kept) < 20 or not staffed:
            continue
        usual = sorted(kept.values())[ceil(0.9 * len(kept)) - 1]
        first = min(told for _, told, cancelled in booked if cancelled is None) + timedelta(days=28)
        later = (staffed[-1] + timedelta(days=n) for n in range(1, 61))
        open_days = [*staffed, *(day for day in later if (device, day.isoweekday()) in hours)]
        for today in (day for day in staffed if day >= first):
            free, value = 0, None
            for day in (day for day in open_days if today <= day <= today + timedelta(days=60)):
                taken = sum(
                    slot == day and told < today and (cancelled is None or cancelled >= today)
                    for slot, told, cancelled in booked
                )
                free += max(usual - taken, 0)
                if free >= 3:
                    value = float((day - today).days)
                    break
            yield d.keys(d.devices[device], datetime.combine(today, time.min)) | {"value": value}


def scheduled_vs_performed(d: Department) -> Iterator[Row]:
    quarter = timedelta(minutes=15)
    for words, slot, exam, _ in slots(d):
        started, length = exam["exam_started_at"], minutes(exam["exam_started_at"], exam["exam_ended_at"])
        if exam["is_countable"] and started is not None:
            yield words | {
                "numerator": {
                    "late": float(started - slot["slot_at"] > quarter),
                    "early": float(slot["slot_at"] - started > quarter),
                    "moved": float(exam["device"] != slot["device"]),
                    "longer": float(length > slot["duration_min"]) if length >= 0 else None,
                },
                "denominator": 1.0,
            }


#: CID 9300 reason -> its kind; any other is `other`.
REASONS = {"110501": "equipment", "110504": "patient", "110505": "patient", "110510": "order", "110515": "patient"}


def discontinued_rate(d: Department) -> Iterator[Row]:
    for exam in d.exams:
        if exam["exam_started_at"] is None:
            continue
        kind = REASONS.get(exam["discontinued_reason"], "other") if exam["is_discontinued"] else ""
        kinds = {name: float(kind == name) for name in ("equipment", "patient", "order", "other")}
        words = d.keys(exam, d.local(exam["facility"], exam["exam_started_at"]))
        yield words | {"numerator": kinds | {"all": float(exam["is_discontinued"])}, "denominator": 1.0}


ROWS: dict[str, Rows] = {
    "overtime": overtime,
    "unused_capacity": unused_capacity,
    "downtime": downtime,
    "exams_per_session": exams_per_session,
    "late_cancel_rate": late_cancel_rate,
    "third_next_available": third_next_available,
    "slot_fill": slot_outcomes("kept", "kept", "noshow", "cancelled"),
    "no_show_rate": slot_outcomes("noshow", "kept", "noshow"),
    "scheduled_vs_performed": scheduled_vs_performed,
    "discontinued_rate": discontinued_rate,
}
