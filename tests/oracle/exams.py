"""Facts to exams: who is who, which facts speak of one exam, when its milestones were, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.oracle.clock import minutes, to_wall
from tests.oracle.facts import NOBODY, Fact, Node, Person, Site

Exam = dict[str, Any]
Link = tuple[Node, Person]
REPORTED = {"preliminary_report", "final_report", "corrected_report", "addendum"}
REOPENS = {"ordered", "scheduled", "rescheduled", "arrived", "protocoled", "exam_started"}

#: Milestone -> its events, best evidence first: event code, origin ('' any), first or last in time.
#: HL7 alone knows no MPPS and no images; a report's own fields are the weakest word on the exam.
MILESTONES: dict[str, list[tuple[str, str, Callable[..., datetime]]]] = {
    "ordered_at": [("ordered", "order", min)],
    "booked_at": [("scheduled", "schedule", min), ("scheduled", "", min)],
    "arrived_at": [("arrived", "ris", min), ("arrived", "schedule", min)],
    "protocoled_at": [("protocoled", "", min)],
    "exam_started_at": [("exam_started", "ris", min), ("exam_started", "report", min)],
    "exam_ended_at": [("exam_ended", "ris", max), ("exam_ended", "report", max)],
    "images_available_at": [("images_available", "", min)],
    "read_started_at": [("read_started", "", min)],
    "first_prelim_at": [("preliminary_report", "", min)],
    "last_prelim_at": [("preliminary_report", "", max)],
    # A correction or an addendum proves a final report that was lost: it was signed by then at the latest.
    "first_final_at": [("final_report", "", min), ("corrected_report addendum", "", min)],
    "last_final_at": [("final_report", "", max), ("corrected_report addendum", "", min)],
    "cancelled_at": [("cancelled", "", max)],
}
SOURCES = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_prelim", "first_final")
LOCAL = ("ordered", "scheduled", "arrived", "exam_started", "exam_ended", "first_final")
DURATIONS = """order_to_exam ordered exam_started / wait arrived exam_started / exam_duration exam_started exam_ended
/ report_prelim exam_ended first_prelim / report_final exam_ended first_final / read_final images_available first_final
/ first_read exam_ended first_read / prelim_to_final first_prelim first_final / order_to_final ordered first_final
/ arrival_to_final arrived first_final"""
PRIORITY = {"S": "stat", "T": "stat", "STAT": "stat", "A": "urgent", "P": "urgent", "ASAP": "urgent"}
CLASS = {"E": "emergency", "I": "inpatient"}
WEIGHT = {"booking": 1, "report": 2, "order": 3}


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
    """Identifiers of one patient under the current links: a pair's last word counts, and an unlink wins a tie.

    What was sent together as one person's (`same`) has no time and is never taken back.
    """
    words: dict[frozenset[Person], list[tuple[bool, datetime, bool]]] = defaultdict(list)
    for f in facts:
        if f.kind == "link":
            said_at = f.at or f.sent_at or datetime.min
            words[frozenset(f.said["pair"])].append((f.code == "same", said_at, f.code == "unlink"))
    joined = Sets()
    for pair, said in words.items():
        joined.join(sorted(pair) if not max(said)[2] else ())
    return joined


def gathered(facts: list[Fact], patients: Sets) -> list[list[Fact]]:
    """The facts of each exam. Identifiers mentioned together belong together, unless they were used for two.

    What ties a fact to its exam is a link: an identifier of two patients ties each one's facts only, and one of
    several accessions (a group number) ties nothing. Exams of one study are one exam, unless they have accession
    numbers of their own: then they were read together.
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
    names = ("procedure_local", "sex", "modality", "priority", "patient_class", "location")
    return {n: next((f.said[n] for f in reversed(told) if f.said.get(n) is not None), None) or None for n in names}


def _milestones(events: list[Fact]) -> Exam:
    exam: Exam = {}
    for milestone, evidence in MILESTONES.items():
        exam[milestone], exam[f"{milestone[:-3]}_source"] = None, None
        for code, origin, pick in evidence:
            told = [(e.at, e.origin) for e in events if e.code in code.split() and origin in ("", e.origin) and e.at]
            if told and exam[milestone] is None:
                at = pick(at for at, _ in told)
                exam[milestone] = at
                exam[f"{milestone[:-3]}_source"] = min(o for found, o in told if found == at)
    return exam


