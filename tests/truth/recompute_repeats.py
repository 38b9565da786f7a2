"""Repeats that need not have been, recomputed from the simulator's truth; see `recompute`."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from tests.truth.department import Department, Row
from tests.truth.recompute import Rows, prior_availability


def avoidable_repeats(d: Department) -> Iterator[Row]:
    """Each case without imported images: its repeat less the rate of the cases that had them."""
    cases = list(prior_availability(d))
    imported = [case["numerator"] for case in cases if case["availability"] == "imported"]
    for case in cases:
        if imported and case["availability"] in ("held", "unavailable"):
            yield case | {"numerator": case["numerator"] - fmean(imported)}


ROWS: dict[str, Rows] = {"avoidable_repeats": avoidable_repeats}
