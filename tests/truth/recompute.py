"""Every first metric recomputed in plain Python from the simulator's truth.

`ROWS[metric](department)` yields row-level facts: the grouping words, `local` (the wall clock that places the row in a
period) and `value` for percentiles, or `numerator` and `denominator` (by statistic where there are several) and `n`.
`statistics.py` makes the metrics' answer of them. Definitions are written anew here from the words of the
metric headers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

from tests.truth.department import Department, Row, meeting, merged, minutes, overlap_min

Rows = Callable[[Department], Iterator[Row]]
HOUR = timedelta(hours=1)
MILESTONES = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_prelim", "first_final")


def interval(start: str, stop: str, anchor: str, keep: Callable[[Row], bool] = lambda _: True) -> Rows:
    """Rows of a turnaround: exams that count with the interval in minutes, None where an end is missing or before."""

    def rows(d: Department) -> Iterator[Row]:
        for exam in filter(keep, d.countable):
            length = minutes(exam[start], exam[stop])
            words = d.keys(exam, d.local(exam["facility"], exam[anchor] or exam["exam_ended_at"]))
            yield words | {"value": length if length is not None and length >= 0 else None}

    return rows


def first_read(d: Department) -> Iterator[Row]:
    for exam in d.countable:
        reads = [at for at in (exam["first_prelim_at"], exam["first_final_at"]) if at is not None]
        length = minutes(exam["exam_ended_at"], min(reads, default=None))
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"value": length if length is not None and length >= 0 else None}


def target_of(d: Department, exam: Row, metric: str = "report_final") -> float | None:
    """The most specific target of a metric for an exam, minutes."""
    columns = ("facility", "modality", "priority", "patient_class")
    fitting = [
        row
        for row in d.site("targets.csv")
        if row["metric"] == metric and all(row[c] in ("", "*", exam[c]) for c in columns)
    ]
    if not fitting:
        return None
    best = max(fitting, key=lambda row: sum(row[c] not in ("", "*") for c in columns))
    return float(best["target"]) * {"min": 1, "h": 60, "d": 1440}[best["unit"]]


def within_target(d: Department) -> Iterator[Row]:
    """A report that is missing although its target has passed is a miss; one that runs backwards says nothing."""
    for exam in d.countable:
        target = target_of(d, exam)
        waited = minutes(exam["exam_ended_at"], exam["first_final_at"] or d.data_through)
        if target is None or waited < 0 or (exam["first_final_at"] is None and waited <= target):
            continue
        words = d.keys(exam, d.local(exam["facility"], exam["exam_ended_at"]))
        yield words | {"numerator": float(exam["first_final_at"] is not None and waited <= target), "denominator": 1.0}


def backlog(d: Department, period: Callable[[datetime], object]) -> Iterator[Row]:
    """Waiting exams at the last full hour of each period, by the facility's wall clock.

    A group that waited at an earlier hour of the period only has none.
    """
    for facility in {e["facility"] for e in d.countable}:
        exams = [e for e in d.countable if e["facility"] == facility]
        hour = min(e["exam_ended_at"] for e in exams).replace(minute=0, second=0)
        last_of: dict[object, datetime] = {}
        while hour <= d.data_through:
            last_of[period(d.local(facility, hour))] = hour
            hour += HOUR
        for at in last_of.values():
            for exam in exams:
                ended, final = exam["exam_ended_at"], exam["first_final_at"]
                if ended > at or (final is not None and final <= at):
                    continue
                target = target_of(d, exam)
                is_past = target is not None and minutes(ended, at) > target
                numerator = {"waiting": 1.0, "past_target": float(is_past), "wrvu": exam["wrvu"] or 0.0}
                yield d.keys(exam, d.local(facility, at)) | {"numerator": numerator, "denominator": 1.0}
        yield from none_waiting(d, exams, period)


def none_waiting(d: Department, exams: list[Row], period: Callable[[datetime], object]) -> Iterator[Row]:
    """A row of nothing for each exam and period in which it waited at a full hour, the later one of a repeated hour."""
    nothing = {"numerator": dict.fromkeys(("waiting", "past_target", "wrvu"), 0.0), "denominator": 0.0, "n": 0}
    for exam in exams:
        facility, seen = exam["facility"], set()
        hour = exam["exam_ended_at"].replace(minute=0, second=0)
        hour += HOUR if hour < exam["exam_ended_at"] else timedelta()
        while hour <= d.data_through and (exam["first_final_at"] is None or hour < exam["first_final_at"]):
            local = d.local(facility, hour)
            is_repeated = hour + HOUR <= d.data_through and d.local(facility, hour + HOUR) == local
            if not is_repeated and period(local) not in seen:
                seen.add(period(local))
                yield d.keys(exam, local) | nothing
            hour += HOUR


DeviceHour = tuple[Row, datetime, float, float, float, float]


@cache
def device_hours(d: Department) -> list[DeviceHour]:
    """(device's words, hour, minutes observed, staffed, busy, busy while staffed) from the device's first local day.

    Six metrics read them: they are worked out once a department.
    """
    return list(_device_hours(d))


def _device_hours(d: Department) -> Iterator[DeviceHour]:
    for device, day in d.first_day.items():
        facts = d.devices[device]
        hour = d.utc(facts["facility"], datetime(day.year, day.month, day.day))
        blocks = [(b.opens_at, b.closes_at) for b in d.blocks if b.device == device]
        while hour < d.data_through:
            whole = (hour, hour + HOUR)
            staffed = [(max(a, hour), min(b, whole[1])) for a, b in meeting(whole, blocks)]
            busy = meeting(whole, d.busy.get(device, []))
            yield (
                d.keys(facts, d.local(facts["facility"], hour)),
                hour,
                overlap_min(whole, (hour, d.data_through)),
                sum(overlap_min(s, s) for s in staffed),
                sum(overlap_min(b, whole) for b in busy),
                sum(overlap_min(b, s) for b in busy for s in staffed),
            )
            hour += HOUR


def utilization(d: Department) -> Iterator[Row]:
    for words, _, _, staffed, _, both in device_hours(d):
        if staffed:
            yield words | {"numerator": both, "denominator": staffed}


def occupancy_by_hour(d: Department) -> Iterator[Row]:
    for words, _, observed, _, busy, _ in device_hours(d):
        yield words | {"numerator": busy, "denominator": observed}


def throughput(d: Department) -> Iterator[Row]:
    begun: dict[tuple[str, datetime], int] = defaultdict(int)
    for exam in d.countable:
        at, device = exam["exam_started_at"], exam["device"]
        if at is not None and any(b.device == device and b.opens_at <= at < b.closes_at for b in d.blocks):
            begun[device, at.replace(minute=0, second=0)] += 1
    for words, hour, _, staffed, _, _ in device_hours(d):
        if staffed:
            n = begun.get((words["device"], hour), 0)
            yield words | {"numerator": n, "denominator": staffed / 60, "n": n}


def turnover(d: Department) -> Iterator[Row]:
    for device, sessions in d.sessions.items():
        blocks = [b for b in d.blocks if b.device == device]
        busy_until = sessions[0]["ended_at"]
        for _, after in pairwise(sessions):
            gap = minutes(busy_until, after["started_at"])
            is_same_block = any(b.opens_at <= busy_until and after["started_at"] <= b.closes_at for b in blocks)
            if 0 <= gap <= 60 and is_same_block:
                yield d.keys(after, d.local(after["facility"], after["started_at"])) | {"value": gap}
            busy_until = max(busy_until, after["ended_at"])


def first_case_on_time(d: Department) -> Iterator[Row]:
    opens: dict[tuple[str, object], datetime] = {}
    for block in d.blocks:
        key = (block.device, block.day)
        opens[key] = min(block.opens_local, opens.get(key, block.opens_local))
    for (device, day), open_at in opens.items():
        facts = d.devices[device]
        begins = [d.local(facts["facility"], s["started_at"]) for s in d.sessions.get(device, [])]
        of_day = [b for b in begins if b.date() == day and b >= open_at - HOUR]
        if of_day:
            is_late = min(of_day) > open_at + timedelta(minutes=15)
            yield d.keys(facts, open_at) | {"numerator": float(not is_late), "denominator": 1.0}


def reject_rate(d: Department) -> Iterator[Row]:
    """Images of devices that tell of rejects, with the words of their exam."""
    images = d.truth("image")
    reporting = {image["device"] for image in images if image["is_rejected"]}
    for image in images:
        if image["device"] in reporting:
            exam = d.exam_of[image["facility"], image["accession"]]
            day = d.local(image["facility"], image["at"]).replace(hour=0, minute=0, second=0)
            words = d.keys(exam | image, day)
            yield words | {"numerator": float(image["is_rejected"]), "denominator": 1.0}


def repeats(*kinds: str) -> Rows:
    """Share of exams that repeat an earlier one within 7, 30 or 90 days, among those that can be compared."""

    def rows(d: Department) -> Iterator[Row]:
        days = {(r["facility"], r["accession"]): r["days"] for r in d.truth("repeat") if r["kind"] in kinds}
        for exam in d.countable:
            if exam["exam_started_at"] is None or exam["region"] is None:
                continue
            since = days.get((exam["facility"], exam["accession"]), 1000)
            words = d.keys(exam, d.local(exam["facility"], exam["exam_started_at"]))
            yield words | {"numerator": {f"{w}d": float(since <= w) for w in (7, 30, 90)}, "denominator": 1.0}

    return rows


def prior_availability(d: Department) -> Iterator[Row]:
    for case in d.truth("prior_case"):
        exam = d.exam_of[case["facility"], case["accession"]]
        words = d.keys(exam | case, d.local(case["facility"], case["declared_at"]))
        yield words | {"numerator": float(case["is_repeated"]), "denominator": 1.0}


def reads(value: Callable[[Department, Row, bool], object], roles: tuple[str, ...] = ("final",)) -> Rows:
    """One row a read of a role, counted by `value(department, read, is_after_hours)`; None counts nothing."""

    def rows(d: Department) -> Iterator[Row]:
        for read in d.truth("read"):
            exam = d.exam_of[read["facility"], read["accession"]]
            local = d.local(read["facility"], read["read_at"])
            numerator = value(d, read, d.shift_of(local)[1])
            if read["role"] in roles and numerator is not None:
                words = d.keys(exam, local) | {"radiologist": read["interpreter"]}
                yield words | {"numerator": numerator, "denominator": 1.0}

    return rows


def reading_intervals(d: Department) -> dict[str, list[tuple[datetime, datetime, str]]]:
    """(start, end, facility) of every read by reader; a start that another reader's preliminary used is not known."""
    found: dict[str, list[tuple[datetime, datetime, str]]] = defaultdict(list)
    for read in d.truth("read"):
        exam = d.exam_of[read["facility"], read["accession"]]
        start, end, prelim_at = read["read_started_at"], read["read_at"], exam["first_prelim_at"]
        is_final_after_other = (
            read["role"] == "final"
            and exam["assistant"] not in (None, read["interpreter"])
            and start is not None
            and prelim_at is not None
            and start <= prelim_at < end
        )
        if start is None or start > end or is_final_after_other:
            start = end - timedelta(minutes=10)
        found[read["interpreter"]].append((start, end, read["facility"]))
    return found


def reads_per_hour(d: Department) -> Iterator[Row]:
    """Stretches of reading, gaps under 30 minutes bridged; a stretch counts where and when it began."""
    for reader, intervals in reading_intervals(d).items():
        for start, end in merged([(a, b) for a, b, _ in intervals], timedelta(minutes=30)):
            inside = sorted(i for i in intervals if start <= i[0] <= i[1] <= end)
            words = d.keys({"radiologist": reader, "facility": inside[0][2]}, d.local(inside[0][2], start))
            yield words | {"numerator": len(inside), "denominator": minutes(start, end) / 60, "n": len(inside)}


def day_of(d: Department, facility: str, *instants: datetime | None) -> datetime | None:
    """Midnight of the local day of the first instant that is known."""
    known = [at for at in instants if at is not None]
    local = d.local(facility, known[0]) if known else None
    return local.replace(hour=0, minute=0, second=0) if local else None


def link_rate(d: Department) -> Iterator[Row]:
    for exam in d.exams:
        times = (exam[c] for c in ("exam_ended_at", "exam_started_at", "ordered_at", "first_final_at"))
        day = day_of(d, exam["facility"], *times)
        if day is None:
            continue
        is_performed = exam["has_order"] and exam["exam_ended_at"] is not None
        has_both = exam["has_order"] and exam["has_study"]
        yield d.keys(exam, day) | {
            "numerator": {
                "orders": float(is_performed and exam["has_study"]),
                "studies": float(has_both),
                "reports": float(has_both and exam["has_report"]),
            },
            "denominator": {
                "orders": float(is_performed),
                "studies": float(exam["has_study"]),
                "reports": float(exam["has_report"]),
            },
        }


def timestamp_completeness(d: Department) -> Iterator[Row]:
    for exam in d.countable:
        words = d.keys(exam, day_of(d, exam["facility"], exam["exam_ended_at"]))
        for milestone in MILESTONES:
            is_known = exam[f"{milestone}_at"] is not None
            yield words | {"milestone": milestone, "numerator": float(is_known), "denominator": 1.0}


def freshness(d: Department) -> Iterator[Row]:
    """Hours from each sender's last event to the end of the data."""
    for sender in d.truth("sender"):
        source, last_at = sender["source"], sender["last_at"]
        standard = "fhir" if source.startswith("https:") else "hl7" if "@" in source else "dicom"
        yield sender | {"standard": standard, "local": last_at, "value": minutes(last_at, d.data_through) / 60}


def is_scheduled_outpatient(exam: Row) -> bool:
    return exam["patient_class"] == "outpatient" and exam["scheduled_at"] is not None


ROWS: dict[str, Rows] = {
    "order_to_exam": interval(
        "ordered_at", "exam_started_at", "exam_started_at", lambda e: not is_scheduled_outpatient(e)
    ),
    "wait": interval("arrived_at", "exam_started_at", "exam_started_at"),
    "exam_duration": interval("exam_started_at", "exam_ended_at", "exam_ended_at"),
    "report_final": interval("exam_ended_at", "first_final_at", "exam_ended_at"),
    "first_read": first_read,
    "within_target": within_target,
    "utilization": utilization,
    "occupancy_by_hour": occupancy_by_hour,
    "turnover": turnover,
    "throughput": throughput,
    "first_case_on_time": first_case_on_time,
    "reject_rate": reject_rate,
    "repeat_exam_rate": repeats("repeat", "duplicate"),
    "duplicate_across_facilities": repeats("duplicate"),
    "prior_availability": prior_availability,
    "reads": reads(lambda _d, read, _a: {read["role"]: 1.0}, ("final", "preliminary")),
    "wrvu": reads(lambda _d, read, _a: read["wrvu"]),
    "reads_per_hour": reads_per_hour,
    "share_after_hours": reads(lambda _d, _r, after: float(after)),
    "link_rate": link_rate,
    "timestamp_completeness": timestamp_completeness,
    "freshness": freshness,
}
