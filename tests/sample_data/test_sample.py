"""The committed sample: what the simulator makes today, small, and with an exam of every fate."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sample_data.sample_run import FOLDER, write_sample

MOST_BYTES = 6_000_000


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_sample_is_what_the_simulator_makes(tmp_path: Path) -> None:
    write_sample(tmp_path)
    made, kept = contents(tmp_path), contents(FOLDER)
    assert made.keys() == kept.keys()
    assert [name for name in made if made[name] != kept[name]] == []


def test_the_sample_is_small() -> None:
    assert sum(map(len, contents(FOLDER).values())) < MOST_BYTES


def test_the_sample_has_an_exam_of_every_fate() -> None:
    truth = {p.stem: pl.read_parquet(p) for p in (FOLDER / "truth").glob("*.parquet")}
    assert all(len(rows) for rows in truth.values())
    exams = truth["exam"]
    for fate in (
        "is_cancelled",
        "is_no_show",
        "is_discontinued",
        "is_declared_repeat",
        "has_study",
        "has_order",
        "has_report",
    ):
        assert set(exams[fate]) == {True, False}, fate
    assert {row["availability"] for row in truth["prior_case"].to_dicts()} >= {"imported", "held", "none"}
