"""Editions stay: a month exported again from other data is another edition, and snapshots of editions are kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.editions import pinned, set_aside
from etl.home import Home
from etl.publish import retire
from etl.settings import Settings
from sql.definitions import definitions
from tests.published import MONTH, Published


def edition(folder: Path, snapshot: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"snapshot": {"id": snapshot}, "files": []}), "utf-8")
    return folder


def test_an_edition_of_other_data_moves_aside_whole(tmp_path: Path) -> None:
    folder = edition(tmp_path / "2026-10", "000003-abc")
    (folder / "summary.csv").write_text("x", "utf-8")
    assert set_aside(folder, "000003-abc") is None
    moved = set_aside(folder, "000004-def")
    assert moved == tmp_path / "2026-10_000003-abc"
    assert {path.name for path in moved.iterdir()} == {"manifest.json", "summary.csv"}
    assert not folder.exists()
    assert set_aside(folder, "000004-def") is None
    assert set_aside(edition(folder, "000003-abc"), "000004-def") is None  # lies there already
    assert folder.exists()


@pytest.mark.parametrize("told", ["../x", "a/b", 5, None, ""])
def test_a_strange_manifest_moves_nothing(tmp_path: Path, told: object) -> None:
    folder = edition(tmp_path / "2026-10", told)
    assert set_aside(folder, "000004-def") is None
    assert folder.exists()


def test_snapshots_of_editions_are_kept(tmp_path: Path) -> None:
    home = Home(tmp_path, Settings(home=tmp_path, keep_snapshots=1))
    assert pinned(home.exports) == set()
    home.published.mkdir()
    for number in range(1, 6):
        (home.published / f"radops-{number:06d}.duckdb").touch()  # damaged: no month tells to keep them
    edition(home.exports / "2026-10", "000002-abc")
    edition(home.exports / "2026-10_000001-def", "000001-def")
    (home.exports / "loose").mkdir()
    retire(home, home.published / "radops-000005.duckdb")
    assert sorted(path.name for path in home.published.iterdir()) == [
        "radops-000001.duckdb", "radops-000002.duckdb", "radops-000005.duckdb"]  # fmt: skip


def test_the_verb_keeps_the_edition_of_other_data(
    tmp_path: Path, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "published").symlink_to(published.home.published)
    monkeypatch.setenv("RADOPS_HOME", str(tmp_path))
    monkeypatch.setattr("etl.export.definitions", lambda s: {"volume": definitions(s)["volume"]})
    manifest = tmp_path / "exports" / MONTH / "manifest.json"
    for _ in range(2):  # the same data: the same edition
        assert CliRunner().invoke(app, ["export", "--period", MONTH]).exit_code == 0
    assert [path.name for path in (tmp_path / "exports").iterdir()] == [MONTH]
    told = json.loads(manifest.read_text("utf-8"))
    now = told["snapshot"]["id"]
    told["snapshot"]["id"] = "000000-earlier"
    manifest.write_text(json.dumps(told), "utf-8")
    assert CliRunner().invoke(app, ["export", "--period", MONTH]).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "exports").iterdir()) == [MONTH, f"{MONTH}_000000-earlier"]
    assert json.loads(manifest.read_text("utf-8"))["snapshot"]["id"] == now
