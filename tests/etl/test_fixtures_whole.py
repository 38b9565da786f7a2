"""Third-party files through the whole pipeline: each is read or quarantined with a reason, and the counts are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.parsing import REASONS
from tests.installation import Installation

#: Reasons that would mean a fault of radops, not of the file.
OURS = {"parser_failed", "parser_crashed", "too_slow", "too_much_memory"}
#: Folder -> (read, kept, duplicate, rejected by reason); only the licences are no file of a standard.
COUNTS: dict[str, tuple[int, int, int, dict[str, int]]] = {
    "hl7": (1125, 1120, 0, {"unknown_format": 5}),
    "fhir": (132, 125, 4, {"unknown_format": 3}),
    # Seven differ from another file in their pixel data alone: the same object, so the same message.
    "dicom": (79, 64, 10, {"unknown_format": 4, "truncated": 1}),
}


@pytest.mark.parametrize("folder", COUNTS)
def test_every_file_is_read_or_quarantined(fixtures: Path, tmp_path: Path, folder: str) -> None:
    house = Installation(tmp_path, {"max_rejects": 1.0})
    facts = house.stages("ingest", "build", paths=[fixtures / folder])
    counts = facts["ingest"]
    print(folder, counts)
    assert set(REASONS) > OURS
    assert counts["reasons"].keys() & OURS == set()
    assert (counts["read"], counts["kept"], counts["duplicate"], counts["reasons"]) == COUNTS[folder]
    assert house.ledger()["read"] == counts["read"]

    files = {str(path) for path in (fixtures / folder).rglob("*") if path.is_file()}
    assert {path for (path,) in house.rows("SELECT path FROM raw_path", "intake.duckdb")} == files
    assert counts["files"] == len(files)
    unusable = house.rows("SELECT path, reason, octet_length(content) FROM raw_quarantine", "intake.duckdb")
    assert len(unusable) == counts["rejected"]
    assert all(reason and (size or path.endswith("empty")) for path, reason, size in unusable)
    assert facts["build"]["digest"] == house.digest(full=True)
