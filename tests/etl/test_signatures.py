"""The signature of the definitions is that of the code that is there, however often it was noted before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import sql
from etl import signatures
from sql import metric_macros
from sql.fingerprint import fingerprint


def test_it_is_noted_once_and_is_the_one_that_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = metric_macros.signature()
    assert signatures.signature(tmp_path) == made
    monkeypatch.setattr(metric_macros, "signature", lambda: pytest.fail("made again"))
    assert signatures.signature(tmp_path) == made


def test_any_change_of_code_or_statement_or_name_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    shutil.copytree(Path(sql.__file__).parent, folder)
    before = {fingerprint(folder)}
    metric, code = next((folder / "metrics").glob("*.sql")), folder / "shape.py"
    for path in (metric, code):
        path.write_bytes(path.read_bytes() + b"\n")
        before.add(fingerprint(folder))
    metric.rename(metric.with_name("399_renamed.sql"))
    before.add(fingerprint(folder))
    assert len(before) == 4


def test_a_note_of_other_code_or_a_damaged_one_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metric_macros, "signature", lambda: "f" * 64)
    note, made_of = tmp_path / signatures.NOTE, fingerprint(Path(sql.__file__).parent)
    for told in (f"{'0' * 64} {'1' * 64}\n", f"{made_of} {'1' * 63}\n", f"{made_of} {'1' * 64}", "", "\u00e9"):
        note.write_text(told, "utf-8")
        assert signatures.signature(tmp_path) == "f" * 64
        assert note.read_text("ascii") == f"{made_of} {'f' * 64}\n"
