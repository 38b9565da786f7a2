"""One message as it is counted: who sent what kind when, and which of its fields nobody can use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: Facility, source, standard, kind and day.
Key = tuple[str, str, str, str, datetime | None]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message, object or resource. `at` is its own time in UTC as it can be read back, None where it has none."""

    facility: str
    source: str  # APP@FACILITY, AE title or base of the server
    standard: str  # hl7, dicom or fhir
    kind: str
    at: datetime | None
    faults: tuple[tuple[str, str], ...] = ()  # (field, reason)


class Flow:
    """Messages added up by sender, kind and UTC day, and their faults by field."""

    def __init__(self) -> None:
        self.sent: Counter[Key] = Counter()
        self.defective: Counter[Key] = Counter()
        self.faults: Counter[tuple[Key, str, str]] = Counter()

    def add(self, envelope: Envelope) -> None:
        """Count one message."""
        day = None if envelope.at is None else datetime(envelope.at.year, envelope.at.month, envelope.at.day)
        key = (envelope.facility, envelope.source, envelope.standard, envelope.kind, day)
        self.sent[key] += 1
        self.defective[key] += bool(envelope.faults)
        self.faults.update((key, field, reason) for field, reason in envelope.faults)

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(table of the truth, row) of all that was counted."""
        names = ("facility", "source", "standard", "kind", "day")
        for key, number in self.sent.items():
            shared = dict(zip(names, key, strict=True))
            yield "message", {**shared, "n_messages": number, "n_defective": self.defective[key]}
        for (key, field, reason), number in self.faults.items():
            shared = dict(zip(names, key, strict=True))
            yield "fault", {**shared, "field": field, "reason": reason, "n_defects": number}
