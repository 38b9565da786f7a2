"""Exams to the rows of metrics, from the definitions in words.

Not computed: what images, device clocks, charges, outside images and critical results tell, of which no message here
speaks; what takes months of data (downtime, third_next_available, forecasts, local_minutes); for want of room backlog,
queue_fairness, freshness, label_consistency, message_defects. Metrics of a device's hours are in test_days.py.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from tests.oracle.clock import minutes, to_wall
from tests.oracle.exams import DURATIONS, SOURCES, Exam, fold
from tests.oracle.facts import Fact, Site

DAY, HOUR, NEVER = timedelta(days=1), timedelta(hours=1), 1000.0


def joined(spans: list[Exam], bridge: timedelta) -> list[Exam]:
    """Spans (`begin`, `end`) of one owner (`whose`) at most `bridge` apart as one, with their number `n`."""
    found: list[Exam] = []
    for one in sorted(spans, key=itemgetter("whose", "begin", "end", "facility")):
        if found and found[-1]["whose"] == one["whose"] and one["begin"] <= found[-1]["end"] + bridge:
            found[-1] |= {"end": max(found[-1]["end"], one["end"]), "n": found[-1]["n"] + 1}
        else:
            found.append({**one, "n": 1})
    return found


def is_comparable(e: Exam) -> bool:
    return bool(e["is_countable"] and e["exam_started_at"] and e["region"] and e["patient"])


def repeats(exams: list[Exam]) -> Iterator[tuple[Exam, list[Exam], float]]:
    """(exam, priors, days): exams that count, within 90 days after the latest earlier one of the same kind."""
    kinds: dict[tuple[object, ...], list[Exam]] = defaultdict(list)
    for exam in filter(is_comparable, exams):
        kinds[tuple(exam[k] for k in ("patient", "modality", "region", "laterality", "contrast"))].append(exam)
    for same in kinds.values():
        for exam in same:
            earlier = [e["exam_started_at"] for e in same if e["exam_started_at"] < exam["exam_started_at"]]
            if earlier and exam["exam_started_at"] - max(earlier) <= 90 * DAY:
                priors = [e for e in same if e["exam_started_at"] == max(earlier)]
                yield exam, priors, (exam["exam_started_at"] - max(earlier)) / DAY


def reads(e: Exam) -> Iterator[Exam]:
    """First final report of its interpreter, first preliminary one of the assistant, each with its reader's begin."""
    final, prelim, begun = e["first_final_at"], e["first_prelim_at"], e["read_started_at"]
    is_helped = (
        e["assistant"] not in (None, e["radiologist"]) and prelim and final and begun and begun <= prelim < final
    )
    for role, whose, at in (("final", e["radiologist"], final), ("preliminary", e["assistant"], prelim)):
        if whose and at:
            is_own = begun and begun <= at and not (role == "final" and is_helped)
            yield {**e, "role": role, "whose": whose, "begin": begun if is_own else at - HOUR / 6, "end": at}


def slot(e: Exam, s: Exam, booked: str | None, through: datetime) -> Exam:
    """What became of a slot (the exam's own fate is that of the slot last told), and how the exam went against it."""
    at, begun, gone = s["slot_at"], e["exam_started_at"], s["gone_at"] or e["cancelled_at"]
    is_last, state, length = s is e["slots"][-1], s["state"], e["exam_duration_min"]
    came = state in ("arrived", "complete") or (is_last and state != "deleted" and (e["arrived_at"] or begun))
    fate = next((word for word in ("cancelled", "no_show") if is_last and e[f"is_{word}"]), None)
    told = {"cancelled": "cancelled", "no_show": "no_show", "deleted": None}.get(state, fate)
    is_gone = (outcome := "kept" if came else told) and outcome == "cancelled"
    known, local = None if is_gone and not gone else is_gone, to_wall(at, e["zone"])
    return {
        **e, "device": booked or e["device"], "local": local, "outcome": outcome, "any": is_gone,
        "24h": known and gone > at - DAY, "same_day": known and to_wall(gone, e["zone"]).date() >= local.date(),
        "late": begun and begun - at > HOUR / 4, "early": begun and at - begun > HOUR / 4, "has_begun": bool(begun),
        "moved": e["device"] != booked if booked and e["device"] else None, "is_reached": at <= through,
        "longer": length > s["length"] if s["length"] and length is not None and length >= 0 else None,
    }  # fmt: skip


