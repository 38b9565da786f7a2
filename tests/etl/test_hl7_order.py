"""ORM, OMG, OMI and replies: identifiers, codes, events and the traps of the standard. Expectations by hand."""

from __future__ import annotations

import pytest

from etl.records import Parsed
from tests.etl.hl7_lines import PID, defects, events, message, one, parse, rows, segment, utc

OBR = {4: "70450^CT HEAD W/O^L^24725-4^CT Head^LN", 18: "A1", 19: "RP1", 24: "CT"}
PV1 = segment("PV1", {2: "E", 3: "ED^1^A^NGTH", 10: "SUR", 19: "V7^^^NORTH^VN"})
NEW = {1: "NW", 2: "P1^HIS", 3: "F1^RISB", 9: "20260115083000", 12: "77^Roe^Ann^B^^^^^NPI"}


def order(
    orc: dict[int, str], *more: str, kind: str = "ORM^O01", app: str = "RIS", obr: dict[int, str] | None = None
) -> Parsed:
    request = segment("OBR", obr if obr is not None else OBR)
    return parse(message(kind, PID, PV1, segment("ORC", orc), request, *more, app=app))


def test_order_columns() -> None:
    obr = {
        **OBR, 5: "S", 27: "1^^^20260115100000^^R", 31: "R51^Headache^I10", 36: "20260115120000", 45: "LT^Left^HCPT",
        48: "MN^Necessary^L",
    }  # fmt: skip
    row = one(order(NEW, "ZDS|1.2.3^RIS^Application^DICOM", obr=obr), "order")
    assert {name: row[name] for name in row if row[name] is not None} == {
        "standard": "hl7", "source": "RIS@NGTH", "message_id": "C1", "message_at": utc("2026-01-15T14:00:00"),
        "facility_alias": "NGTH", "accession": "A1", "filler_id": "F1^RISB", "placer_id": "P1^HIS",
        "requested_procedure_id": "RP1", "study_uid": "1.2.3", "patient_id": "M1", "patient_authority": "NORTH",
        "birth_date": utc("1968-04-12").date(), "sex": "F", "visit_id": "V7^NORTH", "procedure_code": "70450",
        "procedure_text": "CT HEAD W/O", "procedure_system": "L", "alternate_code": "24725-4",
        "alternate_text": "CT Head", "alternate_system": "LN", "modality": "CT", "laterality": "L",
        "at": utc("2026-01-15T13:30:00"), "at_precision": "second", "at_zone_source": "facility", "order_control": "NW",
        "priority": "R", "patient_class": "E", "location": "ED", "service": "SUR", "reason": "R51",
        "ordering_id": "77", "ordering_authority": "NPI", "ordering_name": "Roe^Ann^B",
        "requested_at": utc("2026-01-15T15:00:00"), "duplicate_reason": "MN", "position": 0, "row_number": 0,
    }  # fmt: skip


def test_omi_takes_its_identifiers_from_ipc_and_its_time_from_tq1() -> None:
    ipc = segment("IPC", {1: "A9", 2: "RP9", 3: "1.2.9^^1.2.3^ISO", 4: "SPS9", 5: "MR", 7: "MRROOM", 9: "MR_AE"})
    tq1 = segment("TQ1", {7: "20260115110000", 9: "S^Stat^HL70485"})
    parsed = order(NEW, tq1, ipc, kind="OMI^O23", app="IPCRIS", obr={4: "1^MR BRAIN", 18: "NOT-THIS", 24: "RAD"})
    row = one(parsed, "order")
    assert (row["accession"], row["requested_procedure_id"], row["study_uid"]) == ("A9", "RP9", "1.2.9")
    assert (row["modality"], row["station"], row["priority"]) == ("MR", "MR_AE", "S")
    assert row["requested_at"] == utc("2026-01-15T16:00:00")


def test_accession_from_obr_3_where_the_site_says_so() -> None:
    assert one(order(NEW, app="OLDRIS", obr={**OBR, 3: "A77^RISB"}), "order")["accession"] == "A77"
    assert one(order(NEW, app="OLDRIS"), "order")["accession"] == "A1"  # else where it usually stands


def test_identifiers_without_a_namespace_are_the_sending_applications() -> None:
    row = one(order({**NEW, 2: " P1 ", 3: "F1^^1.2.3^ISO"}), "order")
    assert (row["placer_id"], row["filler_id"]) == ("P1^RIS", "F1^1.2.3")


def test_order_in_order_group_prefers_orc_and_falls_back_to_obr() -> None:
    row = one(order({1: "NW"}, obr={**OBR, 2: "P2^HIS", 3: "F2^RISB", 16: "78^Poe^Al"}), "order")
    assert (row["placer_id"], row["filler_id"], row["ordering_id"]) == ("P2^HIS", "F2^RISB", "78")
    assert row["ordering_authority"] is None


