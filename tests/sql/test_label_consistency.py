"""Labels by hand: in the simulated network each procedure has one code a facility, so its truth alone proves little."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sql.query import metric
from tests.snapshots import exam_row, snapshot_of


def test_share_under_the_usual_code_of_the_facility(tmp_path: Path) -> None:
    """NORTH: C1 three times, C2 once; WEST has its own code; without a code or a procedure nothing can be said."""
    told = [("NORTH", "P", "C1")] * 3 + [("NORTH", "P", "C2"), ("WEST", "P", "W1"), ("NORTH", "P", None),
            ("NORTH", None, "C9"), ("NORTH", "Q", "C2")]  # fmt: skip
    exams = [exam_row(1.0, facility=f, procedure=p, procedure_local=c) for f, p, c in told]
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 31), fct_exam=exams)
    found = metric(snapshot, "label_consistency", groups=("facility",))
    assert found.select("group_value", "numerator", "denominator").rows() == [("NORTH", 4.0, 5.0), ("WEST", 1.0, 1.0)]
    one = metric(snapshot, "label_consistency", groups=("procedure",))
    assert one.select("group_value", "value").rows() == [("P", 0.8), ("Q", 1.0)]


def test_codes_equally_often_used_are_all_usual(tmp_path: Path) -> None:
    exams = [exam_row(1.0, facility="NORTH", procedure="P", procedure_local=c) for c in ("C1", "C2")]
    snapshot = snapshot_of(tmp_path, datetime(2026, 3, 31), fct_exam=exams)
    assert metric(snapshot, "label_consistency")["value"].to_list() == [1.0]
