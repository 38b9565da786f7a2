"""ORU and OUL: report versions, their events, critical results; and what is no report. Expectations by hand."""

from __future__ import annotations

import pytest

from etl.records import Parsed
from tests.etl.hl7_lines import PID, defects, events, message, one, parse, rows, segment, utc

OBR = {
    2: "P1^HIS", 3: "F1^RISB", 4: "70450^CT HEAD W/O^L", 7: "20260115100000", 8: "20260115101500", 18: "A1",
    22: "20260115113000", 24: "CT", 25: "F", 32: "9&Reed&Rae&&&&&&NPI^20260115112000^20260115112800",
    33: "8&Fox&Fay", 34: "7&Tran&Tim", 35: "6&Type&Tess",
}  # fmt: skip
TEXT = "OBX|1|TX|&GDT||All well.||||||F"


def result(obr: dict[int, str], *more: str, kind: str = "ORU^R01") -> Parsed:
    pv1 = segment("PV1", {2: "I", 19: "V7^^^NORTH"})
    return parse(message(kind, PID, pv1, segment("OBR", {**OBR, **obr}), *more))


def test_report_columns() -> None:
    row = one(result({}, TEXT), "report")
    assert {name: row[name] for name in row if row[name] is not None} == {
        "standard": "hl7", "source": "RIS@NGTH", "message_id": "C1", "message_at": utc("2026-01-15T14:00:00"),
        "facility_alias": "NGTH", "accession": "A1", "filler_id": "F1^RISB", "placer_id": "P1^HIS", "patient_id": "M1",
        "patient_authority": "NORTH", "birth_date": utc("1968-04-12").date(), "sex": "F", "visit_id": "V7^NORTH",
        "procedure_code": "70450", "procedure_text": "CT HEAD W/O", "procedure_system": "L", "modality": "CT",
        "at": utc("2026-01-15T16:30:00"), "at_precision": "second", "at_zone_source": "facility", "status": "final",
        "status_code": "F", "patient_class": "I", "interpreter_id": "9", "interpreter_authority": "NPI",
        "interpreter_name": "Reed^Rae", "read_started_at": utc("2026-01-15T16:20:00"),
        "read_ended_at": utc("2026-01-15T16:28:00"), "assistant_id": "8", "assistant_name": "Fox^Fay",
        "technician_id": "7", "technician_name": "Tran^Tim", "transcriptionist_id": "6",
        "transcriptionist_name": "Type^Tess", "exam_started_at": utc("2026-01-15T15:00:00"),
        "exam_ended_at": utc("2026-01-15T15:15:00"), "text": "All well.", "position": 0, "row_number": 0,
    }  # fmt: skip


def test_report_events() -> None:
    parsed = result({}, TEXT)
    assert events(parsed) == [
        ("final_report", "report", utc("2026-01-15T16:30:00")),
        ("read_started", "report", utc("2026-01-15T16:20:00")),
        ("exam_started", "report", utc("2026-01-15T15:00:00")),
        ("exam_ended", "report", utc("2026-01-15T15:15:00")),
    ]
    assert [r["actor_id"] for r in rows(parsed, "event")] == ["9", "9", None, None]


@pytest.mark.parametrize(
    ("code", "status", "event"),
    [
        ("P", "preliminary", "preliminary_report"), ("R", "preliminary", "preliminary_report"),
        ("M", "preliminary", "preliminary_report"), ("F", "final", "final_report"),
        ("C", "corrected", "corrected_report"),
        ("X", "cancelled", "cancelled"), ("A", "partial", None), ("PARTIAL", "preliminary", "preliminary_report"),
    ],
)  # fmt: skip
def test_result_status(code: str, status: str, event: str | None) -> None:
    """Table 0123, and a code of the site."""
    parsed = result({25: code})
    assert one(parsed, "report")["status"] == status
    codes = [e[0] for e in events(parsed)]
    assert codes[:1] == ([event] if event else ["read_started"])
    assert ("exam_started" in codes) == (status != "cancelled")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("O", []), ("Y", []), ("Z", []), ("S", [("scheduled", "ris")]),
        ("I", [("exam_started", "ris"), ("exam_started", "report"), ("exam_ended", "report")]),
        ("N", [("exam_ended", "ris"), ("exam_started", "report"), ("exam_ended", "report")]),
        ("AR", [("arrived", "ris")]),
    ],
)  # fmt: skip
def test_statuses_that_are_no_report(code: str, expected: list[tuple[str, str]]) -> None:
    parsed = result({25: code, 32: ""})
    assert rows(parsed, "report") == []
    assert [(e[0], e[1]) for e in events(parsed)] == expected


def test_unknown_status_is_counted() -> None:
    assert defects(result({25: "Q"})) == [("OBR-25", "unknown_code")]


