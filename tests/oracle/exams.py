"""Facts to exams: who is who, which facts speak of one exam, when its milestones were, and what became of it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise, takewhile
from typing import Any

from tests.oracle.clock import minutes, to_wall
from tests.oracle.facts import ATTRIBUTES, NOBODY, REPORTED, Fact, Node, Person, Site

Exam = dict[str, Any]
Link = tuple[Node, Person]
SLOT = ("slot_at", "state", "station", "length")
REASONS = ("cancelled", "no_show", "discontinued", "not_performed", "unlinked_facility")
REOPENS = {"ordered", "scheduled", "rescheduled", "arrived", "protocoled", "exam_started"}

#: Milestone -> its events, best evidence first: event codes, origin ('' any), first or last in time.
#: HL7 alone knows no MPPS and no images; a report's own fields are the weakest word on the exam.
#: A correction or an addendum proves a final report that was lost: it was signed by then at the latest.
PROOF = ("corrected_report addendum", "", min)
MILESTONES: dict[str, list[tuple[str, str, Callable[..., datetime]]]] = {
    "ordered_at": [("ordered", "order", min)], "booked_at": [("scheduled", "schedule", min), ("scheduled", "", min)],
    "arrived_at": [("arrived", "ris", min), ("arrived", "schedule", min)], "protocoled_at": [("protocoled", "", min)],
    "exam_started_at": [("exam_started", "ris", min), ("exam_started", "report", min)],
    "exam_ended_at": [("exam_ended", "ris", max), ("exam_ended", "report", max)],
    "images_available_at": [("images_available", "", min)], "read_started_at": [("read_started", "", min)],
    "first_prelim_at": [("preliminary_report", "", min)], "last_prelim_at": [("preliminary_report", "", max)],
    "first_final_at": [("final_report", "", min), PROOF], "last_final_at": [("final_report", "", max), PROOF],
    "cancelled_at": [("cancelled", "", max)],
}  # fmt: skip
SOURCES = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_prelim", "first_final")
LOCAL = ("ordered", "scheduled", "arrived", "exam_started", "exam_ended", "first_final")
DURATIONS = {name: (start, stop) for name, start, stop in (words.split() for words in """
order_to_exam ordered exam_started / wait arrived exam_started / exam_duration exam_started exam_ended / report_prelim
exam_ended first_prelim / report_final exam_ended first_final / read_final images_available first_final /
prelim_to_final first_prelim first_final / first_read exam_ended first_read / order_to_final ordered first_final
/ arrival_to_final arrived first_final / image_availability exam_ended images_available / door_to_read door first_read
/ time_to_read exam_ended read_started / schedule_lag ordered scheduled""".split("/"))}  # noqa: SIM905  # fmt: skip
PRIORITY = {"S": "stat", "T": "stat", "STAT": "stat", "A": "urgent", "P": "urgent", "ASAP": "urgent"}
CLASS, WEIGHT = {"E": "emergency", "I": "inpatient"}, {"booking": 1, "report": 2, "order": 3}


class Sets:
    """Connected sets: whoever is joined has the same `root`, the least of them."""

    def __init__(self) -> None:
        self.parent: dict[Any, Any] = {}

    def root(self, one: Any) -> Any:
        while self.parent.setdefault(one, one) != one:
            one = self.parent[one]
        return one

    def join(self, members: Iterable[Any]) -> None:
        for pair in pairwise(members):
            low, high = sorted(self.root(one) for one in pair)
            self.parent[high] = low


def people(facts: list[Fact]) -> Sets:
    """Identifiers of one patient: a pair's last word counts, an unlink wins a tie, what was sent together stays."""
    words: dict[frozenset[Person], list[tuple[bool, datetime, bool]]] = defaultdict(list)
    for f in (f for f in facts if f.kind == "link"):
        said_at = f.at or f.sent_at or datetime.min
        words[frozenset(f.said["pair"])].append((f.code == "same", said_at, f.code == "unlink"))
    joined = Sets()
    for pair, said in words.items():
        joined.join(sorted(pair) if not max(said)[2] else ())
    return joined


