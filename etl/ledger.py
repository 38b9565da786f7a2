"""What is known before anything is parsed: which files are new; and the counts that every batch must balance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from etl.inbox import Candidate

_SUMS = ("files", "read", "kept", "rejected", "duplicate", "defects", "skipped", "batches")


@dataclass(slots=True)
class Counts:
    """read = kept + rejected + duplicate, in messages (HL7), objects (DICOM) or resources (FHIR)."""

    files: int = 0
    read: int = 0
    kept: int = 0
    rejected: int = 0
    duplicate: int = 0
    defects: int = 0
    skipped: int = 0
    batches: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    standards: dict[str, int] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add another batch's counts to this one."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for own, more in ((self.reasons, other.reasons), (self.standards, other.standards)):
            for key, n in more.items():
                own[key] = own.get(key, 0) + n


def new_candidates(con: duckdb.DuckDBPyConnection, found: Iterable[Candidate]) -> list[Candidate]:
    """Those whose path, size and modification time the ledger does not know, in the order found."""
    seen = list(found)
    times = list({c.modified_ns for c in seen})
    told = "SELECT path, size, modified_ns FROM raw_path WHERE modified_ns IN (SELECT unnest(CAST(? AS BIGINT[])))"
    known = set(con.execute(told, [times]).fetchall()) if seen else set()
    return [c for c in seen if (c.name, c.size, c.modified_ns) not in known]
