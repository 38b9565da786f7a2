"""Grades of preliminary reports by hand: whose report, which word counts, who is not reported."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from sql.query import completeness, metric
from sql.snapshot import Snapshot
from tests.raw_rows import Row, at
from tests.snapshots import snapshot_of
from tests.warehouse import Warehouse, event, exam, report

QUERY = "SELECT grade FROM fct_discrepancy"
TRAINEE = {"assistant_id": "T1", "assistant_authority": "NET"}


def version(status: str, when: str, name: str = "A1", **columns: Any) -> list[Row]:
    """A report version by R1 helped by T1, with the event that it tells."""
    codes = {"preliminary": "preliminary_report", "final": "final_report", "corrected": "corrected_report"}
    who = {"mrn": name, "facility": columns.pop("facility", "NORTH")}
    told = event(codes.get(status, status), when, name, origin="report", **who)
    return [report(when, name, status=status, **{**TRAINEE, **columns}, **who), told]


def pair(name: str = "A1", prelim: str = "2026-03-02 07:00", **columns: Any) -> list[Row]:
    """An exam that T1 read first, not final yet."""
    rows = exam(name, "2026-03-02 06:00", "2026-03-02 06:30", mrn=name, facility=columns.get("facility", "NORTH"))
    return [*rows, *version("preliminary", prelim, name, **columns)]


GRADES = ("none", "minor", "major", None)


def test_the_grade_of_the_final_report(tmp_path: Path) -> None:
    told = {f"A{n}": grade for n, grade in enumerate(GRADES)}
    house = Warehouse(tmp_path).built(*(
        row for name, grade in told.items()
        for row in pair(name) + version("final", "2026-03-02 09:00", name, discrepancy=grade)
    ))  # fmt: skip
    assert house.rows("""
        SELECT e.accession, d.grade, d.radiologist = e.assistant FROM fct_discrepancy d JOIN fct_exam e USING (exam_key)
        ORDER BY 1""") == [(name, grade, True) for name, grade in told.items()]


def test_the_reader_of_the_preliminary_report_is_its_assistant_else_its_interpreter(tmp_path: Path) -> None:
    """A1: R1 helped by T1. B1: R2 by night, R1 by day. C1: R1's own draft. D1: no final. E1: preliminary after it."""
    alone = {"assistant_id": None, "assistant_authority": None}
    house = Warehouse(tmp_path).built(
        *pair("A1"), *version("final", "2026-03-02 09:00", "A1"),
        *pair("B1", interpreter_id="R2", interpreter_name="Roe^Al", **alone),
        *version("final", "2026-03-02 09:00", "B1", **alone),
        *pair("C1", **alone), *version("final", "2026-03-02 09:00", "C1", **alone),
        *pair("D1"), *pair("E1", "2026-03-02 09:01"), *version("final", "2026-03-02 09:00", "E1"),
        *pair("F1", "2026-03-02 09:00"), *version("final", "2026-03-02 09:00", "F1"),
    )  # fmt: skip
    rows = house.rows("""
        SELECT e.accession, d.read_at, d.final_at, d.radiologist = e.assistant, d.radiologist <> e.radiologist
        FROM fct_discrepancy d JOIN fct_exam e USING (exam_key) ORDER BY 1""")
    seven, nine = at("2026-03-02 07:00"), at("2026-03-02 09:00")
    assert rows == [("A1", seven, nine, True, True), ("B1", seven, nine, None, True), ("F1", nine, nine, True, True)]


#: Message at, status, version at, grade: what was told, and the grade that counts.
STORIES: dict[str, tuple[list[tuple[str, str, str, str | None]], str | None]] = {
    "corrected": ([("09:00", "final", "09:00", "minor"), ("12:00", "corrected", "12:00", "major")], "major"),
    "corrected to nothing": ([("09:00", "final", "09:00", "minor"), ("12:00", "corrected", "12:00", "none")], "none"),
    "left out later": ([("09:00", "final", "09:00", "minor"), ("12:00", "corrected", "12:00", None)], "minor"),
    "taken back": ([("09:00", "final", "09:00", "minor"), ("12:00", "corrected", "12:00", "")], None),
    "given later": ([("09:00", "final", "09:00", None), ("10:00", "final", "09:00", "minor")], "minor"),
    "by an addendum": ([("09:00", "final", "09:00", "none"), ("11:00", "addendum", "11:00", "minor")], "minor"),
    "an old version sent anew": (
        [("12:00", "corrected", "12:00", "none"), ("13:00", "final", "09:00", "major")],
        "major",
    ),
    "taken back and given": (
        [("09:00", "final", "09:00", "major"), ("10:00", "final", "09:00", ""), ("11:00", "final", "09:00", "minor")],
        "minor",
    ),
    "before it was final": ([("09:00", "final", "09:00", "none"), ("10:00", "preliminary", "08:00", "major")], "none"),
    "withdrawn report": ([("09:00", "final", "09:00", "none"), ("10:00", "cancelled", "10:00", "major")], "none"),
}


