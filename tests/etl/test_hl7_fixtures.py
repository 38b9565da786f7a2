"""Third-party messages: what each folder becomes, and one exam followed through its messages."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from etl.records import Parsed
from etl.site import Facility, Site
from etl.sources import hl7
from tests.etl.hl7_lines import events, one, rows, utc

SITE = Site(facilities=(Facility("SYNTH", "Synth Hospital", "America/Chicago", aliases=("SYNTH_HOSP",)),))


@pytest.fixture(scope="session")
def folder(fixtures: Path) -> Path:
    return fixtures / "hl7"


def parse(path: Path) -> Parsed:
    return hl7.parse(path.read_bytes(), SITE)


def counts(parsed: Parsed) -> dict[str, int]:
    return {record: found.n for record, found in parsed.rows.items()}


#: File -> records; a file of one message that is not named here holds one message and only `same` links or arrivals.
BRIDGE = {
    "adt_a04_register": {"patient_link": 1, "event": 1},
    "adt_a04_v23_latin1": {"patient_link": 1, "event": 1},
    "adt_a08_name_change": {"patient_link": 1},
    "adt_a40_merge": {"patient_link": 2},
    "omi_o23_new_stat": {"patient_link": 1, "order": 1, "event": 2},
    "orm_o01_cancel_orc_only": {"order": 1, "event": 1},
    "orm_o01_new": {"patient_link": 1, "order": 1, "event": 2},
    "orm_o01_status_completed": {"patient_link": 1, "order": 1, "event": 1},
    "oru_r01_final": {"patient_link": 1, "report": 1, "event": 2},
    "oru_r01_ft_escapes": {"patient_link": 1, "report": 1, "event": 2},
}


@pytest.mark.parametrize("name", BRIDGE)
def test_radiology_messages(folder: Path, name: str) -> None:
    parsed = parse(folder / "hl7v2-fhir-bridge" / f"{name}.hl7")
    assert (parsed.read, parsed.rejected, parsed.defects) == (1, [], [])
    assert counts(parsed) == BRIDGE[name]


def test_one_exam_through_its_messages(folder: Path) -> None:
    """Order, completion and report name the same exam; times are the facility's or carry -0500 (OBR-7, 22, 36)."""
    ordered, completed, reported = (
        parse(folder / "hl7v2-fhir-bridge" / f"{name}.hl7")
        for name in ("orm_o01_new", "orm_o01_status_completed", "oru_r01_final")
    )
    exams = {
        tuple(row[name] for name in ("accession", "filler_id", "placer_id", "study_uid", "patient_id"))
        for row in (one(ordered, "order"), one(completed, "order"), one(reported, "report"))
    }
    uid = "2.25.22985022959815203166575865546637898544"
    assert exams == {("ACC2001", "FIL5001^SYNTH_RIS", "ORD1001^SYNTH_HIS", uid, "SYN100234")}
    assert events(ordered) == [
        ("ordered", "order", utc("2026-09-15T13:30:00")),
        ("scheduled", "order", utc("2026-09-15T13:30:00")),
    ]
    assert rows(ordered, "event")[1]["slot_at"] == utc("2026-09-15T15:00:00")
    assert events(completed) == [("exam_ended", "ris", utc("2026-09-15T13:30:00"))]
    assert events(reported) == [
        ("final_report", "report", utc("2026-09-15T17:00:00")),
        ("exam_started", "report", utc("2026-09-15T15:12:00")),
    ]


def test_latin_1_is_read_by_msh_18(folder: Path) -> None:
    parsed = parse(folder / "hl7v2-fhir-bridge/adt_a04_v23_latin1.hl7")
    assert one(parsed, "event")["at"] == utc("2006-09-15T13:00:00")
    link = one(parsed, "patient_link")
    assert (link["patient_id"], link["prior_id"], link["prior_authority"]) == ("C-55123", "SYN100555", "SYNTH_HOSP")


def test_escapes_in_report_text(folder: Path) -> None:
    text = one(parse(folder / "hl7v2-fhir-bridge/oru_r01_ft_escapes.hl7"), "report")["text"]
    assert "screening\n\nTECHNIQUE: 1.0 mm axial, T2^weighted" in text
    assert "RUL (image 3|41)." in text
    assert "\nLung-RADS 2: benign" in text


ORDERS = {"ORM-O01-01": ["CT Head"], "ORM-O01-02": ["CT Head"], "ORM-O01-03": ["CT Head", "MR Brain"]}


def test_orders_of_many_departments(folder: Path) -> None:
    """ORM-O01-01 to 03 are CT and MR; 04 to 06 are diet, supply and pharmacy; OMG are laboratory."""
    found = {
        path.stem: [row["procedure_text"] for row in parse(path).records("order")]
        for path in sorted((folder / "fhir-converter").glob("O[RM][MG]-*.hl7"))
    }
    assert found == {name: ORDERS.get(name, []) for name in found}
    assert len(found) == 8


def test_no_laboratory_result_becomes_an_exam(folder: Path) -> None:
    for path in (folder / "fhir-converter").glob("ORU-*.hl7"):
        assert parse(path).rows == {}


def test_every_message_is_read(folder: Path) -> None:
    total: Counter[str] = Counter()
    for path in sorted((folder / "fhir-converter").glob("*.hl7")):
        parsed = parse(path)
        assert (parsed.read, parsed.rejected, parsed.defects) == (1, [], []), path.name
        total.update(counts(parsed))
    assert total == {
        "patient_link": 84, "event": 45, "report": 18, "order": 4, "appointment": 8, "room_move": 4,
    }  # fmt: skip


def test_a_hospital_day(folder: Path) -> None:
    """1,013 messages of a simulated hospital: all imaging in it is one kind of exam."""
    parsed = parse(folder / "simhospital/messages.out")
    assert (parsed.read, parsed.rejected, parsed.defects) == (1013, [], [])
    assert Counter(row["procedure_text"] for row in parsed.records("report")) == {"MRI Ankle Lt": 65}
    assert Counter(row["code"] for row in parsed.records("event")) == {
        "arrived": 400,
        "final_report": 65,
        "exam_started": 65,
    }
    assert Counter(row["kind"] for row in parsed.records("patient_link")) == {"same": 403, "merge": 1}
