"""Truth that needs more than one exam: sessions on a device, repeats of a patient, prior cases and their outcome."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sample_data.network import Network
from sample_data.story import Exam

#: How long after an exam's start its story may still come in.
SETTLED = timedelta(days=45)
REPEAT_WINDOW = timedelta(days=90)
OUTCOME_WINDOW = timedelta(days=30)
IMPORT_WINDOW = timedelta(days=120)
SWEEP = 50_000  # exams between two clean-ups of what is remembered

Row = dict[str, Any]
Add = Callable[[str, Row], None]


@dataclass(slots=True)
class Session:
    """An open session of a device and a patient."""

    row: Row
    patient: str


@dataclass(order=True, slots=True)
class Turn:
    """Something to look at in time order. `kind` sorts a declared case before an exam at the same instant."""

    at: datetime
    kind: int
    number: int
    row: Row = field(compare=False)
    exam: Exam | None = field(compare=False)


class Neighbours:
    """Orders exams by their recorded start and derives `session`, `repeat` and `prior_case`."""

    def __init__(self, network: Network, add: Add, *, has_imports: bool) -> None:
        self.network, self.add, self.has_imports = network, add, has_imports
        self.queue: list[Turn] = []
        self.number = 0
        self.newest = datetime.min
        self.open: dict[str, list[Session]] = {}
        self.last: dict[tuple[str | None, ...], Row] = {}
        self.cases: dict[tuple[str, str], list[tuple[Row, datetime]]] = {}

    def exam(self, exam: Exam, row: Row, is_countable: bool) -> None:
        """Take in one exam; emits what has become certain."""
        if exam.outside is not None and row["has_order"]:
            self._push(row["ordered_at"], 0, row, exam)
        if row["exam_started_at"] is not None:
            small = {c: row[c] for c in (
                "accession", "facility", "modality", "device", "region", "laterality", "contrast", "patient",
                "exam_started_at", "exam_ended_at", "procedure",
            )}  # fmt: skip
            small |= {"is_countable": is_countable, "is_planned": exam.reason_code == "FU" and row["has_order"]}
            self._push(row["exam_started_at"], 1, small, None)
        self.newest = max(self.newest, exam.exam_started_at or exam.ordered_at)
        while self.queue and self.queue[0].at < self.newest - SETTLED:
            self._take(heapq.heappop(self.queue))

    def close(self) -> None:
        """Take what is left, then close all sessions and cases."""
        while self.queue:
            self._take(heapq.heappop(self.queue))
        for sessions in self.open.values():
            for session in sessions:
                self.add("session", session.row)
        for cases in self.cases.values():
            for case, _ in cases:
                self.add("prior_case", case)

    def _push(self, at: datetime, kind: int, row: Row, exam: Exam | None) -> None:
        self.number += 1
        heapq.heappush(self.queue, Turn(at, kind, self.number, row, exam))

    def _take(self, turn: Turn) -> None:
        if turn.exam is not None:
            self._declare(turn.exam, turn.row)
            return
        row = turn.row
        if row["device"] is not None and row["exam_ended_at"] is not None and row["exam_ended_at"] > turn.at:
            self._session(row)
        if row["is_countable"]:
            self._outcome(row)
            if row["region"] is not None:
                self._repeat(row)
        if turn.number % SWEEP == 0:
            oldest = turn.at - REPEAT_WINDOW
            self.last = {k: r for k, r in self.last.items() if r["exam_started_at"] >= oldest}

    def _session(self, row: Row) -> None:
        sessions = self.open.setdefault(row["device"], [])
        started, ended = row["exam_started_at"], row["exam_ended_at"]
        for session in [s for s in sessions if s.row["ended_at"] < started]:
            self.add("session", session.row)
            sessions.remove(session)
        for session in sessions:
            if session.patient == row["patient"]:
                session.row["ended_at"] = max(session.row["ended_at"], ended)
                session.row["n_exams"] += 1
                return
        sessions.append(Session({
            "device": row["device"], "facility": row["facility"], "modality": row["modality"], "started_at": started,
            "ended_at": ended, "n_exams": 1,
        }, row["patient"]))  # fmt: skip

    def _repeat(self, row: Row) -> None:
        key = tuple(row[c] for c in ("patient", "modality", "region", "laterality", "contrast"))
        prior = self.last.get(key)
        if prior is not None and prior["exam_started_at"] == row["exam_started_at"]:
            return
        self.last[key] = row
        if prior is None or row["exam_started_at"] - prior["exam_started_at"] > REPEAT_WINDOW:
            return
        procedure = self.network.procedures.get(row["procedure"] or "")
        is_same = prior["facility"] == row["facility"]
        is_planned = row["is_planned"] or (procedure is not None and procedure.is_follow_up)
        self.add("repeat", {
            "accession": row["accession"], "facility": row["facility"], "prior_accession": prior["accession"],
            "prior_facility": prior["facility"],
            "days": (row["exam_started_at"] - prior["exam_started_at"]).total_seconds() / 86400,
            "is_same_facility": is_same, "kind": "follow_up" if is_planned else "repeat" if is_same else "duplicate",
        })  # fmt: skip

    def _declare(self, exam: Exam, row: Row) -> None:
        outside = exam.outside
        if outside is None:
            return
        status, known = outside.status, outside.imported_at
        if status == "imported":
            before = row["exam_started_at"] or row["ordered_at"]
            is_there = self.has_imports and known is not None and before - IMPORT_WINDOW <= known < before
            status = "imported" if is_there else "held"
        is_control = status == "none"
        case = {
            "accession": row["accession"], "patient": row["patient"], "facility": row["facility"],
            "availability": status, "modality": row["modality"] if is_control else outside.modality,
            "region": row["region"] if is_control else outside.region, "declared_at": row["ordered_at"],
            "is_repeated": False,
        }  # fmt: skip
        since = row["exam_started_at"] if is_control else row["ordered_at"]
        if since is None:  # a control case whose exam was never done: nothing can repeat it
            self.add("prior_case", case)
            return
        self.cases.setdefault((row["patient"], row["facility"]), []).append((case, since))

    def _outcome(self, row: Row) -> None:
        key = (row["patient"], row["facility"])
        cases = self.cases.get(key)
        if cases is None:
            return
        start = row["exam_started_at"]
        for case, since in cases:
            is_same = row["region"] is not None and case["region"] == row["region"]
            is_same &= case["modality"] == row["modality"]
            is_control = case["availability"] == "none"
            in_time = (since < start if is_control else since <= start) and start < since + OUTCOME_WINDOW
            if is_control and case["accession"] == row["accession"]:
                continue
            case["is_repeated"] |= is_same and in_time
        if all(start >= since + OUTCOME_WINDOW for _, since in cases):
            for case, _ in self.cases.pop(key):
                self.add("prior_case", case)
