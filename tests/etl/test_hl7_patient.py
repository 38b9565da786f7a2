"""PID, visits, arrival, links and merges. Expectations by hand, per trigger of chapter 3."""

from __future__ import annotations

import pytest

from etl.site import Site
from etl.sources import hl7
from tests.etl.hl7_lines import PID, defects, events, message, one, parse, rows, segment, utc

TWO = "PID|1||M1^^^NORTH^MR~E7^^^NET^PI||Doe^Jane||19680412|F"
EVN = segment("EVN", {1: "A01", 2: "20260115090500", 6: "20260115085500"})
LINK = ("kind", "patient_id", "patient_authority", "prior_id", "prior_authority")


def links(data: bytes) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in LINK) for row in rows(parse(data), "patient_link")]


def test_repetitions_of_pid_3_are_the_same_person() -> None:
    pid = "PID|1||M1^^^NORTH^MR~E7^^^NET^PI~123^^^USSSA^SS~A5^^^NORTH^AN~M1^^^NORTH^MR||Doe"
    parsed = parse(message("ADT^A08", "EVN|A08|20260115090500", pid))
    found = [tuple(row[name] for name in LINK) for row in rows(parsed, "patient_link")]
    assert found == [
        ("same", "M1", "NORTH", "E7", "NET"),
        ("same", "M1", "NORTH", "123", "USSSA"),  # the account number (AN) and the repeat are not there
    ]
    assert rows(parsed, "patient_link")[0]["at"] == utc("2026-01-15T14:05:00")


def test_a_file_says_once_that_identifiers_are_the_same() -> None:
    other = TWO.replace("M1", "M3").replace("E7", "E9")
    data = b"".join(message("ADT^A08", "EVN|A08|20260115090500", pid) for pid in (TWO, other, TWO))
    assert links(data) == [("same", "M1", "NORTH", "E7", "NET"), ("same", "M3", "NORTH", "E9", "NET")]


@pytest.mark.parametrize(
    ("pid", "identifier"),
    [
        ("PID|1||M1^^^&1.2.3&ISO^MR", ("M1", "1.2.3")),
        ("PID|1||M1", ("M1", "facility:NORTH")),
        ("PID|1|X9^^^OLD||", ("X9", "OLD")),
        ("PID|1||~M2^^^NORTH", ("M2", "NORTH")),
        ('PID|1||""~M2^^^NORTH', ("M2", "NORTH")),
    ],
)
def test_patient_identifier(pid: str, identifier: tuple[str, str]) -> None:
    row = one(parse(message("ADT^A04", EVN, pid)), "event")
    assert (row["patient_id"], row["patient_authority"]) == identifier


def test_identifier_of_an_unknown_facility() -> None:
    row = next(hl7.parse(message("ADT^A04", EVN, "PID|1||M1"), Site()).records("event"))
    assert row["patient_authority"] == "unknown:NGTH"


def test_facility_of_the_visit_wins_over_the_sender_if_the_site_knows_it() -> None:
    known = message("ADT^A04", EVN, PID, "PV1|1|O|RAD^1^1^Northgate").replace(b"|NGTH|", b"|HUB7|")
    assert one(parse(known), "event")["facility_alias"] == "Northgate"
    unknown = message("ADT^A04", EVN, PID, "PV1|1|O|RAD^1^1^ELSEWHERE")
    assert one(parse(unknown), "event")["facility_alias"] == "NGTH"


@pytest.mark.parametrize("trigger", ["A01", "A04", "A10"])
def test_arrival(trigger: str) -> None:
    parsed = parse(message(f"ADT^{trigger}", EVN, PID, "PV1|1|E|ED||||||||||||||||V7^^^NORTH^VN"))
    assert events(parsed) == [("arrived", "adt", utc("2026-01-15T13:55:00"))]
    row = one(parsed, "event")
    assert (row["visit_id"], row["status_code"], row["detail"], row["accession"]) == ("V7^NORTH", trigger, "E", None)


