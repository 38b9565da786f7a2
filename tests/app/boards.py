"""Two boards by hand, one ten minutes after the other: what is open at two facilities, and how it goes on."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.snapshots import Rows, write_snapshot
from tests.sql.test_live import NOW, ago, exam

SITES = [{"facility": site, "facility_name": f"{site.title()} Hospital", "zone": "America/New_York"}
         for site in ("NORTH", "EAST")]  # fmt: skip
#: Unread exams, more than the page lists.
UNREAD = 230


def exams() -> Rows:
    """Some wait, one is in exam, many are unread; of these two are past their target, two due within the hour."""
    rows: list[dict[str, Any]] = [
        exam(f"u{n:03d}", target=600.0, exam_ended=ago(minutes=n + 1), facility=("NORTH", "EAST")[n % 2],
             modality=("CT", "MR")[n // 2 % 2], procedure_name=f"Procedure {n:03d}") for n in range(UNREAD)
    ]  # fmt: skip
    return [
        *rows,
        exam("over", target=60.0, exam_ended=ago(minutes=200), priority="stat", procedure_name="Over for long"),
        exam("late", target=60.0, exam_ended=ago(minutes=75), first_prelim=ago(minutes=9), procedure_name="Over since"),
        exam(
            "next",
            target=60.0,
            exam_ended=ago(minutes=55),
            priority="stat",
            device="N-CT9",
            procedure_name="Due in five",
        ),
        exam("soon", target=60.0, exam_ended=ago(minutes=20), procedure_name="Due in forty"),
        exam("left", target=60.0, exam_ended=ago(days=8), procedure_name="Left <img src=x> over"),
        exam("wait", arrived=ago(minutes=12), procedure_name="Waits"),
        exam("scan", arrived=ago(minutes=30), exam_started=ago(minutes=7), facility="EAST", procedure_name="In exam"),
        exam("done", exam_ended=ago(days=1), first_final=ago(hours=20), facility="EAST", arrived=ago(days=2)),
    ]


def later() -> Rows:
    """Ten minutes on: `over` is read, `next` breaches, the patient who waited is in exam, and somebody else came."""
    rows = {row["exam_key"]: row for row in exams()}
    rows["over"] |= {"first_final_at": NOW + timedelta(minutes=4)}
    rows["wait"] |= {"exam_started_at": NOW + timedelta(minutes=2)}
    return [*rows.values(), exam("came", arrived=NOW + timedelta(minutes=8), procedure_name="Just came")]


def publish(folder: Path, rows: Rows, number: int, minutes: int = 0) -> None:
    """A snapshot as the next one, in place at once; its data reach to `minutes` after the first board."""
    path = folder / f"radops-{number:06d}.duckdb"
    tables = {"fct_exam": rows, "dim_facility": SITES}
    write_snapshot(path, tables, NOW + timedelta(minutes=minutes), number)
    fresh = folder / "pointer.new"
    fresh.symlink_to(path.name)
    os.replace(fresh, folder / "radops.duckdb")
