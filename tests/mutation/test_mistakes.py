"""Each planted mistake has its place, so that the table of mistakes does not rot."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.mutation.run import Mistake, mistakes


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda m: str(m.number))
def test_each_mistake_changes_one_place(mistake: Mistake, tmp_path: Path) -> None:
    copy = tmp_path / mistake.file
    copy.parent.mkdir(parents=True)
    shutil.copy2(REPO / mistake.file, copy)
    mistake.plant(tmp_path)
    assert copy.read_bytes() != (REPO / mistake.file).read_bytes()
    with pytest.raises(ValueError, match="0 times"):
        Mistake(0, "", mistake.file, "no such line", "", "").plant(tmp_path)
