"""The FHIR files, read by json alone, say what the truth says of SOUTH."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sample_data.emit_fhir import versions
from sample_data.simulate import Summary
from tests.sample_data.stories import NETWORK, READER, exam

Run = tuple[Path, Summary]
Resource = dict[str, Any]
Versions = dict[str, list[Resource]]


def resources(out: Path) -> Iterator[Resource]:
    for path in sorted((out / "files" / "fhir").rglob("*.*json")):
        if path.suffix == ".ndjson":
            yield from map(json.loads, path.read_text("utf-8").splitlines())
        else:
            bundle = json.loads(path.read_text("utf-8"))
            assert bundle["type"] in ("history", "collection")
            yield from (entry["resource"] for entry in bundle["entry"])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


@pytest.fixture(scope="module")
def by_order(network_files: Run) -> Versions:
    """All versions by ServiceRequest."""
    found: Versions = defaultdict(list)
    for one in resources(network_files[0]):
        if one["resourceType"] == "ServiceRequest":
            found[one["id"]].append(one)
        elif "basedOn" in one:
            found[one["basedOn"][0]["reference"].removeprefix("ServiceRequest/")].append(one)
    return found


@pytest.fixture(scope="module")
def truth(network_files: Run) -> dict[str, dict[str, Any]]:
    rows = pl.read_parquet(network_files[0] / "truth" / "exam.parquet").filter(pl.col("facility") == "SOUTH")
    return {row["accession"]: row for row in rows.to_dicts()}


def accession(order: list[Resource]) -> str:
    request = next(one for one in order if one["resourceType"] == "ServiceRequest")
    values = {i["type"]["coding"][0]["code"]: i["value"] for i in request["identifier"]}
    assert set(values) == {"PLAC", "FILL", "ACSN"}
    return values["ACSN"]


def told(order: list[Resource]) -> dict[str, Any]:
    """The milestones that the versions of one order tell."""
    of: dict[str, list[Resource]] = defaultdict(list)
    for one in sorted(order, key=lambda r: (r["resourceType"], int(r["meta"]["versionId"]))):
        of[one["resourceType"]].append(one)
    tasks = {t["code"]["text"]: at(t["executionPeriod"]["start"]) for t in of["Task"]}
    finals = [at(r["issued"]) for r in of["DiagnosticReport"] if r["status"] == "final"]
    periods = [p["performedPeriod"] for p in of["Procedure"]]
    slots = [a for a in of["Appointment"] if a["status"] == "booked"]
    studies = {i["value"] for s in of["ImagingStudy"] for i in s["identifier"] if i.get("system") == "urn:dicom:uid"}
    return {
        "ordered_at": at(of["ServiceRequest"][0]["authoredOn"]),
        "booked_at": at(slots[0]["created"]) if slots else None,
        "scheduled_at": at(slots[-1]["start"]) if slots else None,
        "arrived_at": tasks.get("arrived"),
        "exam_started_at": at(periods[-1]["start"]) if periods else None,
        "exam_ended_at": at(periods[-1]["end"]) if periods and "end" in periods[-1] else None,
        "images_available_at": tasks.get("images_available"),
        "read_started_at": tasks.get("read_started"),
        "first_final_at": min(finals, default=None),
        "last_final_at": max(finals, default=None),
        "critical_found_at": tasks.get("critical_found"),
        "critical_communicated_at": tasks.get("critical_communicated"),
        "is_cancelled": of["ServiceRequest"][-1]["status"] == "revoked",
        "is_no_show": any(a["status"] == "noshow" for a in of["Appointment"]),
        "has_report": any(r["status"] != "registered" for r in of["DiagnosticReport"]),
        "study": studies,
    }


def test_versions_tell_the_truth(by_order: Versions, truth: dict[str, dict[str, Any]]) -> None:
    seen = {accession(order): told(order) for order in by_order.values()}
    assert seen.keys() == truth.keys()
    for number, row in truth.items():
        study = seen[number].pop("study")
        assert study == ({f"urn:oid:{row['study_uid']}"} if row["images_available_at"] else set())
        assert seen[number] == {name: row[name] for name in seen[number]}
    filled = {name for row in seen.values() for name, value in row.items() if value is not None}
    assert filled | {"critical_found_at", "critical_communicated_at"} == set(next(iter(seen.values())))


def test_the_appointment_ends_as_the_truth_says(network_files: Run, by_order: Versions) -> None:
    rows = pl.read_parquet(network_files[0] / "truth" / "appointment.parquet").filter(pl.col("facility") == "SOUTH")
    words = {"fulfilled": "completed"}
    last = {}
    for order in by_order.values():
        for one in order:
            if one["resourceType"] == "Appointment":
                number = int(one["meta"]["versionId"])
                last[one["id"]] = max(last.get(one["id"], (0, "")), (number, one["status"]))
    found = {key: words.get(status, status) for key, (_, status) in last.items()}
    assert found == dict(rows.select("appointment_id", "status").iter_rows())
    assert len(set(found.values())) >= 4


def test_every_resource_is_counted_and_dated(network_files: Run) -> None:
    out, summary = network_files
    found = list(resources(out))
    assert len(found) == summary.resources
    names = [(r["resourceType"], r["id"], r["meta"]["versionId"]) for r in found]
    assert len(set(names)) >= len(names) - len([n for n in names if n[0] == "Patient"])
    suffixes = {p.suffix for p in (out / "files" / "fhir").rglob("*.*json")}
    assert suffixes == {".ndjson", ".json"}
    assert all(at(r["meta"]["lastUpdated"]) for r in found)


def test_a_temporary_record_is_replaced_by_the_persons_own() -> None:
    ordered = datetime(2026, 10, 20, 14)
    story = exam("S-MR1", ordered, mrn="T1", merged_at=ordered + timedelta(hours=5))
    when, patient = next((w, r) for w, r in versions(NETWORK, story) if "link" in r)
    assert when == story.merged_at
    assert (patient["id"], patient["active"], patient["link"][0]["type"]) == ("T1", False, "replaced-by")
    assert patient["link"][0]["other"]["reference"] == f"Patient/{story.person.mrns['SOUTH']}"


def test_a_critical_result_is_told_only_with_its_report() -> None:
    ordered = datetime(2026, 10, 20, 14)
    found = ordered + timedelta(hours=3)
    facts: dict[str, Any] = {"critical_category": "2", "critical_found_at": found, "interpreter": READER}
    silent = exam("S-MR1", ordered, **facts)
    assert not [r for _, r in versions(NETWORK, silent) if r["resourceType"] == "Task"]
    signed = exam("S-MR1", ordered, **facts, final_at=found + timedelta(minutes=9))
    tasks = [(w, r["code"]["text"]) for w, r in versions(NETWORK, signed) if r["resourceType"] == "Task"]
    assert tasks == [(signed.final_at, "critical_found")]


@pytest.mark.parametrize("hour", [6, 7])
def test_the_repeated_hour_is_told_apart(hour: int) -> None:
    """2026-11-01 06:30 and 07:30 UTC are both 01:30 in Chicago."""
    ordered = datetime(2026, 11, 1, hour, 30)
    when = [
        r["authoredOn"] for _, r in versions(NETWORK, exam("S-MR1", ordered)) if r["resourceType"] == "ServiceRequest"
    ]
    assert when[0].startswith("2026-11-01T01:30:00-0")
    assert at(when[0]) == ordered