def gathered(facts: list[Fact], patients: Sets) -> list[list[Fact]]:
    """The facts of each exam. Identifiers mentioned together belong together, unless they were used for two.

    An identifier of two patients ties each one's facts only, one of several accessions (a group number) ties nothing.
    Exams of one study are one, unless they have accession numbers of their own: then they were read together.
    """
    owners: dict[tuple[Node, str], set[Person]] = defaultdict(set)
    accessions: dict[Node, set[Node]] = defaultdict(set)
    for fact in facts:
        for node in fact.nodes:
            accessions[node] |= {other for other in fact.nodes if other[0] == "accession"}
            owners[node, fact.person[0]] |= {patients.root(fact.person)} if fact.person[0] else set()
    reused = {node for (node, _), found in owners.items() if len(found) > 1}
    exams, studies, named = Sets(), defaultdict(set), defaultdict(set)
    tied: list[tuple[Link, Fact]] = []
    for fact in facts:
        usable = sorted(node for node in fact.nodes if fact.person[0] or node not in reused)
        usable = [n for n in usable if n[0] in ("accession", "study") or len(accessions[n]) < 2]
        links = [(n, patients.root(fact.person) if n in reused else NOBODY) for n in usable]
        own = [link for link in links if link[0][0] != "study"]
        exams.join(own)
        tied += [(link, fact) for link in (own or links)[:1]]
        for link in links:
            studies[link] |= {(own or links)[0]} if link[0][0] == "study" else set()
    for (kind, _, value), who in list(exams.parent):
        if kind == "accession":
            named[exams.root(((kind, _, value), who))].add((value, who))
    for members in studies.values():
        if len(set().union(*(named[exams.root(m)] for m in members))) < 2:
            exams.join(members)
    found: dict[Link, list[Fact]] = defaultdict(list)
    for link, fact in tied:
        found[exams.root(link)].append(fact)
    return list(found.values())


def _described(facts: list[Fact]) -> Exam:
    """The last word on each attribute, orders before reports before bookings; '' deletes."""
    told = [f for f in facts if f.kind in WEIGHT]
    told.sort(key=lambda f: (WEIGHT[f.kind], f.sent_at or datetime.min, f.source, f.message))
    return {n: next((f.said[n] for f in told[::-1] if f.said.get(n) is not None), None) or None for n in ATTRIBUTES}


def _milestones(events: list[Fact]) -> Exam:
    exam: Exam = {}
    for milestone, evidence in MILESTONES.items():
        told = [(rank, e.at, e.origin) for rank, (codes, origin, _) in enumerate(evidence) for e in events
                if e.at and e.code in codes.split() and origin in ("", e.origin)]  # fmt: skip
        best = min((rank for rank, *_ in told), default=0)
        exam[milestone] = at = evidence[best][2]((at for rank, at, _ in told if rank == best), default=None)
        exam[f"{milestone[:-3]}_source"] = min((o for *found, o in told if found == [best, at]), default=None)
    return exam


def _slot(events: list[Fact]) -> datetime | None:
    """The slot last told, by the scheduling system if it told any."""
    told = [e for e in events if e.code in ("scheduled", "rescheduled") and e.said.get("slot") and e.at]
    told = [e for e in told if e.origin == "schedule"] or told
    last = max((e.at for e in told if e.at), default=None)
    return max((e.said["slot"] for e in told if e.at == last), default=None)


def _fate(events: list[Fact]) -> Exam:
    """What became of it: cancelled or missed if nothing opened it again later, and never once it was performed.

    A word without an instant was said by its message. Replacing cancels and orders at one instant: the exam goes on.
    """

    def last(*codes: str, origin: str = "", new: bool = False) -> datetime:
        told = (e for e in events if e.code in codes and origin in ("", e.origin) and (e.said.get("is_new") or not new))
        return max((at for e in told if (at := e.at or e.sent_at)), default=datetime.min)

    done = any(e.code in {*REPORTED.values(), "exam_ended"} for e in events)
    opened, never, replaced = last(*REOPENS), datetime.min, last("ordered", new=True)
    return {
        "is_cancelled": not done and never < last("cancelled") >= opened and last("cancelled") != replaced,
        "is_no_show": not done and never < last("no_show") >= opened,
        "is_discontinued": never < last("discontinued") >= last("exam_ended", origin="ris"),
    }


def _reading(facts: list[Fact]) -> Exam:
    """Who signed first, and versions after it by their times: a version sent twice is one."""
    said = [(f.said["status"], f.at or f.sent_at or datetime.max, f) for f in facts if f.kind == "report"]
    said.sort(key=lambda r: (r[0] != "final", r[1], r[2].sent_at or datetime.max, r[2].source, r[2].message))
    signed = (f.said["reader"] for status, _, f in said if status in ("final", "corrected", "addendum"))
    helped = next((f.said["assistant"] for *_, f in said if f.said["assistant"]), None)
    n = {word: len({at for status, at, _ in said if status == word}) for word in ("addendum", "corrected")}
    return {"radiologist": next((r for r in signed if r), None), "has_report": any(s[0] != "cancelled" for s in said),
            "assistant": helped, "n_addenda": n["addendum"], "n_corrections": n["corrected"]}  # fmt: skip


