"""Hand-made sequences of HL7 messages in every order of arrival, a build after each: one row, as worked out by hand.

Each permutation of a story is told about patients and accessions of its own, so that one installation holds them all.
"""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation

SITE = '[site]\ndefault_zone = "UTC"\n[[facility]]\nid = "NORTH"\nname = "Northgate"\nzone = "UTC"\n'
DAY = "20260302"


def message(kind: str, clock: str, patient: str, *lines: str) -> str:
    head = f"MSH|^~\\&|RIS|NORTH|X|Y|{DAY}{clock}00||{kind}|{{id}}-{clock}|P|2.3.1"
    return "\r".join([head, f"PID|1||{{id}}{patient}^^^NORTH^MR||Doe^Jane", *lines]) + "\r"


def order(control: str, exam: str, clock: str, status: str = "") -> str:
    """ORC and OBR of one order group."""
    number = f"{{id}}{exam}"
    return (
        f"ORC|{control}|P{number}|F{number}||{status}||||{DAY}{clock}00\r"
        f"OBR|1|P{number}|F{number}|CT1^CT HEAD||||||||||||||{number}||||||CT"
    )


def ordered(exam: str, clock: str, patient: str = "m") -> str:
    return message("ORM^O01", clock, patient, order("NW", exam, clock))


def status(exam: str, code: str, clock: str) -> str:
    return message("ORM^O01", clock, "m", order("SC", exam, clock, code))


def result(exam: str, code: str, clock: str) -> str:
    number = f"{{id}}{exam}"
    return message(
        "ORU^R01", clock, "m", f"ORC|RE|P{number}|F{number}",
        f"OBR|1|P{number}|F{number}|CT1^CT HEAD||||||||||||||{number}||||{DAY}{clock}00||CT|{code}|||||||R1&Roe&Ann",
    )  # fmt: skip


def merged(kept: str, gone: str, clock: str) -> str:
    return message("ADT^A40", clock, kept, f"EVN|A40|{DAY}{clock}00", f"MRG|{{id}}{gone}^^^NORTH^MR")


STORIES: dict[str, list[str]] = {
    "late": [ordered("a", "0800"), status("a", "IP", "0900"), status("a", "CM", "0930"), result("a", "F", "1100")],
    "fixed": [ordered("a", "0800"), result("a", "P", "1000"), result("a", "F", "1100"), result("a", "C", "1200")],
    "replaced": [
        ordered("a", "0800"),
        message("ORM^O01", "0830", "m", order("RP", "a", "0830"), order("RO", "b", "0830")),
        message("ORM^O01", "0840", "m", order("RP", "b", "0840"), order("RO", "c", "0840")),
        result("c", "F", "1100"),
    ],
    "cancelled": [
        ordered("a", "0800"), message("ORM^O01", "0815", "m", order("CA", "a", "0815")), ordered("b", "0900"),
    ],
    "merged": [ordered("a", "0800"), ordered("b", "0900", "old"), merged("m", "old", "1000"), result("a", "F", "1100")],
    "chain": [
        ordered("a", "0800"), ordered("b", "0900", "oldest"),
        merged("old", "oldest", "1000"), merged("m", "old", "1030"),
    ],
}  # fmt: skip
#: (story, exam) -> ordered, started, ended, first preliminary and final, corrections, cancelled, excluded because.
EXPECTED: dict[tuple[str, str], tuple[Any, ...]] = {
    ("late", "a"): ("08:00", "09:00", "09:30", None, "11:00", 0, False, None),
    ("fixed", "a"): ("08:00", None, None, "10:00", "11:00", 1, False, "not_performed"),
    ("replaced", "a"): ("08:00", None, None, None, None, 0, True, "cancelled"),
    ("replaced", "b"): ("08:30", None, None, None, None, 0, True, "cancelled"),
    ("replaced", "c"): ("08:40", None, None, None, "11:00", 0, False, "not_performed"),
    ("cancelled", "a"): ("08:00", None, None, None, None, 0, True, "cancelled"),
    ("cancelled", "b"): ("09:00", None, None, None, None, 0, False, "not_performed"),
    ("merged", "a"): ("08:00", None, None, None, "11:00", 0, False, "not_performed"),
    ("merged", "b"): ("09:00", None, None, None, None, 0, False, "not_performed"),
    ("chain", "a"): ("08:00", None, None, None, None, 0, False, "not_performed"),
    ("chain", "b"): ("09:00", None, None, None, None, 0, False, "not_performed"),
}  # fmt: skip


def told(story: str) -> list[tuple[str, ...]]:
    """The messages of each permutation, in its order."""
    return [
        tuple(STORIES[story][step].format(id=f"{story}-{number}-") for step in steps)
        for number, steps in enumerate(permutations(range(len(STORIES[story]))))
    ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """All permutations of all stories, one message of each a batch, a build after each batch."""
    root = tmp_path_factory.mktemp("orders")
    house = Installation(root / "home", {"publish_accession": True, "site": site(root)})
    for step in range(4):
        batch = [steps[step] for story in STORIES for steps in told(story) if step < len(steps)]
        (house.home.inbox / f"{step}.hl7").write_text("".join(batch), "ascii")
        house.stages("ingest", "build")
    return house


def site(root: Path) -> Path:
    folder = root / "site"
    folder.mkdir()
    (folder / "site.toml").write_text(SITE, "ascii")
    return folder


def test_every_order_of_arrival_gives_the_rows_worked_out_by_hand(house: Installation) -> None:
    clocks = ("ordered_at", "exam_started_at", "exam_ended_at", "first_prelim_at", "first_final_at")
    answers = house.rows(f"""
        SELECT split_part(accession, '-', 1), split_part(accession, '-', 3), count(*),
               {", ".join(f"strftime({clock}, '%H:%M')" for clock in clocks)},
               n_corrections, is_cancelled, exclusion_reason
        FROM fct_exam GROUP BY ALL""")
    found = {(story, exam): (n, *rest) for story, exam, n, *rest in answers}
    assert len(found) == len(answers)
    assert found == {key: (len(told(key[0])), *row) for key, row in EXPECTED.items()}


def test_merged_patients_are_one_in_every_order(house: Installation) -> None:
    per_telling = house.rows("""
        SELECT split_part(accession, '-', 1), count(DISTINCT patient_key), count(*) FROM fct_exam
        WHERE accession LIKE 'merged-%' OR accession LIKE 'chain-%'
        GROUP BY split_part(accession, '-', 1), split_part(accession, '-', 2)""")
    assert sorted(set(per_telling)) == [("chain", 1, 2), ("merged", 1, 2)]
    assert house.rows("SELECT count(DISTINCT patient_key) FROM fct_exam") == [(sum(len(told(s)) for s in STORIES),)]


def test_rebuilt_from_raw_it_is_the_same(house: Installation) -> None:
    assert house.digest(full=True) == house.digest()
    assert house.digest() == house.digest(full=True)
