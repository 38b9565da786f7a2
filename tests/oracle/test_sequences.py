"""Sequences of report statuses and of order controls with their rows worked out by hand, through oracle and product.

A step is `what@minute`, in order of arrival; minutes count from 07:00 in New York. After the minute may stand `d` (the
message's own time field is known to the day only), `-` (it is empty; MSH-7 is there), `>30` (a slot), `/x` (the reader
of a report, the priority of an order). `SC:IP` is ORC-1 with ORC-5, `SC::I` with OBR-25; `F+C` is OBR-25 with OBX-11,
`+F` OBX-11 alone, `+ADT` the suffix of an addendum in OBX-3. `AD` is the site's own code for an addendum.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.compare import differences, oracle_rows
from tests.oracle.product import Product

#: steps | first and last preliminary | first and last final | addenda, corrections | reader | what became of the exam
REPORTS = """
end@0                                     | - -   | - -     | 0 0 | - | counted
end@0 P@10                                | 10 10 | - -     | 0 0 | - | counted
end@0 F@10/1                              | - -   | 10 10   | 0 0 | 1 | counted
end@0 P@10/1 F@20/2                       | 10 10 | 20 20   | 0 0 | 2 | counted
end@0 F@20/2 P@10/1                       | 10 10 | 20 20   | 0 0 | 2 | counted
F@20/2 P@10/1 end@0                       | 10 10 | 20 20   | 0 0 | 2 | counted
end@0 P@10 P@15 F@20/1                    | 10 15 | 20 20   | 0 0 | 1 | counted
end@0 P@15 P@10 F@20/1                    | 10 15 | 20 20   | 0 0 | 1 | counted
end@0 R@10 F@20/1                         | 10 10 | 20 20   | 0 0 | 1 | counted
end@0 M@10 F@20/1                         | 10 10 | 20 20   | 0 0 | 1 | counted
end@0 P@10/1 F@20                         | 10 10 | 20 20   | 0 0 | - | counted
end@0 F@20/1 P@30/2                       | 30 30 | 20 20   | 0 0 | 1 | counted
end@0 F@20/1 F@20/1                       | - -   | 20 20   | 0 0 | 1 | counted
end@0 F@20/1 F@30/2                       | - -   | 20 30   | 0 0 | 1 | counted
end@0 F@30/2 F@20/1                       | - -   | 20 30   | 0 0 | 1 | counted
end@0 F@20/1 C@30/2                       | - -   | 20 20   | 0 1 | 1 | counted
end@0 C@30/2 F@20/1                       | - -   | 20 20   | 0 1 | 1 | counted
end@0 F@20/1 C@30/2 C@40/2                | - -   | 20 20   | 0 2 | 1 | counted
end@0 F@20/1 C@30/2 C@30/2                | - -   | 20 20   | 0 1 | 1 | counted
end@0 F@20/1 C@30/2 F@40/3                | - -   | 20 40   | 0 1 | 1 | counted
end@0 F@20 C@30/2                         | - -   | 20 20   | 0 1 | 2 | counted
end@0 C@30/2                              | - -   | 30 30   | 0 1 | 2 | counted
end@0 C@40/3 C@30/2                       | - -   | 30 30   | 0 2 | 2 | counted
end@0 P@10/1 C@30/2                       | 10 10 | 30 30   | 0 1 | 2 | counted
end@0 AD@40/1                             | - -   | 40 40   | 1 0 | 1 | counted
end@0 AD@40/1 C@50/2                      | - -   | 40 40   | 1 1 | 1 | counted
end@0 C@40/2 AD@50/1                      | - -   | 40 40   | 1 1 | 2 | counted
end@0 P@10 AD@40/2 F@20/1                 | 10 10 | 20 20   | 1 0 | 1 | counted
end@0 F@20/1 AD@40/2 AD@50/2              | - -   | 20 20   | 2 0 | 1 | counted
end@0 F@20/1 AD@40/2 AD@40/2              | - -   | 20 20   | 1 0 | 1 | counted
end@0 F@20/1 C@30/1 AD@40/1               | - -   | 20 20   | 1 1 | 1 | counted
end@0 F@20/1 F+C@30/2                     | - -   | 20 20   | 0 1 | 1 | counted
end@0 F@20/1 F+W@30/2                     | - -   | 20 20   | 0 1 | 1 | counted
end@0 F@20/1 F+A@30/2                     | - -   | 20 20   | 1 0 | 1 | counted
end@0 F@20/1 F+B@30/2                     | - -   | 20 20   | 1 0 | 1 | counted
end@0 F@20/1 F+ADT@30/2                   | - -   | 20 20   | 1 0 | 1 | counted
end@0 F@20/1 C+ADT@30/2                   | - -   | 20 20   | 1 0 | 1 | counted
end@0 P@10 P+U@20/1                       | 10 10 | 20 20   | 0 0 | 1 | counted
end@0 A+U@20/1                            | - -   | 20 20   | 0 0 | 1 | counted
end@0 +F@20/1                             | - -   | 20 20   | 0 0 | 1 | counted
end@0 +P@10                               | 10 10 | - -     | 0 0 | - | counted
end@0 +P@10 +C@30/1                       | 10 10 | 30 30   | 0 1 | 1 | counted
end@0 A@10                                | - -   | - -     | 0 0 | - | counted
end@0 A@10 F@20/1                         | - -   | 20 20   | 0 0 | 1 | counted
end@0 P@10 X@20                           | 10 10 | - -     | 0 0 | - | counted
end@0 F@20/1 X@30                         | - -   | 20 20   | 0 0 | 1 | counted
end@0 X@20                                | - -   | - -     | 0 0 | - | counted
X@20                                      | - -   | - -     | 0 0 | - | cancelled
X@20 NW@30                                | - -   | - -     | 0 0 | - | not_performed
NW@0 X@20                                 | - -   | - -     | 0 0 | - | cancelled
P@10 X@20                                 | 10 10 | - -     | 0 0 | - | not_performed
F@20/1 X@30                               | - -   | 20 20   | 0 0 | 1 | not_performed
O@1 S@2 I@3 N@9 F@20/1                    | - -   | 20 20   | 0 0 | 1 | counted
end@0 Y@5 Z@6                             | - -   | - -     | 0 0 | - | counted
end@0 F@20d/1                             | - -   | - -     | 0 0 | 1 | counted
end@0 F@20-/1                             | - -   | 20 20   | 0 0 | 1 | counted
end@0 P@10d F@20/1                        | - -   | 20 20   | 0 0 | 1 | counted
end@0 F@20/1 C@30d/2                      | - -   | 20 20   | 0 1 | 1 | counted
end@0 F@20d/1 C@30/2                      | - -   | 30 30   | 0 1 | 1 | counted
end@0 F@-10/1                             | - -   | -10 -10 | 0 0 | 1 | counted
"""

#: steps | ordered, slot, started, ended, last cancel | priority | what became of the exam
ORDERS = """
NW@0                                 | 0 - - - -    | routine | not_performed
SN@0                                 | 0 - - - -    | routine | not_performed
NA@0                                 | 0 - - - -    | routine | not_performed
PA@0                                 | 0 - - - -    | routine | not_performed
CH@0                                 | 0 - - - -    | routine | not_performed
RO@0                                 | 0 - - - -    | routine | not_performed
XO@5                                 | - - - - -    | routine | not_performed
HD@5                                 | - - - - -    | routine | not_performed
NW@0 NW@5                            | 0 - - - -    | routine | not_performed
NW@5 NW@0                            | 0 - - - -    | routine | not_performed
XO@5 NW@0                            | 0 - - - -    | routine | not_performed
NW@0d                                | - - - - -    | routine | not_performed
NW@0-                                | 0 - - - -    | routine | not_performed
NW@0>30                              | 0 30 - - -   | routine | not_performed
NW@0>0                               | 0 - - - -    | routine | not_performed
NW@0>30 XO@5                         | 0 30 - - -   | routine | not_performed
NW@0>30 XO@5>60                      | 0 60 - - -   | routine | not_performed
XO@5>60 NW@0>30                      | 0 60 - - -   | routine | not_performed
NW@0 SC:SC@5>30                      | 0 30 - - -   | routine | not_performed
NW@0 SC:SC@5>30 XO@6>60 SC:SC@7      | 0 60 - - -   | routine | not_performed
NW@0/S                               | 0 - - - -    | stat    | not_performed
NW@0/T                               | 0 - - - -    | stat    | not_performed
NW@0/A                               | 0 - - - -    | urgent  | not_performed
NW@0/P                               | 0 - - - -    | urgent  | not_performed
NW@0/S XO@5/R                        | 0 - - - -    | routine | not_performed
XO@5/R NW@0/S                        | 0 - - - -    | routine | not_performed
NW@0/S XO@5                          | 0 - - - -    | stat    | not_performed
NW@0/S XO@5/""                       | 0 - - - -    | routine | not_performed
NW@0/R F@9 XO@5/S                    | 0 - - - -    | stat    | not_performed
NW@0 CA@5                            | 0 - - - 5    | routine | cancelled
NW@0 OC@5                            | 0 - - - 5    | routine | cancelled
NW@0 DC@5                            | 0 - - - 5    | routine | cancelled
NW@0 CR@5                            | 0 - - - 5    | routine | cancelled
NW@0 OD@5                            | 0 - - - 5    | routine | cancelled
CA@5                                 | - - - - 5    | routine | cancelled
CA@5 NW@0                            | 0 - - - 5    | routine | cancelled
NW@0 CA@0                            | 0 - - - 0    | routine | cancelled
NW@0 CA@5d                           | 0 - - - -    | routine | cancelled
NW@0 CA@5 NW@10                      | 0 - - - 5    | routine | not_performed
NW@0 CA@5 NW@10 CA@15                | 0 - - - 15   | routine | cancelled
NW@0 CA@5 XO@9                       | 0 - - - 5    | routine | cancelled
NW@0>30 CA@5 XO@9>60                 | 0 60 - - 5   | routine | not_performed
NW@0 CA@5 UC@9                       | 0 - - - 5    | routine | cancelled
NW@0 UC@5                            | 0 - - - -    | routine | not_performed
NW@0 OK@5                            | 0 - - - -    | routine | not_performed
NW@0 HD@5 RL@9                       | 0 - - - -    | routine | not_performed
NW@0 SC:CA@5                         | 0 - - - 5    | routine | cancelled
NW@0 RP@5                            | 0 - - - 5    | routine | cancelled
NW@0 RU@5                            | 0 - - - 5    | routine | cancelled
NW@5 RP@5                            | 5 - - - 5    | routine | cancelled
NW@0 RP+RO@5                         | 0 - - - 5    | routine | not_performed
NW@0 RP+RO@5 CA@9                    | 0 - - - 9    | routine | cancelled
NW@0 RP+RO@5 SC:IP@9 SC:CM@20        | 0 - 9 20 5   | routine | counted
NW@0 SC:IP@5                         | 0 - 5 - -    | routine | not_performed
NW@0 SC:A@5                          | 0 - 5 - -    | routine | not_performed
NW@0 SC:IP@5 SC:CM@20                | 0 - 5 20 -   | routine | counted
SC:CM@20 SC:IP@5 NW@0                | 0 - 5 20 -   | routine | counted
NW@0 SC::I@5 SC::N@20                | 0 - 5 20 -   | routine | counted
NW@0 SC:IP@5 SC:IP@7 SC:CM@20 SC:CM@25 | 0 - 5 25 - | routine | counted
NW@0 SC:IP@5 CA@6                    | 0 - 5 - 6    | routine | cancelled
NW@0 SC:IP@5 SC:CM@20 CA@30          | 0 - 5 20 30  | routine | counted
NW@0 CA@5 SC:CM@20                   | 0 - - 20 5   | routine | counted
NW@0 SC:IP@5 SC:DC@8                 | 0 - 5 - -    | routine | discontinued
NW@0 SC:DC@8 SC:IP@9 SC:CM@20        | 0 - 9 20 -   | routine | counted
NW@0 SC:IP@5 SC:CM@20 SC:DC@25       | 0 - 5 20 -   | routine | discontinued
NW@0 SC:CM@20d                       | 0 - - - -    | routine | not_performed
NW@0 S12@1>30                        | 0 30 - - -   | routine | not_performed
S12@1>30 NW@5>45                     | 5 30 - - -   | routine | not_performed
S12@1>30 S13@2>60                    | - 60 - - -   | routine | not_performed
S13@2>60 S12@1>30                    | - 60 - - -   | routine | not_performed
S12@1>30 S15@2                       | - 30 - - 2   | routine | cancelled
S12@1>30 S26@40                      | - 30 - - -   | routine | no_show
S26@40 S12@1>30                      | - 30 - - -   | routine | no_show
S12@1>30 S26@40 S12@50>90            | - 90 - - -   | routine | not_performed
S12@1>30 S26@40 SC:IP@60 SC:CM@80    | - 30 60 80 - | routine | counted
"""

BEGIN = datetime(2026, 3, 3, 12)  # 07:00 in New York
STEP = re.compile(r"([\w:+]+)@(-?\d+)([d-]?)(?:>(\d+))?(?:/(\S+))?")
Row = dict[str, Any]


def wall(minute: int) -> str:
    return f"{BEGIN - timedelta(hours=5) + timedelta(minutes=minute):%Y%m%d%H%M%S}"


def message(exam: int, index: int, step: str) -> bytes:
    """The HL7 message of one step."""
    found = STEP.fullmatch(step)
    assert found, step
    what, minute, mark, slot, extra = found[1], int(found[2]), found[3], found[4], found[5] or ""
    at = {"d": wall(minute)[:8], "-": ""}.get(mark, wall(minute))
    slot = wall(int(slot)) if slot else ""
    pid = f"PID|1||M{exam}^^^NORTH^MR"
    numbers = f"P{exam}^OE|F{exam}^RIS"
    first, _, second = what.partition("+")
    if what.startswith("S") and what[1:].isdigit():
        kind = f"SIU^{what}"
        lines = [f"SCH|S{exam}" + "|" * 25 + numbers, pid, f"AIS|1||CTH|{slot}"]
    elif what == "RP+RO":
        kind = "ORM^O01"
        obr = f"OBR|1|||CTH{'|' * 14}A{exam}||||||CT"
        lines = [pid, f"ORC|RP|{numbers}{'|' * 6}{at}", obr, f"ORC|RO|P{exam}b^OE{'|' * 7}{at}", obr]
    elif what == "end" or (len(first) == 2 and first != "AD") or first.startswith("SC:"):
        kind = "ORM^O01"
        control, status, result = [*("SC:CM" if what == "end" else what).split(":"), "", ""][:3]
        orc = f"ORC|{control}|{numbers}||{status}||||{at}"
        lines = [pid, orc, f"OBR|1|{numbers}|CTH|{extra}{'|' * 13}A{exam}||||||CT|{result}", f"TQ1|1||||||{slot}"]
    else:
        kind = "ORU^R01"
        reader = f"R{extra}&Reader{extra}" if extra else ""
        obr = f"OBR|1|{numbers}|CTH{'|' * 14}A{exam}||||{at}||CT|{first}|||||||{reader}"
        obx = f"OBX|1|TX|GDT{'&ADT' if second == 'ADT' else ''}||text||||||{'F' if second == 'ADT' else second}"
        lines = [pid, obr, *([obx] if second else [])]
    head = f"MSH|^~\\&|RIS|NORTH|HUB|NET|{wall(minute)}||{kind}|{exam}.{index}|P|2.5.1"
    return "\r".join([head, *lines]).encode() + b"\r"


def cases(table: str) -> list[list[str]]:
    return [[" ".join(cell.split()) for cell in line.split("|")] for line in table.strip().splitlines()]


def streams(table: str) -> list[bytes]:
    return [
        message(exam, index, step)
        for exam, (steps, *_) in enumerate(cases(table))
        for index, step in enumerate(steps.split())
    ]


def _minute(at: datetime | None) -> str:
    return "-" if at is None else str(int((at - BEGIN).total_seconds() // 60))


def report_row(row: Row) -> list[str]:
    moments = ("first_prelim_at", "last_prelim_at", "first_final_at", "last_final_at")
    prelim_first, prelim_last, final_first, final_last = (_minute(row[name]) for name in moments)
    reader = (row["radiologist"] or "-").removeprefix("Reader")
    counts = f"{row['n_addenda']} {row['n_corrections']}"
    outcome = row["exclusion_reason"] or "counted"
    return [f"{prelim_first} {prelim_last}", f"{final_first} {final_last}", counts, reader, outcome]


def order_row(row: Row) -> list[str]:
    moments = ("ordered_at", "scheduled_at", "exam_started_at", "exam_ended_at", "cancelled_at")
    return [" ".join(_minute(row[name]) for name in moments), row["priority"], row["exclusion_reason"] or "counted"]


@pytest.mark.parametrize(
    ("table", "shown", "least"), [(REPORTS, report_row, 40), (ORDERS, order_row, 30)], ids=["reports", "orders"]
)
def test_rows_are_those_worked_out_by_hand(table: str, shown: Any, least: int, tmp_path: Path) -> None:
    wanted = {f"M{exam}": case for exam, case in enumerate(cases(table))}
    assert len({steps for steps, *_ in wanted.values()}) == len(wanted) >= least
    sent = streams(table)
    product = Product.at(tmp_path / "p")
    product.digest([sent])
    for rows in (oracle_rows(sent), product.exams()):
        got = {row["patient"][1]: shown(row) for row in rows}
        wrong = {steps: (hand, got.get(who)) for who, (steps, *hand) in wanted.items() if got.get(who) != hand}
        assert wrong == {}
    assert differences(oracle_rows(sent), product.exams()) == []
