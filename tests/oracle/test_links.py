"""Merges, links and their undoing with the patients worked out by hand, through oracle and product."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.oracle.compare import oracle_rows
from tests.oracle.product import Product
from tests.oracle.test_sequences import cases, message, wall

TRIGGERS = {"merge": "A40", "link": "A24", "unlink": "A37"}
#: steps in order of arrival, `what@minute:survivor,prior` | who is one patient in the end, of a, b and c
LINKS = """
merge@1:a,b                               | ab c
merge@1:a,b merge@2:b,c                   | abc
merge@2:b,c merge@1:a,b                   | abc
merge@1:a,b merge@2:b,a                   | ab c
merge@1:a,b unlink@2:a,b                  | a b c
unlink@2:a,b merge@1:a,b                  | a b c
merge@1:a,b unlink@2:b,a                  | a b c
unlink@1:a,b merge@2:a,b                  | ab c
merge@1:a,b unlink@1:a,b                  | a b c
unlink@1:a,b merge@1:a,b                  | a b c
link@5:a,b unlink@5:a,b merge@4:a,b       | a b c
merge@1:a,b unlink@2:a,b merge@3:a,b      | ab c
merge@1:a,b merge@2:b,c unlink@3:a,b      | a bc
merge@1:a,b merge@2:b,c unlink@3:a,c      | abc
link@1:a,c link@2:b,c                     | abc
link@1:a,c link@2:b,c unlink@3:b,c        | ac b
merge@1:a,b merge@2:b,c merge@3:c,a       | abc
merge@1:a,b merge@2:b,c merge@3:c,a unlink@4:a,b | abc
"""


def linked(exam: int, index: int, step: str) -> bytes:
    what, _, rest = step.partition("@")
    minute, _, pair = rest.partition(":")
    survivor, prior = (f"L{exam}{letter}^^^NORTH^MR" for letter in pair.split(","))
    second = f"MRG|{prior}" if what == "merge" else f"PID|2||{prior}"
    at, trigger = wall(int(minute)), TRIGGERS[what]
    head = f"MSH|^~\\&|RIS|NORTH|HUB|NET|{at}||ADT^{trigger}|L{exam}.{index}|P|2.5.1"
    return "\r".join([head, f"EVN|{trigger}|{at}", f"PID|1||{survivor}", second]).encode() + b"\r"


def patients(rows: list[dict[str, Any]]) -> dict[int, str]:
    """Case -> its letters, those of one patient together; accession A<case * 3 + letter>."""
    found: dict[int, dict[Any, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        case, letter = divmod(int(row["accession"][1:]), 3)
        found[case][row["patient"]].add("abc"[letter])
    return {case: " ".join(sorted("".join(sorted(one)) for one in groups.values())) for case, groups in found.items()}


def test_patients_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    wanted = dict(enumerate(cases(LINKS)))
    sent = [
        linked(exam, index, step) for exam, (steps, _) in wanted.items() for index, step in enumerate(steps.split())
    ]
    exams = [
        message(exam * 3 + n, 0, "NW@0").replace(f"M{exam * 3 + n}^".encode(), f"L{exam}{letter}^".encode())
        for exam in wanted for n, letter in enumerate("abc")
    ]  # fmt: skip
    product = Product.at(tmp_path / "p")
    product.digest([sent[::2], exams, sent[1::2]], build_each=True)
    for rows in (oracle_rows(exams + sent), product.exams()):
        got = patients(rows)
        assert {steps: (hand, got[n]) for n, (steps, hand) in wanted.items() if got[n] != hand} == {}