@pytest.mark.parametrize(
    ("obr25", "obx11", "status"),
    [
        ("P", "U", "final"), ("A", "U", "final"), ("R", "U", "final"), ("", "U", "final"), ("", "F", "final"),
        ("", "P", "preliminary"), ("", "R", "preliminary"), ("", "C", "corrected"), ("", "S", "partial"),
        ("", "X", "cancelled"), ("F", "C", "corrected"), ("F", "W", "corrected"), ("F", "A", "addendum"),
        ("F", "B", "addendum"), ("F", "F", "final"), ("P", "F", "preliminary"), ("C", "C", "corrected"),
        ("X", "U", "cancelled"),
    ],
)  # fmt: skip
def test_observation_status(obr25: str, obx11: str, status: str) -> None:
    """OBX-11 (table 0085): U is now final although nothing is sent again."""
    parsed = result({25: obr25}, f"OBX|1|TX|&GDT||||||||{obx11}")
    assert one(parsed, "report")["status"] == status


def test_addendum_by_the_suffix_of_obx_3() -> None:
    parsed = result({25: "F"}, TEXT, "OBX|2|TX|18748-4&ADT||Later: a nodule.||||||F")
    assert one(parsed, "report")["status"] == "addendum"
    assert events(parsed)[0][0] == "addendum"


def test_report_time_without_obr_22_is_that_of_the_message() -> None:
    assert one(result({22: ""}), "report")["at"] == utc("2026-01-15T14:00:00")


def test_xcn_in_an_ndl_field_is_a_person_and_no_time() -> None:
    parsed = result({32: "9^Reed^Rae^^^^^^NPI", 33: "", 34: "", 35: ""})
    row = one(parsed, "report")
    assert (row["interpreter_id"], row["interpreter_authority"], row["interpreter_name"]) == ("9", "NPI", "Reed^Rae")
    assert row["read_started_at"] is None
    assert parsed.defects == []


def test_critical_result() -> None:
    parsed = result(
        {},
        "OBX|1|CE|CRITCAT||RED^Emergent^L||||||F",
        "OBX|2|TS|CRITFOUND||Y||||||F|||20260115112500",
        "OBX|3|TS|CRITCOMM||Y||||||F|||202601151150",
    )
    assert one(parsed, "report")["critical_category"] == "RED"
    found = [r for r in rows(parsed, "event") if r["code"].startswith("critical")]
    assert [(r["code"], r["at"], r["at_precision"], r["detail"]) for r in found] == [
        ("critical_found", utc("2026-01-15T16:25:00"), "second", "RED"),
        ("critical_communicated", utc("2026-01-15T16:50:00"), "minute", "RED"),
    ]


def test_critical_result_without_a_time_is_no_event() -> None:
    assert "critical_found" not in [e[0] for e in events(result({}, "OBX|2|TS|CRITFOUND||Y||||||F"))]


def test_text_joins_its_parts_and_skips_documents_and_codes() -> None:
    parsed = result(
        {},
        r"OBX|1|FT|&GDT||Head\.br\\T\ neck~second repetition||||||F",
        "OBX|2|ED|PDF||^application^pdf^Base64^" + "A" * 200_000 + "||||||F",
        "OBX|3|TX|&GDT||" + "B" * 70_000 + "||||||F",
        "OBX|4|CWE|LRADS||LR2^Lung-RADS 2||||||F",
        "OBX|5|ST|CRITCAT||RED||||||F",
        "OBX|6|TX|&IMP||A caret ^ stays||||||F",
    )
    assert one(parsed, "report")["text"] == "Head\n& neck\nsecond repetition\nA caret ^ stays"


def test_text_is_bounded() -> None:
    parsed = result({}, *[f"OBX|{n}|TX|&GDT||{'x' * 9_999}||||||F" for n in range(9)])
    assert len(one(parsed, "report")["text"]) == 32 * 1024


def test_each_obr_is_its_own_report_and_orc_is_optional() -> None:
    lines = [
        segment("ORC", {1: "RE", 2: "P1^HIS", 3: "F1^RISB"}),
        segment("OBR", {4: "1^CT HEAD", 24: "CT", 25: "F", 18: "A1"}),
        "OBX|1|TX|&GDT||one||||||F", segment("OBR", {3: "F2^RISB", 4: "2^CT NECK", 24: "CT", 25: "P", 18: "A2"}),
        "OBX|1|TX|&GDT||two||||||F",
    ]  # fmt: skip
    found = rows(parse(message("ORU^R01", PID, *lines)), "report")
    assert [(r["accession"], r["placer_id"], r["filler_id"], r["status"], r["text"]) for r in found] == [
        ("A1", "P1^HIS", "F1^RISB", "final", "one"),
        ("A2", None, "F2^RISB", "preliminary", "two"),
    ]


def test_orc_without_obr_is_no_report() -> None:
    parsed = parse(message("ORU^R01", PID, "ORC|RE|P1^HIS"))
    assert (parsed.read, parsed.rows, parsed.rejected) == (1, {}, [])


@pytest.mark.parametrize("kind", ["ORU^R01", "ORU^R30", "ORU^R31", "ORU^R32", "OUL^R21", "ORU"])
def test_message_types(kind: str) -> None:
    assert one(result({}, kind=kind), "report")["status"] == "final"


def test_class_at_signing_is_that_of_the_result() -> None:
    """The order said E; the result says I. Both records keep their own."""
    order = message("ORM^O01", PID, "PV1|1|E", "ORC|NW|P1^HIS", segment("OBR", {4: "1^CT HEAD", 24: "CT"}))
    assert one(parse(order), "order")["patient_class"] == "E"
    assert one(result({}), "report")["patient_class"] == "I"
