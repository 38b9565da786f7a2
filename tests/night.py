"""A night half done: a home with the first files of a network published and the others waiting in its inbox."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.installation import Installation

ANSWER = "SELECT facility, modality, count(*), sum(report_final_min) FROM fct_exam GROUP BY ALL ORDER BY ALL"


@dataclass(frozen=True, slots=True)
class Night:
    """The home, what it has published and what an undisturbed night would, and what must be counted in the end."""

    half: Installation
    digests: tuple[str, str]  # before and after
    answer: list[tuple[Any, ...]]
    ledger: dict[str, int]

    @classmethod
    def of(cls, root: Path, network: Path) -> Night:
        """What `make_night` made below `root`."""
        told = json.loads((root / "told.json").read_text("utf-8"))
        return cls(_half(root, network), tuple(told["digests"]), [tuple(row) for row in told["answer"]], told["ledger"])

    def copy(self, root: Path) -> Installation:
        """A home of its own in the same state."""
        shutil.copytree(self.half.root, root, symlinks=True)
        return Installation(root, self.half.settings)


def _half(root: Path, network: Path) -> Installation:
    settings = {"site": network / "site", "key_file": root / "key", "batch_files": 4, "workers": 2}
    return Installation(root / "half", settings)


def make_night(root: Path, network: Path) -> None:
    """Publish every second file, let the others wait, and tell what a copy makes of them."""
    half = _half(root, network)
    files = sorted(path for path in (network / "files").rglob("*") if path.is_file())
    for number, path in enumerate(files[::2]):
        shutil.copyfile(path, half.home.inbox / f"{number}{path.suffix}")
    before = half.stages()["publish"]["digest"]
    answer = half.rows(ANSWER, "published/radops.duckdb")
    for number, path in enumerate(files[1::2]):
        shutil.copyfile(path, half.home.inbox / f"late{number}{path.suffix}")
    clean = Night(half, (before, ""), answer, {}).copy(root / "clean")
    after = clean.stages()["publish"]["digest"]
    assert after != before
    told = {"digests": (before, after), "answer": answer, "ledger": clean.ledger()}
    (root / "told.json").write_text(json.dumps(told), "utf-8")
