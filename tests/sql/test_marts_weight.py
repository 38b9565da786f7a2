"""Minutes of reading learned from reports, by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.weights import weight_agreement, weights
from tests.raw_rows import Row, at
from tests.snapshots import snapshot_of
from tests.warehouse import Warehouse, event, exam, report

HEAD: dict[str, Any] = {"procedure_code": "CTH"}
CHEST: dict[str, Any] = {"procedure_code": "CXR", "modality": "DX", "station": "NDX01"}
OTHER: dict[str, Any] = {"procedure_code": "CT_OF_NO_NAME"}
QUERY = "SELECT modality, procedure, minutes, n, learned_from, learned_by FROM dim_procedure_weight ORDER BY 1, 2"


def read(name: str, final: str, minutes: float | None, **columns: Any) -> list[Row]:
    """An exam of 2026-03-02 at 06:00 read in so many minutes, or without a begin."""
    rows = exam(name, "2026-03-02 06:00", "2026-03-02 06:30", mrn=name, final=final, **columns)
    begun = None if minutes is None else at(final) - timedelta(minutes=minutes)
    return [*rows, *([event("read_started", begun, name, mrn=name, origin="report")] if begun else [])]


def series(name: str, lengths: list[float | None], day: int = 3, **columns: Any) -> list[Row]:
    """Reads of one procedure, two hours apart from 08:00 on, so that no gap is a reading time."""
    finals = [f"2026-03-{day + number // 6:02} {8 + number % 6 * 2:02}:00" for number in range(len(lengths))]
    reads = (read(f"{name}{n}", final, lengths[n], **columns) for n, final in enumerate(finals))
    return [row for one in reads for row in one]


def test_the_median_of_ten_reads_of_a_procedure(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*series("H", [1, 2, 3, 4, 5, 6, 7, 8, 60, 60.5, 0], **HEAD))
    assert house.rows(QUERY) == []  # 60.5 minutes are no reading time, nor are none: nine are left
    house.built(*series("I", [59], day=20, **HEAD), *series("U", [None], day=21, **OTHER))
    assert house.rows(QUERY) == [("CT", "CT_HEAD_WO", 5.5, 10, "procedure", "timed"),
                                 ("CT", None, 5.5, 10, "modality", "timed")]  # fmt: skip
    assert house.build().digest == house.build(full=True).digest


def test_radiographs_are_cut_at_ten_minutes(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*series("X", [10, 10, 10, 10, 10, 2, 2, 2, 2, 2, 10.5], **CHEST))
    assert house.rows(QUERY) == [("DX", "XR_CHEST_2V", 6.0, 10, "procedure", "timed")]


def test_without_begins_from_report_to_report(tmp_path: Path) -> None:
    """Ten reports eight minutes apart give nine gaps; the tenth is that to one signed together with another."""
    finals = [f"2026-03-03 {8 + minute // 60:02}:{minute % 60:02}" for minute in range(0, 80, 8)]
    rows = [row for number, final in enumerate(finals) for row in read(f"H{number}", final, None, **HEAD)]
    house = Warehouse(tmp_path).built(*rows, *read("T1", "2026-03-03 09:30", None, **HEAD),
                                      *read("T2", "2026-03-03 09:30", None, **HEAD))  # fmt: skip
    assert house.rows(QUERY) == []
    house.built(*read("L", "2026-03-03 09:42", None, **HEAD))  # 12 minutes after the two
    assert house.rows(QUERY) == [("CT", "CT_HEAD_WO", 8.0, 10, "procedure", "gap")]


def test_reads_with_a_begin_come_before_gaps(tmp_path: Path) -> None:
    finals = [f"2026-03-03 {8 + minute // 60:02}:{minute % 60:02}" for minute in range(0, 96, 8)]
    gaps = [row for number, final in enumerate(finals) for row in read(f"G{number}", final, None, **HEAD)]
    house = Warehouse(tmp_path).built(*gaps, *series("O", [5] * 10, day=10, **OTHER))
    assert house.rows(QUERY) == [("CT", "CT_HEAD_WO", 5.0, 10, "modality", "timed"),
                                 ("CT", None, 5.0, 10, "modality", "timed")]  # fmt: skip


def test_only_what_one_reader_did_alone_teaches(tmp_path: Path) -> None:
    """Nine reads alone, one that a trainee read first, one with an own draft whose end is the draft's."""
    helper = {"assistant_id": "A1", "assistant_authority": "NET"}
    helped = [report("2026-03-09 10:00", "T", mrn="T", status="preliminary", **helper),
              event("preliminary_report", "2026-03-09 10:00", "T", mrn="T", origin="report")]  # fmt: skip
    house = Warehouse(tmp_path).built(
        *series("H", [4] * 9, **HEAD), *read("T", "2026-03-09 12:00", 5, **HEAD), *helped,
    )  # fmt: skip
    assert house.rows(QUERY) == []
    draft = [report("2026-03-10 11:03", "D", mrn="D", status="preliminary"),
             event("preliminary_report", "2026-03-10 11:03", "D", mrn="D", origin="report")]  # fmt: skip
    house.built(*read("D", "2026-03-10 12:00", 61, **HEAD), *draft)
    assert house.rows("SELECT n, minutes, high_min FROM dim_procedure_weight") == [(10, 4.0, 4.0)]


def test_reads_older_than_a_year_do_not_teach(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*series("H", [4] * 10, **HEAD))
    assert len(house.rows(QUERY)) == 1
    house.built(*exam("N", "2027-03-03 08:00", "2027-03-03 08:00", mrn="N"))  # 365 days after the first
    assert house.rows(QUERY) == []


def test_agreement_of_two_ways_to_weigh(tmp_path: Path) -> None:
    pairs = {"CT": [(1, 5.0), (2, 4.0), (3, 3.0), (4, 2.0), (5, 1.0)], "MR": [(6, 9.0), (7, 8.0)]}
    named = [(m, f"{m}{minutes}", minutes, wrvu) for m, kinds in pairs.items() for minutes, wrvu in kinds]
    learned = [{"modality": m, "procedure": p, "minutes": float(minutes), "n": 10, "learned_from": "procedure",
                "learned_by": "timed"} for m, p, minutes, _ in named]  # fmt: skip
    twice = {**learned[0], "modality": "XX"}
    unmapped = {**learned[0], "procedure": None}
    snapshot = snapshot_of(
        tmp_path, at("2026-03-03"), dim_procedure_weight=[*learned, twice, unmapped],
        dim_procedure=[{"procedure": p, "procedure_name": p.lower(), "wrvu_usual": wrvu} for _, p, _, wrvu in named],
    )  # fmt: skip
    assert weights(snapshot).head(2).select("procedure", "wrvu").rows() == [("MR7", 8.0), ("MR6", 9.0)]
    told = weight_agreement(snapshot).rows()
    assert [(m, n) for m, n, _ in told] == [("all", 7), ("CT", 5)]
    # ranks 1..7 against 5 4 3 2 1 7 6: differences squared 16+4+0+4+16+1+1 = 42, so 1 - 6 * 42 / (7 * 48)
    assert [value for _, _, value in told] == pytest.approx([0.25, -1.0])