def test_deleted_values_are_empty_and_absent_ones_are_null() -> None:
    row = one(order(NEW, obr={**OBR, 18: '""', 31: '""'}), "order")
    assert (row["accession"], row["reason"], row["station"]) == ("", "", None)


@pytest.mark.parametrize("control", ["NW", "SN", "NA"])
def test_a_new_order_is_ordered_at_orc_9(control: str) -> None:
    assert events(order({**NEW, 1: control})) == [("ordered", "order", utc("2026-01-15T13:30:00"))]


def test_without_orc_9_the_message_time_is_marked_inferred() -> None:
    parsed = order({**NEW, 9: ""})
    assert events(parsed) == [("ordered", "order", utc("2026-01-15T14:00:00"))]
    assert one(parsed, "event")["is_inferred"] is True


@pytest.mark.parametrize("control", ["PA", "CH", "RO"])
def test_child_parent_and_replacement_orders_are_ordered_by_inference(control: str) -> None:
    parsed = order({**NEW, 1: control})
    assert one(parsed, "event")["code"] == "ordered"
    assert one(parsed, "event")["is_inferred"] is True


@pytest.mark.parametrize("control", ["XO", "XX", "XR", "HD", "RL", "OK", "UA", "UC", "SR", "RE"])
def test_orc_9_of_any_other_control_is_not_the_time_of_ordering(control: str) -> None:
    parsed = order({**NEW, 1: control})
    assert events(parsed) == []
    assert one(parsed, "order")["order_control"] == control


@pytest.mark.parametrize("control", ["CA", "OC", "CR", "DC", "OD", "DR"])
def test_cancel(control: str) -> None:
    parsed = order({**NEW, 1: control, 9: "20260115090500", 16: "DUP^Duplicate^L"})
    assert events(parsed) == [("cancelled", "order", utc("2026-01-15T14:05:00"))]
    assert one(parsed, "event")["reason_code"] == "DUP"


def test_cancel_with_orc_only() -> None:
    """IHE RAD-2: a cancel may carry nothing but ORC; it still ends the exam that others know."""
    parsed = parse(message("ORM^O01", PID, segment("ORC", {**NEW, 1: "CA"})))
    assert events(parsed) == [("cancelled", "order", utc("2026-01-15T13:30:00"))]
    assert one(parsed, "event")["filler_id"] == "F1^RISB"


def test_replacement_names_the_new_order() -> None:
    lines = [
        segment("ORC", {1: "RP", 2: "P1^HIS", 9: "20260115091000"}), segment("OBR", OBR),
        segment("ORC", {1: "RO", 2: "P2^HIS", 9: "20260115091000"}), segment("OBR", {**OBR, 18: "A2"}),
    ]  # fmt: skip
    parsed = parse(message("ORM^O01", PID, *lines))
    assert [(r["placer_id"], r["order_control"], r["replaced_by"]) for r in rows(parsed, "order")] == [
        ("P1^HIS", "RP", "P2^HIS"),
        ("P2^HIS", "RO", None),
    ]
    assert [e[0] for e in events(parsed)] == ["cancelled", "ordered"]
    assert [r["accession"] for r in rows(parsed, "event")] == ["A1", "A2"]


@pytest.mark.parametrize(("new", "expected"), [("PET WHOLE BODY", ["RP", "RO"]), ("GAIT TRAINING", [])])
def test_the_new_order_says_what_the_replaced_one_was(new: str, expected: list[str]) -> None:
    """OBR-24 PT alone is PET or physical therapy."""
    lines = [
        segment("ORC", {1: "RP", 2: "P1^HIS", 9: "20260115091000"}), segment("OBR", {2: "P1^HIS", 24: "PT"}),
        segment("ORC", {1: "RO", 2: "P2^HIS", 9: "20260115091000"}), segment("OBR", {4: f"X1^{new}^L", 24: "PT"}),
    ]  # fmt: skip
    parsed = parse(message("ORM^O01", PID, *lines))
    assert [r["order_control"] for r in rows(parsed, "order")] == expected


@pytest.mark.parametrize(
    ("status", "event"),
    [
        ("SC", "scheduled"), ("IP", "exam_started"), ("A", "exam_started"), ("CM", "exam_ended"), ("CA", "cancelled"),
        ("DC", "discontinued"), ("RP", "cancelled"), ("AR", "arrived"), ("IA", "images_available"),
        ("PR", "protocoled"),
    ],
)  # fmt: skip
def test_status_change(status: str, event: str) -> None:
    """ORC-5 of an SC message at ORC-9; the last three are the site's own codes."""
    parsed = order({**NEW, 1: "SC", 5: status, 9: "20260115094500"})
    assert events(parsed) == [(event, "ris", utc("2026-01-15T14:45:00"))]
    assert one(parsed, "event")["status_code"] == status


