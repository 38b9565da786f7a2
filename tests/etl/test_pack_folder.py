"""A pack is put whole or not at all, beside whatever else is in its folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from etl.errors import UnreadableInputError
from etl.pack_folder import put


def manifest(*names: str) -> str:
    return json.dumps({"files": [{"name": name} for name in names]})


def contents(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_new_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    put(tmp_path / "a" / "b", {"x.csv": b"1"}, manifest("x.csv"))
    assert contents(tmp_path) == {"a/b/x.csv": "1", "a/b/manifest.json": manifest("x.csv")}


def test_again_replaces_and_removes_only_its_own(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "keep").write_text("k")
    (tmp_path / "notes.txt").write_text("n")
    put(tmp_path, {"x.csv": b"1", "gone.csv": b"1"}, manifest("x.csv", "gone.csv"))
    put(tmp_path, {"x.csv": b"2", "new.csv": b"2"}, manifest("x.csv", "new.csv"))
    assert contents(tmp_path) == {
        "sub/keep": "k", "notes.txt": "n", "x.csv": "2", "new.csv": "2", "manifest.json": manifest("x.csv", "new.csv"),
    }  # fmt: skip


def test_foreign_file_of_the_same_name_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("mine")
    with pytest.raises(UnreadableInputError, match=r"x\.csv"):
        put(tmp_path, {"x.csv": b"1"}, manifest("x.csv"))
    assert contents(tmp_path) == {"x.csv": "mine"}


@pytest.mark.parametrize("text", ["[]", "{}", "nothing", '{"files": [1]}', '{"files": [{"name": 1}]}', "\ufeff{"])
def test_foreign_manifest_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UnreadableInputError):
        put(tmp_path, {"x.csv": b"1"}, manifest("x.csv"))
    assert contents(tmp_path) == {"manifest.json": text}


def test_manifest_cannot_make_it_remove_files_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("o")
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest("../outside", str(tmp_path / "outside")))
    put(folder, {"x.csv": b"1"}, manifest("x.csv"))
    assert (tmp_path / "outside").read_text() == "o"


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pack").write_text("f")
    with pytest.raises(UnreadableInputError, match="not a folder"):
        put(tmp_path / "pack", {"x.csv": b"1"}, manifest("x.csv"))


def test_killed_anywhere_it_is_whole_or_has_no_manifest_and_the_next_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, later = ("a.csv", "b.csv", "c.csv"), ("a.csv", "b.csv", "c.csv", "new.csv")
    seen = set()
    for breaks_at in range(60):
        folder = tmp_path / str(breaks_at)
        put(folder, dict.fromkeys((*names, "old.csv"), b"1"), manifest(*names, "old.csv"))
        with monkeypatch.context() as patch:
            steps = iter(range(1000))
            for name in ("replace", "fsync", "unlink"):
                patch.setattr(os, name, breaking(getattr(os, name), steps, breaks_at))
            try:
                put(folder, dict.fromkeys(later, b"2"), manifest(*later))
            except KeyboardInterrupt:
                seen.add("broken")
            else:
                seen.add("done")
        here = contents(folder)
        if "manifest.json" in here:
            whole = json.loads(here["manifest.json"])["files"]
            assert len({here[entry["name"]] for entry in whole}) == 1
        put(folder, dict.fromkeys(later, b"3"), manifest(*later))
        assert contents(folder) == {
            **dict.fromkeys(later, "3"),
            "manifest.json": manifest(*later),
        }
    assert seen == {"broken", "done"}


def breaking(call, steps, breaks_at: int):
    def step(*given, **named):
        if next(steps) == breaks_at:
            raise KeyboardInterrupt
        return call(*given, **named)

    return step
