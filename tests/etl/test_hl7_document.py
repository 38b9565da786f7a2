"""MDM: documents as report versions. Expectations by hand."""

from __future__ import annotations

import pytest

from etl.records import Parsed
from tests.etl.hl7_lines import PID, defects, events, message, one, parse, rows, segment, utc

TXA = {
    2: "DI", 4: "20260115100000", 6: "20260115111000", 7: "20260115112000", 9: "5^Orig^Olga", 10: "8^Auth^Al",
    11: "6^Type^Tess", 12: "D1^DICT", 14: "P1^HIS", 15: "F1^RISA", 17: "LA",
    22: "9^Reed^Rae^^^^^^NPI^^^^^^20260115113000",
}  # fmt: skip
EVN = "EVN|T02|20260115115500"


def document(trigger: str, txa: dict[int, str], *more: str, app: str = "RIS") -> Parsed:
    return parse(message(f"MDM^{trigger}", EVN, PID, segment("TXA", {**TXA, **txa}), *more, app=app))


def test_document_columns() -> None:
    row = one(document("T02", {}, "OBX|1|TX|&GDT||All well.||||||F"), "report")
    assert (row["document_id"], row["placer_id"], row["filler_id"]) == ("D1^DICT", "P1^HIS", "F1^RISA")
    assert (row["status"], row["status_code"], row["at"]) == ("final", "LA", utc("2026-01-15T16:30:00"))
    assert (row["interpreter_id"], row["interpreter_authority"], row["interpreter_name"]) == ("9", "NPI", "Reed^Rae")
    assert (row["transcriptionist_id"], row["patient_id"], row["text"]) == ("6", "M1", "All well.")


@pytest.mark.parametrize(
    ("trigger", "completion", "status", "expected"),
    [
        ("T01", "LA", "final", ["final_report", "dictated"]), ("T02", "AU", "final", ["final_report", "dictated"]),
        ("T03", "AU", "final", ["final_report", "dictated"]), ("T04", "LA", "final", ["final_report", "dictated"]),
        ("T01", "PA", "preliminary", ["preliminary_report", "dictated"]),
        ("T02", "DO", "preliminary", ["preliminary_report", "dictated"]), ("T02", "IP", "partial", ["dictated"]),
        ("T05", "LA", "addendum", ["addendum"]), ("T06", "AU", "addendum", ["addendum"]),
        ("T06", "IP", "partial", []), ("T07", "LA", "corrected", ["corrected_report"]),
        ("T08", "PA", "preliminary", ["preliminary_report"]), ("T09", "LA", "corrected", ["corrected_report"]),
        ("T10", "LA", "corrected", ["corrected_report"]), ("T11", "LA", "cancelled", ["cancelled"]),
        ("T02", "", "final", ["final_report", "dictated"]),
    ],
)  # fmt: skip
def test_trigger_and_completion(trigger: str, completion: str, status: str, expected: list[str]) -> None:
    parsed = document(trigger, {17: completion})
    assert one(parsed, "report")["status"] == status
    assert [e[0] for e in events(parsed)] == expected


def test_dictation_alone_is_no_report() -> None:
    parsed = document("T01", {17: "DI"})
    assert rows(parsed, "report") == []
    assert events(parsed) == [("dictated", "report", utc("2026-01-15T16:10:00"))]
    by_activity = document("T01", {17: "DI", 6: ""})
    assert events(by_activity) == [("dictated", "report", utc("2026-01-15T15:00:00"))]


@pytest.mark.parametrize(
    ("txa", "at"),
    [
        ({17: "PA", 8: "20260115112500"}, "2026-01-15T16:25:00"),
        ({17: "PA"}, "2026-01-15T16:20:00"),
        ({22: "9^Reed^Rae"}, "2026-01-15T16:55:00"),
    ],
)
def test_time_of_a_version(txa: dict[int, str], at: str) -> None:
    """Edit or transcription before signing; without a signature time that of the event."""
    assert one(document("T02", txa), "report")["at"] == utc(at)


def test_interpreter_falls_back_to_authenticator_and_originator() -> None:
    assert one(document("T02", {22: ""}), "report")["interpreter_id"] == "8"
    assert one(document("T02", {22: "", 10: ""}), "report")["interpreter_id"] == "5"


def test_one_document_for_several_orders() -> None:
    lines = [
        EVN, PID, "ORC|RE|P1^HIS|F1^RISA", segment("OBR", {4: "1^XR CHEST", 18: "A1", 24: "DX"}),
        "ORC|RE|P2^HIS|F2^RISA",
        segment("OBR", {4: "2^XR HAND", 18: "A2", 24: "DX"}), segment("TXA", TXA), "OBX|1|TX|&GDT||both||||||F",
    ]  # fmt: skip
    found = rows(parse(message("MDM^T02", *lines)), "report")
    assert [(r["accession"], r["filler_id"], r["procedure_text"], r["text"]) for r in found] == [
        ("A1", "F1^RISA", "XR CHEST", "both"),
        ("A2", "F2^RISA", "XR HAND", "both"),
    ]


def test_documents_of_other_departments_are_kept_without_rows() -> None:
    parsed = document("T02", {2: "DS"}, app="STRANGER")
    assert (parsed.rejected, parsed.rows) == ([], {})
    assert one(document("T02", {2: "RAD"}, app="STRANGER"), "report")["status"] == "final"
    assert one(document("T02", {2: "XRAYDEPT"}), "report")["status"] == "final"


def test_unknown_codes_are_counted() -> None:
    assert defects(document("T02", {17: "??"})) == [("TXA-17", "unknown_code")]
    assert defects(document("T99", {})) == [("MSH-9.2", "unknown_trigger")]