def _slot(events: list[Fact]) -> datetime | None:
    """The slot last told, by the scheduling system if it told any."""
    told = [e for e in events if e.code in ("scheduled", "rescheduled") and e.said.get("slot") and e.at]
    told = [e for e in told if e.origin == "schedule"] or told
    last = max((e.at for e in told if e.at), default=None)
    return max((e.said["slot"] for e in told if e.at == last), default=None)


def _fate(events: list[Fact]) -> Exam:
    """What became of it: cancelled or missed if nothing opened it again later, and never once it was performed.

    Of a word without an instant (a date alone), the message tells when it was said. Replacing cancels the old order
    and places the new one at the same instant: the exam goes on.
    """

    def last(*codes: str, origin: str = "", replacement: bool = False) -> datetime:
        told = [e for e in events if e.code in codes and origin in ("", e.origin)]
        told = [e for e in told if e.said.get("is_replacement") or not replacement]
        return max((at for e in told if (at := e.at or e.sent_at)), default=datetime.min)

    done = any(e.code in {*REPORTED, "exam_ended"} for e in events)
    opened, never, replaced = last(*REOPENS), datetime.min, last("ordered", replacement=True)
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
    n = {word: len({at for status, at, _ in said if status == word}) for word in ("addendum", "corrected")}
    return {"radiologist": next((r for r in signed if r), None), "has_report": any(s[0] != "cancelled" for s in said),
            "n_addenda": n["addendum"], "n_corrections": n["corrected"]}  # fmt: skip


def _device(facts: list[Fact], site: Site) -> str | None:
    """The machine that a started or ended exam names, else the one ordered, else the one booked; the latest word."""
    found = []
    for f in facts:
        if f.said.get("station"):
            on_it = f.kind == "event" and f.origin == "ris" and f.code in ("exam_started", "exam_ended")
            rank = 3 if on_it else {"order": 2, "booking": 1}.get(f.kind, 0)
            found += [(rank, f.sent_at or datetime.min, site.devices.get((f.facility or "", f.said["station"])))]
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
        **_described(facts), **_milestones(events), **_fate(events), **_reading(facts),
        "scheduled_at": _slot(events), "device": _device(facts, site),
        "has_order": any(f.kind == "order" for f in facts),
        "door_at": min((doors[v] for f in facts if (v := (f.scope, f.visit)) in doors), default=None),
    }  # fmt: skip
    known = site.procedures.get((exam["facility"], exam["procedure_local"]), (None,) * 4)
    exam["modality"], exam["region"], exam["laterality"], exam["contrast"] = exam["modality"] or known[0], *known[1:]
    exam["priority"] = PRIORITY.get((exam["priority"] or "").upper(), "routine")
    exam["patient_class"] = CLASS.get((exam["patient_class"] or "").upper(), "outpatient")
    zone = site.zone(exam["facility"])
    for name in LOCAL:
        exam[f"{name}_local"] = to_wall(exam[f"{name}_at"], zone) if exam[f"{name}_at"] else None
    reads = [exam[name] for name in ("first_prelim_at", "first_final_at") if exam[name]]
    exam["first_read_at"] = min(reads, default=None)
    for name, start, stop in (words.split() for words in DURATIONS.split("/")):
        exam[f"{name}_min"] = minutes(exam[f"{start}_at"], exam[f"{stop}_at"])
    reasons = [("cancelled", exam["is_cancelled"]), ("no_show", exam["is_no_show"]),
               ("discontinued", exam["is_discontinued"]), ("not_performed", exam["exam_ended_at"] is None),
               ("unlinked_facility", exam["facility"] == "unmapped")]  # fmt: skip
    exam["exclusion_reason"] = next((word for word, holds in reasons if holds), None)
    exam["is_countable"] = exam["exclusion_reason"] is None
    return exam


def fold(facts: Iterable[Fact], site: Site) -> list[Exam]:
    """The exams that the facts tell of."""
    known = list(facts)
    patients = people(known)
    doors: dict[tuple[str, str], datetime] = {}
    for f in known:
        if f.origin == "adt" and f.visit and f.at:
            doors[f.scope, f.visit] = min(f.at, doors.get((f.scope, f.visit), f.at))
    return [_one(facts, site, patients, doors) for facts in gathered([f for f in known if f.nodes], patients)]