def test_the_message_made_last_counts_in_every_order_of_arrival(tmp_path: Path) -> None:
    """Each story in each order is an exam of its own, and each message comes with a build of its own."""
    house, expected = Warehouse(tmp_path), {}
    for step in range(max(len(told) for told, _ in STORIES.values())):
        rows: list[Row] = []
        for story, (told, grade) in STORIES.items():
            for n, order in enumerate(permutations(told)):
                name = f"{story.upper()} {n}".replace(" ", "-")
                expected[name] = grade
                rows += _version(name, order[step]) if step < len(told) else []
                rows += pair(name) if step == n % len(told) else []
        house.built(*rows)
    found = house.rows("SELECT e.accession, d.grade FROM fct_discrepancy d JOIN fct_exam e USING (exam_key)")
    assert len(found) == len(expected) == 9 * 2 + 6
    assert dict(found) == expected
    assert house.build().digest == house.build(full=True).digest


def _version(name: str, told: tuple[str, str, str, str | None]) -> list[Row]:
    sent, status, when, grade = told
    given = {"discrepancy": grade, "message_at": f"2026-03-02 {sent}", "message_id": f"{name}{sent}{status}"}
    return version(status, f"2026-03-02 {when}", name, **given)


def test_one_message_with_two_texts_has_the_graver_grade(tmp_path: Path) -> None:
    twice = [
        *version("final", "2026-03-02 09:00", discrepancy="major"),
        *version("final", "2026-03-02 09:00", discrepancy="none"),
    ]
    assert Warehouse(tmp_path).built(*pair(), *twice).rows(QUERY) == [("major",)]


def snapshot(tmp_path: Path) -> Snapshot:
    """NORTH grades five of six: one major and one minor; WEST, with two pairs, none."""
    grades = [("NORTH", "CT", g) for g in ("major", "minor", "none", "none", None)]
    grades += [("NORTH", "MR", "none"), ("WEST", "CT", None), ("WEST", "CT", None), ("NORTH", "US", None)]
    pairs = [{"exam_key": str(n), "facility": f, "modality": m, "grade": g, "read_local": at("2026-03-02 03:00"),
              "radiologist": "T"} for n, (f, m, g) in enumerate(grades)]  # fmt: skip
    return snapshot_of(tmp_path, at("2026-03-31"), fct_discrepancy=pairs)


def test_share_of_graded_reports_with_wilsons_interval(tmp_path: Path) -> None:
    """2 of 5 and 1 of 5, z = 1.96: centre (p + z2/2n) / (1 + z2/n), half z * sqrt(p(1-p)/n + z2/4n2) / (1 + z2/n)."""
    house = snapshot(tmp_path)
    (found,) = metric(house, "prelim_final_discrepancy").select("n", "numerator", "value", "lower", "upper").rows()
    assert found == pytest.approx((5, 2.0, 0.4, 0.117621, 0.769276), abs=1e-6)
    (major,) = metric(house, "prelim_final_discrepancy", statistic="major").select("n", "value", "lower").rows()
    assert major == pytest.approx((5, 0.2, 0.036224), abs=1e-6)


def test_who_grades_nothing_is_not_reported_and_never_zero(tmp_path: Path) -> None:
    house = snapshot(tmp_path)
    by_facility = metric(house, "prelim_final_discrepancy", groups=("facility",)).select("group_value", "n", "value")
    assert by_facility.rows() == [("NORTH", 5, 0.4)]
    by_modality = metric(house, "prelim_final_discrepancy", groups=("modality",)).select("group_value", "n", "value")
    assert by_modality.rows() == [("CT", 4, 0.5), ("MR", 1, 0.0)]
    told = completeness(house, "prelim_final_discrepancy").select("kind", "reason", "n_rows").rows()
    assert told == [("used", "", 5), ("missing", "not graded", 2),
                    ("other", "facilities that code nothing: not reported, which is not zero", 2)]  # fmt: skip
