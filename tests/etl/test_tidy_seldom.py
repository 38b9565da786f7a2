"""Blocks of few rows of the raw store are made one in few nights only; in which, the numbers of the batches tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from etl.inbox import Candidate
from etl.intake import open_intake, tidy_seldom
from etl.ledger import Counts
from etl.load import load
from etl.parsing import JobResult
from etl.settings import Settings


class Nothing:
    """Parses no files."""

    settings = Settings()

    def parse(self, _candidates: list[Candidate]) -> Iterator[JobResult]:
        return iter(())


def tasks(con: duckdb.DuckDBPyConnection) -> int:
    """Blocks of rows that the engine makes one at once at most."""
    return int(con.execute("SELECT current_setting('max_vacuum_tasks')").fetchall()[0][0])


@pytest.mark.parametrize(
    ("before", "last", "is_left"), [(0, 1, True), (14, 15, True), (15, 16, False), (3, 40, False), (16, 31, True)]
)
def test_blocks_are_left_until_batches_pass_a_multiple(before: int, last: int, is_left: bool) -> None:
    with closing(duckdb.connect()) as con:
        tidy_seldom(con, before, last)
        assert (tasks(con) == 0) is is_left


@pytest.mark.parametrize(("known", "is_left"), [(14, True), (15, False)])
def test_a_load_tells_by_its_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: int, is_left: bool
) -> None:
    monkeypatch.setattr("etl.load._batches", lambda *_: [[]])
    monkeypatch.setattr("etl.load.store", lambda *_: Counts(batches=1))
    with closing(open_intake(tmp_path / "intake.duckdb")) as con:
        con.execute("INSERT INTO raw_batch (batch_id) VALUES (?)", [known])
        load(con, Nothing(), [])
        assert (tasks(con) == 0) is is_left