@pytest.mark.parametrize(
    ("status", "expected"),
    [("S", ["scheduled"]), ("I", ["exam_started"]), ("N", ["exam_ended"]), ("X", ["cancelled"]), ("F", [])],
)  # fmt: skip
def test_status_change_by_obr_25(status: str, expected: list[str]) -> None:
    assert [e[0] for e in events(order({**NEW, 1: "SC"}, obr={**OBR, 25: status}))] == expected


def test_status_change_without_a_status_is_a_defect() -> None:
    assert defects(order({**NEW, 1: "SC"})) == [("ORC-5", "missing")]


def test_hold_changes_no_milestone() -> None:
    assert events(order({**NEW, 1: "SC", 5: "HD"})) == []


def test_status_change_without_orc_9_is_at_the_message_time() -> None:
    assert events(order({**NEW, 1: "SC", 5: "CM", 9: ""})) == [("exam_ended", "ris", utc("2026-01-15T14:00:00"))]


@pytest.mark.parametrize(
    "field", [{7: "20260115070000"}, {7: "20260115070000", 8: "20260115073000"}, {6: "20260115060000"}]
)
def test_obr_7_of_an_order_is_ignored(field: dict[int, str]) -> None:
    parsed = order(NEW, obr={**OBR, **field})
    assert events(parsed) == [("ordered", "order", utc("2026-01-15T13:30:00"))]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("TQ1", {7: "20260115101500"}), ("ORC", {7: "1^^^20260115101500"}), ("OBR", {27: "1^^^20260115101500"}),
        ("OBR", {36: "20260115101500"}),
    ],
)  # fmt: skip
def test_slot(where: str, value: dict[int, str]) -> None:
    """TQ1-7, ORC-7.4, OBR-27.4 and OBR-36, unlike the time of the order: a slot booked at ORC-9."""
    more = [segment("TQ1", value)] if where == "TQ1" else []
    parsed = order(
        {**NEW, **(value if where == "ORC" else {})}, *more, obr={**OBR, **(value if where == "OBR" else {})}
    )
    booked = rows(parsed, "event")[1]
    assert (booked["code"], booked["origin"], booked["at"]) == ("scheduled", "order", utc("2026-01-15T13:30:00"))
    assert booked["slot_at"] == utc("2026-01-15T15:15:00")
    assert booked["is_inferred"] is True


def test_a_booked_order_states_its_slot() -> None:
    parsed = order({**NEW, 5: "SC"}, segment("TQ1", {7: "20260115101500"}))
    assert rows(parsed, "event")[1]["is_inferred"] is False


@pytest.mark.parametrize("same", ["20260115083000", "202601150830", "20260115143000+0100"])
def test_a_start_equal_to_the_order_time_is_a_request(same: str) -> None:
    parsed = order({**NEW, 9: "20260115083000"}, segment("TQ1", {7: same}))
    assert [e[0] for e in events(parsed)] == ["ordered"]
    assert one(parsed, "order")["requested_at"] == utc("2026-01-15T13:30:00")


def test_a_date_is_no_slot() -> None:
    parsed = order(NEW, obr={**OBR, 36: "20260116"})
    assert [e[0] for e in events(parsed)] == ["ordered"]
    assert one(parsed, "order")["requested_at"] is None


def test_change_with_a_new_slot() -> None:
    parsed = order({**NEW, 1: "XO", 9: "20260115090000"}, segment("TQ1", {7: "20260116101500"}))
    event = one(parsed, "event")
    assert (event["code"], event["slot_at"], event["is_inferred"]) == ("rescheduled", utc("2026-01-16T15:15:00"), True)


def test_scheduled_status_carries_the_slot() -> None:
    parsed = order({**NEW, 1: "SC", 5: "SC"}, segment("TQ1", {7: "20260116101500"}))
    assert one(parsed, "event")["slot_at"] == utc("2026-01-16T15:15:00")


