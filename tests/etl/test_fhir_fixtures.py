"""Third-party resources: what each folder becomes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from etl.site import Site
from etl.sources import fhir
from tests.etl.fhir_resources import rows

FOLDERS: dict[str, dict[str, int]] = {
    "pacs-bridge": {"read": 7, "patient_link": 4, "order": 1, "report": 1, "instance": 2, "event": 7, "room_move": 1},
    "hl7-r4-examples": {
        "read": 101,
        "patient_link": 24,
        "order": 2,
        "report": 3,
        "instance": 3,
        "event": 13,
        "room_move": 9,
    },
    "rad-mado": {"read": 21, "patient_link": 3, "order": 2, "instance": 107, "event": 4},
}
#: Elements that are not what they should be: the form's data is cut by "...".
DEFECTS = {"diagnostic_report.json": ["DiagnosticReport.presentedForm.data"]}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_read(fixtures: Path, folder: str) -> None:
    found: Counter[str] = Counter()
    for path in sorted((fixtures / "fhir" / folder).glob("*.json")):
        data = path.read_bytes()
        parsed = fhir.parse(data, Site())
        assert parsed.read == len(fhir.messages(data))
        assert parsed.rejected == [], path.name
        assert [d.field for d in parsed.defects] == DEFECTS.get(path.name, []), path.name
        found.update({"read": parsed.read, **{record: found.n for record, found in parsed.rows.items()}})
    assert found == FOLDERS[folder]


def test_only_imaging_becomes_orders_and_reports(fixtures: Path) -> None:
    """Of 26 requests and 7 reports; colonoscopy, pathology, lipids and physiotherapy are none."""
    found = {}
    for path in sorted((fixtures / "fhir/hl7-r4-examples").glob("*.json")):
        parsed = fhir.parse(path.read_bytes(), Site())
        for record in ("order", "report"):
            for row in rows(parsed, record):
                found[path.stem] = row["procedure_text"]
    assert found == {
        "DiagnosticReport-102": "DXA BONE DENSITOMETRY",
        "DiagnosticReport-f201": "Computed tomography (CT) of head and neck",
        "DiagnosticReport-ultrasound": "Ultrasonography of abdomen",
        "ServiceRequest-di": "Chest CT",
        "ServiceRequest-example": "Computed tomography of head",
    }


def test_one_exam_through_its_resources(fixtures: Path) -> None:
    """Order, study and report name the same order and patient; all times carry Z."""
    folder = fixtures / "fhir/pacs-bridge"
    found = {}
    for name, record in (("service_request", "order"), ("imaging_study", "instance"), ("diagnostic_report", "report")):
        row = rows(fhir.parse((folder / f"{name}.json").read_bytes(), Site()), record)[0]
        found[record] = row
    assert {(row["order_ref"], row["patient_id"]) for row in found.values()} == {
        ("/ServiceRequest/sr-001", "Patient/patient-001")
    }
    assert (found["order"]["procedure_code"], found["order"]["alternate_code"]) == ("CXR-2V", "36643-5")
    assert found["instance"]["study_uid"] == "1.2.840.113619.2.55.3.2024011510001234"
    assert found["report"]["interpreter_id"] == "Practitioner/prac-rad-001"