def _slots(facts: list[Fact]) -> list[Exam]:
    """The last word on each appointment, in order of it; `gone_at`: the first cancel that only cancels follow."""
    told: dict[Node, list[Fact]] = defaultdict(list)
    for f in sorted((f for f in facts if f.kind == "booking"), key=lambda f: (f.sent_at, f.source, f.message)):
        told[next(n for n in f.nodes if n[0] == "appointment")].insert(0, f)
    found = []
    for said in sorted(told.values(), key=lambda said: said[0].sent_at):
        last = {name: next((f.said[name] for f in said if f.said[name]), None) for name in SLOT}
        gone = [f.at for f in takewhile(lambda f: f.said["state"] == "cancelled", said)]
        found.append({**last, "gone_at": min(gone, default=None)})
    return found


def _device(facts: list[Fact], site: Site) -> str | None:
    """The machine that a started or ended exam names, else the one ordered, else the one booked; the latest word."""
    found = []
    for f in (f for f in facts if f.said.get("station")):
        is_on_it = (f.kind, f.origin) == ("event", "ris") and f.code in ("exam_started", "exam_ended")
        rank = 3 if is_on_it else {"order": 2, "booking": 1}.get(f.kind, 0)
        found.append((rank, f.sent_at or datetime.min, site.devices.get((f.facility or "", f.said["station"]))))
    best = max((row[:2] for row in found if row[0]), default=None)
    return min((str(row[2]) for row in found if row[:2] == best), default=None)


def _one(facts: list[Fact], site: Site, patients: Sets, doors: dict[tuple[str, str], datetime]) -> Exam:
    events = [f for f in facts if f.kind == "event"]
    numbers = {(f.facility, node[2]) for f in facts for node in f.nodes if node[0] == "accession"}
    places = sorted(f for f, _ in numbers if f) or sorted({f.facility for f in facts if f.facility})
    exam: Exam = {
        "accession": min((number for _, number in numbers), default=None),
        "facility": places[0] if places else "unmapped",
        "patient": min((patients.root(f.person) for f in facts if f.person[0]), default=None),
        **_described(facts), **_milestones(events), **_fate(events), **_reading(facts), "slots": _slots(facts),
        "scheduled_at": _slot(events), "device": _device(facts, site),
        "has_order": any(f.kind == "order" for f in facts),
        "door_at": min((doors[v] for f in facts if (v := (f.scope, f.visit)) in doors), default=None),
    }  # fmt: skip
    known = site.procedures.get((exam["facility"], exam["procedure_local"]), (None,) * 4)
    exam["modality"], exam["region"], exam["laterality"], exam["contrast"] = exam["modality"] or known[0], *known[1:]
    exam["priority"] = PRIORITY.get((exam["priority"] or "").upper(), "routine")
    exam["patient_class"] = CLASS.get((exam["patient_class"] or "").upper(), "outpatient")
    zone = exam["zone"] = site.zone(exam["facility"])
    for name in LOCAL:
        exam[f"{name}_local"] = to_wall(exam[f"{name}_at"], zone) if exam[f"{name}_at"] else None
    exam["first_read_at"] = min(filter(None, (exam["first_prelim_at"], exam["first_final_at"])), default=None)
    for name, (start, stop) in DURATIONS.items():
        exam[f"{name}_min"] = minutes(exam[f"{start}_at"], exam[f"{stop}_at"])
    exam |= {"is_not_performed": exam["exam_ended_at"] is None, "is_unlinked_facility": exam["facility"] == "unmapped"}
    exam["exclusion_reason"] = next((word for word in REASONS if exam[f"is_{word}"]), None)
    return exam | {"is_countable": exam["exclusion_reason"] is None}


def fold(facts: list[Fact], site: Site) -> list[Exam]:
    """The exams that the facts tell of."""
    patients, doors = people(facts), {}
    for f in facts:
        if f.origin == "adt" and f.visit and f.at:
            doors[f.scope, f.visit] = min(f.at, doors.get((f.scope, f.visit), f.at))
    return [_one(told, site, patients, doors) for told in gathered([f for f in facts if f.nodes], patients)]