def test_arrival_time() -> None:
    """EVN-6 occurred, else PV1-44 admitted (not for tracking), else EVN-2 recorded, else MSH-7."""
    visit = "PV1|1|E" + "|" * 42 + "20260115080000"
    assert events(parse(message("ADT^A01", "EVN|A01|20260115090500", PID, visit)))[0][2] == utc("2026-01-15T13:00:00")
    assert events(parse(message("ADT^A10", "EVN|A10|20260115090500", PID, visit)))[0][2] == utc("2026-01-15T14:05:00")
    assert events(parse(message("ADT^A01", "EVN|A01", PID)))[0][2] == utc("2026-01-15T14:00:00")


def move(trigger: str, visit: dict[int, str], event: str = "20260115085500") -> bytes:
    visit = {1: "1", 2: "O", 19: "V7^^^NORTH^VN", **visit}
    return message(f"ADT^{trigger}", f"EVN|{trigger}|20260115090500||||{event}", PID, segment("PV1", visit))


@pytest.mark.parametrize(
    ("trigger", "visit", "kind", "room"),
    [
        ("A10", {3: "3WEST^301^A", 11: "RAD^CT1^1^NGTH"}, "entered", "RAD^CT1"),
        ("A10", {3: "RAD^CT1"}, "entered", "RAD^CT1"),
        ("A10", {11: "^CT1"}, "entered", "CT1"),
        ("A10", {3: "ED", 43: "RAD^CT1"}, "entered", "ED"),
        # out of a temporary location, out of an assigned one in transit (PV1-42 is where to), else where the patient is
        ("A09", {3: "3WEST^301", 11: "RAD^XR", 43: "RAD^CT1"}, "left", "RAD^CT1"),
        ("A09", {3: "3WEST^301", 6: "RAD^CT1", 42: "3WEST^301"}, "left", "RAD^CT1"),
        ("A09", {3: "3WEST^301", 11: "RAD^CT1"}, "left", "RAD^CT1"),
        ("A09", {3: "RAD^CT1"}, "left", "RAD^CT1"),
        ("A32", {3: "3WEST^301", 11: "RAD^CT1"}, "not_entered", None),
        ("A33", {3: "3WEST^301"}, "not_left", None),
    ],
)
def test_moves_between_rooms(trigger: str, visit: dict[int, str], kind: str, room: str | None) -> None:
    row = one(parse(move(trigger, visit)), "room_move")
    assert (row["kind"], row["room"], row["at"]) == (kind, room, utc("2026-01-15T13:55:00"))
    assert (row["patient_id"], row["visit_id"], row["stay_ref"]) == ("M1", "V7^NORTH", None)


def test_a_move_is_when_it_occurred_else_when_it_was_recorded() -> None:
    (row,) = rows(parse(move("A09", {3: "RAD^CT1", 44: "20260115060000"}, "")), "room_move")
    assert row["at"] == utc("2026-01-15T14:05:00")
    parsed = parse(move("A10", {11: "RAD^CT1"}, "20260115"))
    assert (parsed.rows, defects(parsed)) == ({}, [("EVN-6", "no_instant")])


def test_an_arrival_for_a_while_is_none_of_the_visit() -> None:
    """A patient who is somewhere for a while (PV1-11) came before; an assigned place may be where the visit began."""
    assert events(parse(move("A10", {3: "3WEST", 11: "RAD^WAIT"}))) == []
    assert one(parse(move("A10", {3: "RAD^CT1"})), "event")["station"] == "RAD^CT1"
    assert one(parse(move("A10", {})), "event")["station"] is None
    assert "room_move" not in parse(move("A10", {})).rows


def test_a_move_of_nobody_is_counted() -> None:
    parsed = parse(message("ADT^A09", EVN, "PID|1", "PV1|1|O|RAD^CT1"))
    assert (parsed.rows, defects(parsed)) == ({}, [("PID-3", "missing")])


def test_trigger_from_evn_in_version_2_1() -> None:
    assert events(parse(message("ADT", "EVN|A04|20260115090500", PID, version="2.1")))[0][0] == "arrived"


@pytest.mark.parametrize(
    "trigger",
    ["A02", "A03", "A05", "A06", "A07", "A08", "A09", "A11", "A12", "A13", "A14", "A28", "A31", "A60"],
)
def test_triggers_that_say_nothing_about_an_exam(trigger: str) -> None:
    parsed = parse(message(f"ADT^{trigger}", EVN, PID))
    assert (parsed.rejected, parsed.rows, parsed.defects) == ([], {}, [])


