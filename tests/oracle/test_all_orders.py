"""All 720 orders of arrival of the six core events (order, booking, arrival, end, preliminary, final) give one row."""

from __future__ import annotations

from datetime import datetime
from itertools import permutations
from pathlib import Path

from tests.oracle.compare import COLUMNS, differences, oracle_rows
from tests.oracle.product import Product
from tests.oracle.test_sequences import message
from tests.slow import slow

EVENTS = ("NW@0/S", "S12@5>60", "SC:AR@50", "SC:CM@90", "P@100/1", "F@130/2")
#: The row by hand; 07:00 in New York is 12:00 UTC.
ROW = {
    "facility": "NORTH", "priority": "stat", "ordered_at": datetime(2026, 3, 3, 12), "ordered_source": "order",
    "booked_at": datetime(2026, 3, 3, 12, 5), "scheduled_at": datetime(2026, 3, 3, 13),
    "scheduled_local": datetime(2026, 3, 3, 8), "arrived_at": datetime(2026, 3, 3, 12, 50), "arrived_source": "ris",
    "exam_started_at": None, "exam_ended_at": datetime(2026, 3, 3, 13, 30), "exam_ended_source": "ris",
    "first_prelim_at": datetime(2026, 3, 3, 13, 40), "last_prelim_at": datetime(2026, 3, 3, 13, 40),
    "first_final_at": datetime(2026, 3, 3, 14, 10), "last_final_at": datetime(2026, 3, 3, 14, 10),
    "first_final_local": datetime(2026, 3, 3, 9, 10), "report_prelim_min": 10.0, "report_final_min": 40.0,
    "first_read_min": 10.0, "prelim_to_final_min": 30.0, "order_to_final_min": 130.0, "arrival_to_final_min": 80.0,
    "wait_min": None, "radiologist": "Reader2", "n_addenda": 0, "n_corrections": 0, "has_order": True,
    "has_report": True, "is_cancelled": False, "is_no_show": False, "is_countable": True, "exclusion_reason": None,
}  # fmt: skip
#: What tells one exam from another.
OWN = ("accession", "patient")


@slow
def test_720_orders_of_arrival_give_one_row(tmp_path: Path) -> None:
    orders = list(permutations(range(len(EVENTS))))
    assert len(orders) == 720
    arrived = [
        [message(exam, index, EVENTS[index]) for exam, order in enumerate(orders) for index in order[begin : begin + 2]]
        for begin in (0, 2, 4)
    ]
    product = Product.at(tmp_path / "p")
    product.digest(arrived, build_each=True)  # each exam in three parts, the first two known to marts before the rest
    rows = product.exams()
    assert len(rows) == 720
    assert len({tuple(row[name] for name in COLUMNS if name not in OWN) for row in rows}) == 1
    assert {name: rows[0][name] for name in ROW} == ROW
    assert differences(oracle_rows([one for batch in arrived for one in batch]), rows) == []