class Department:
    """What the facts come to at the data cut-off: dicts of exams, reads, stretches of reading, slots and sessions."""

    def __init__(self, facts: list[Fact], site: Site, loaded_at: datetime) -> None:
        events = [f for f in facts if f.kind == "event" and f.at]
        self.through = max(f.at for f in events if f.at <= min(f.sent_at or f.at, loaded_at) + DAY)
        self.exams = fold(facts, site)
        again = {id(e): (priors, days) for e, priors, days in repeats(self.exams)}
        for e in self.exams:
            priors, e["again"] = again.get(id(e), ([], NEVER))
            e["elsewhere"] = NEVER if any(p["facility"] == e["facility"] for p in priors) else e["again"]
            e["limit"] = site.target(e, e["exam_ended_local"].date()) if e["exam_ended_local"] else None
            e["so_far"] = minutes(e["exam_ended_at"], e["first_final_at"] or self.through)
            e["is_booked"] = e["patient_class"] == "outpatient" and e["scheduled_at"] is not None
        self.reads = [{**r, "local": (local := to_wall(r["end"], r["zone"])), "is_after_hours": site.shift(local)[0]}
                      for e in self.exams for r in reads(e)]  # fmt: skip
        stretches = joined(self.reads, HOUR / 2 - timedelta.resolution)  # a pause of half an hour is one
        self.stretches = [{**s, "local": to_wall(s["begin"], s["zone"])} for s in stretches]
        self.slots = [slot(e, s, site.devices.get((e["facility"], s["station"])), self.through)
                      for e in self.exams for s in e["slots"] if s["slot_at"]]  # fmt: skip
        timed = [e for e in self.exams if e["device"] and 0 < (e["exam_duration_min"] or 0) <= 1440]
        self.sessions = joined([{**e, "whose": (e["device"], str(e["patient"] or id(e))), "begin": e["exam_started_at"],
                                 "end": e["exam_ended_at"], "local": e["exam_started_local"]} for e in timed],
                               0 * HOUR)  # fmt: skip


def is_(**words: object) -> Callable[[Exam], bool]:
    return lambda one: all(one[name] == value for name, value in words.items())


END, START = "exam_ended_local", "exam_started_local exam_ended_local"
COUNTS, EMERGENCY = is_(is_countable=True), is_(is_countable=True, patient_class="emergency")
EXAM, BEGUN = ("exams", END, COUNTS), ("exams", "exam_started_local", itemgetter("exam_started_at"))
READ, SLOT = ("reads", "local", is_(role="final")), ("slots", "local", itemgetter("is_reached"))
LINKED = ("exams", "exam_ended_local exam_started_local ordered_local first_final_local")
SEVEN = [f"{name}_min" for name in list(DURATIONS)[:7]]
#: Of durations: anchors and who takes part, where it is not the end of exams that count.
APART = {"order_to_exam": (START, is_(is_countable=True, is_booked=False)), "wait": (START, COUNTS),
         "schedule_lag": ("scheduled_local", is_(is_countable=True, is_booked=True)),
         "door_to_read": (END, EMERGENCY), "arrival_to_final": (END, EMERGENCY)}  # fmt: skip
#: Metric and statistic -> what it looks at; anchors, of which the first known holds; who takes part; value: a number,
#: None where it is not known, (numerator, denominator, n), or a number for each part.
TABLE: dict[str, tuple[str, str, Callable[[Exam], Any], Callable[[Exam], Any]]] = {
    **{name: ("exams", *APART.get(name, (END, COUNTS)), itemgetter(f"{name}_min")) for name in DURATIONS},
    "volume": (*EXAM, lambda _: 1), "unmapped_codes": (*EXAM, is_(region=None)),
    "within_target": ("exams", END, lambda e: e["is_countable"] and e["limit"], lambda e: e["so_far"] <= e["limit"]
                      if e["so_far"] >= 0 and (e["first_final_at"] or e["so_far"] > e["limit"]) else None),
    "negative_intervals": (*EXAM, lambda e: {n: e[n] < 0 for n in SEVEN if e[n] is not None}),
    "timestamp_completeness": (*EXAM, lambda e: {name: bool(e[f"{name}_at"]) for name in SOURCES}),
    "link_rate:orders": (*LINKED, lambda e: e["has_order"] and e["exam_ended_at"], lambda _: 0),
    "link_rate:reports": (*LINKED, itemgetter("has_report"), lambda _: 0),
    **{f"{metric}:{n}d": ("exams", START, is_comparable, lambda e, n=n, days=days: e[days] <= n) for n in (7, 30, 90)
       for metric, days in (("repeat_exam_rate", "again"), ("duplicate_across_facilities", "elsewhere"))},
    "declared_repeat:necessary": (*BEGUN, lambda e: bool(e["repeats"])),
    "declared_repeat:unfound": (*BEGUN, lambda e: e["again"] == NEVER and e["region"] and 1 if e["repeats"] else 0),
    "discontinued_rate:all": (*BEGUN, itemgetter("is_discontinued")),
    "reads:final": (*READ, lambda _: 1), "reads:preliminary": ("reads", "local", is_(role="preliminary"), lambda _: 1),
    "share_after_hours": (*READ, itemgetter("is_after_hours")), "share_stat": (*READ, is_(priority="stat")),
    **{f"addendum_rate:{name}": (*READ, lambda r, keys=keys: any(r[key] for key in keys.split())) for name, keys in (
       ("addendum", "n_addenda"), ("corrected", "n_corrections"), ("any", "n_addenda n_corrections"))},
    "reads_per_hour": ("stretches", "local", bool, lambda s: (s["n"], (s["end"] - s["begin"]) / HOUR, s["n"])),
    "exams_per_session": ("sessions", "local", bool, lambda s: (s["n"], 1, 1)),
    "slot_fill": (*SLOT, lambda s: s["outcome"] and s["outcome"] == "kept"),
    "no_show_rate": (*SLOT, lambda s: s["outcome"] == "no_show" if s["outcome"] in ("kept", "no_show") else None),
    **{f"late_cancel_rate:{name}": (*SLOT, itemgetter(name)) for name in ("24h", "same_day", "any")},
    **{f"scheduled_vs_performed:{name}": ("slots", "local", is_(is_countable=True, has_begun=True), itemgetter(name))
       for name in ("late", "early", "moved", "longer")},
}  # fmt: skip