@pytest.mark.parametrize("trigger", ["A18", "A30", "A34", "A36", "A39", "A40", "A43", "A47"])
def test_merge(trigger: str) -> None:
    """All that is filed under MRG-1 belongs to PID-3 from now on."""
    data = message(f"ADT^{trigger}", EVN, PID, "MRG|M2^^^NORTH^MR")
    assert links(data) == [("merge", "M1", "NORTH", "M2", "NORTH")]
    assert one(parse(data), "patient_link")["at"] == utc("2026-01-15T13:55:00")


@pytest.mark.parametrize("trigger", ["A35", "A41", "A42", "A44", "A45", "A49", "A50", "A51"])
def test_accounts_and_visits_move_no_patient(trigger: str) -> None:
    assert links(message(f"ADT^{trigger}", EVN, PID, "MRG|M1^^^NORTH^MR||ACC2||V2", "PV1|1|O")) == []


def test_several_merges_in_one_message() -> None:
    lines = [EVN, PID, "MRG|M2^^^NORTH^MR", "PID|2||M5^^^NORTH^MR", "MRG|M6^^^NORTH^MR"]
    assert links(message("ADT^A40", *lines)) == [
        ("merge", "M1", "NORTH", "M2", "NORTH"),
        ("merge", "M5", "NORTH", "M6", "NORTH"),
    ]


def test_each_prior_identifier_goes_to_the_one_of_its_authority() -> None:
    found = links(message("ADT^A40", EVN, TWO, "MRG|E8^^^NET^PI~M2^^^NORTH^MR~X1^^^OLD"))
    assert found == [
        ("same", "M1", "NORTH", "E7", "NET"),
        ("merge", "E7", "NET", "E8", "NET"),
        ("merge", "M1", "NORTH", "M2", "NORTH"),
        ("merge", "M1", "NORTH", "X1", "OLD"),
    ]


def test_a_merge_with_itself_or_with_nothing_is_counted() -> None:
    parsed = parse(message("ADT^A40", EVN, PID, "MRG|M1^^^NORTH^MR"))
    assert (parsed.rows, defects(parsed)) == ({}, [("MRG-1", "merged_with_itself")])
    assert defects(parse(message("ADT^A40", EVN, PID, "MRG|"))) == [("MRG-1", "missing")]
    assert defects(parse(message("ADT^A40", EVN, "PID|1", "MRG|M2"))) == [("PID-3", "missing")]


def test_move_of_an_identifier_between_persons() -> None:
    """A43 with PID-3 equal to MRG-1 (3.3.43): the identifier leaves MRG-4 for PID-2."""
    data = message("ADT^A43", EVN, "PID|1|EXT2^^^NET|M1^^^NORTH^MR", "MRG|M1^^^NORTH^MR|||EXT1^^^NET")
    assert links(data) == [("unlink", "EXT1", "NET", "M1", "NORTH"), ("link", "EXT2", "NET", "M1", "NORTH")]
    assert defects(parse(message("ADT^A43", EVN, PID, "MRG|M1^^^NORTH^MR"))) == [("MRG-4", "missing")]


@pytest.mark.parametrize(("trigger", "kind"), [("A24", "link"), ("A37", "unlink")])
def test_link_and_unlink(trigger: str, kind: str) -> None:
    data = message(f"ADT^{trigger}", EVN, PID, "PV1|1|O", "PID|2||M2^^^NORTH^MR")
    assert links(data) == [(kind, "M1", "NORTH", "M2", "NORTH")]
    assert links(message(f"ADT^{trigger}", EVN, PID)) == []


def test_unknown_trigger_is_kept_and_counted() -> None:
    parsed = parse(message("ADT^Z77", EVN, PID))
    assert (parsed.rejected, defects(parsed)) == ([], [("MSH-9.2", "unknown_trigger")])


def test_arrival_without_a_patient_is_counted() -> None:
    parsed = parse(message("ADT^A04", EVN, "PID|1"))
    assert (parsed.rows, defects(parsed)) == ({}, [("PID-3", "missing")])


def test_bad_birth_date_is_counted() -> None:
    parsed = parse(message("ADT^A04", EVN, "PID|1||M1^^^NORTH||Doe||19681340"))
    assert defects(parsed) == [("PID-7", "not a date")]
    assert len(rows(parsed, "event")) == 1