def test_several_groups_and_several_requests_of_one_order() -> None:
    lines = [
        segment("ORC", NEW), segment("OBR", {**OBR, 2: "P1^HIS"}), segment("OBR", {**OBR, 2: "P2^HIS", 18: "A2"}),
        segment("OBR", {**OBR, 18: "A3"}), segment("ORC", {**NEW, 2: "P4^HIS", 3: "F4^RISB"}),
        segment("OBR", {**OBR, 18: "A4"}),
    ]  # fmt: skip
    found = rows(parse(message("ORM^O01", PID, *lines)), "order")
    assert [(r["accession"], r["placer_id"], r["filler_id"], r["order_control"], r["row_number"]) for r in found] == [
        ("A1", "P1^HIS", "F1^RISB", "NW", 0),
        ("A2", "P2^HIS", None, "NW", 1),
        ("A3", None, None, "NW", 2),  # a further OBR never inherits another request's numbers
        ("A4", "P4^HIS", "F4^RISB", "NW", 3),
    ]


def test_each_pid_opens_its_own_patient() -> None:
    other = "PID|2||M2^^^NORTH^MR||Poe^Al||19700101|M"
    lines = [
        PID,
        segment("ORC", NEW),
        segment("OBR", OBR),
        other,
        segment("ORC", NEW),
        segment("OBR", {**OBR, 18: "A2"}),
    ]
    assert [r["patient_id"] for r in rows(parse(message("ORM^O01", *lines)), "order")] == ["M1", "M2"]


def test_declared_outside_imaging() -> None:
    lines = ["OBX|1|CE|OUTPRIOR^^L||HELD", "OBX|2|CE|OUTMOD||CT", "OBX|3|CE|OUTREGION||HEAD", "OBX|4|NM|8867-4||72"]
    row = one(order(NEW, *lines), "order")
    assert (row["outside_prior"], row["outside_modality"], row["outside_body_part"]) == ("held", "CT", "HEAD")
    parsed = order(NEW, "OBX|1|CE|OUTPRIOR||MAYBE")
    assert one(parsed, "order")["outside_prior"] is None
    assert defects(parsed) == [("OBX-5", "unknown_code")]


def test_second_coding_of_obr_44() -> None:
    row = one(order(NEW, obr={4: "X1^Chest PA", 24: "DX", 44: "71046^X-ray chest 2 views^C4"}), "order")
    assert (row["alternate_code"], row["alternate_text"], row["alternate_system"]) == (
        "71046",
        "X-ray chest 2 views",
        "C4",
    )


def test_loinc_in_obr_44_comes_before_another_alternate() -> None:
    first = "X1^Chest PA^L^71046^X-ray chest 2 views^C4"
    row = one(order(NEW, obr={4: first, 24: "DX", 44: "36643-5^XR Chest 2 Views^LN"}), "order")
    assert (row["alternate_code"], row["alternate_system"]) == ("36643-5", "LN")
    row = one(order(NEW, obr={4: first, 24: "DX", 44: "99999^Other^C4"}), "order")
    assert (row["alternate_code"], row["alternate_system"]) == ("71046", "C4")


@pytest.mark.parametrize(("modifier", "side"), [("RT", "R"), ("LT", "L"), ("50", "B"), ("26~RT", "R"), ("26", None)])
def test_laterality(modifier: str, side: str | None) -> None:
    assert one(order(NEW, obr={**OBR, 45: modifier}), "order")["laterality"] == side


@pytest.mark.parametrize("kind", ["ORM^O01", "OMG^O19", "OMI^O23", "ORR^O02", "ORG^O20", "ORI^O24"])
def test_message_types(kind: str) -> None:
    assert one(order(NEW, kind=kind), "order")["accession"] == "A1"


def test_bad_fields_are_counted_and_the_record_survives() -> None:
    parsed = order({**NEW, 1: "??", 9: "20269999"}, "TQ1|1||||||yesterday")
    row = one(parsed, "order")
    assert (row["accession"], row["at"]) == ("A1", utc("2026-01-15T14:00:00"))
    assert defects(parsed) == [("TQ1-7", "not a time"), ("ORC-9", "not a date"), ("ORC-1", "unknown_code")]


def test_zones() -> None:
    """The offset in the value, else that of MSH-7, else the facility's zone; each said."""
    orc = segment("ORC", {**NEW, 9: "20260115083000"})
    lines = (PID, PV1, orc, segment("OBR", OBR))
    row = one(parse(message("ORM^O01", *lines, at="20260115090000-0700")), "order")
    assert (row["at"], row["at_zone_source"]) == (utc("2026-01-15T15:30:00"), "message")
    moved = [line.replace("083000", "083000+0100") for line in lines]
    row = one(parse(message("ORM^O01", *moved, at="20260115090000-0700")), "order")
    assert (row["at"], row["at_zone_source"]) == (utc("2026-01-15T07:30:00"), "offset")


def test_an_unmapped_sender_is_kept() -> None:
    row = one(parse(message("ORM^O01", PID, segment("ORC", NEW), segment("OBR", OBR), app="STRANGER")), "order")
    assert (row["source"], row["accession"]) == ("STRANGER@NGTH", "A1")
