"""A simulated network taken through the whole pipeline, its snapshot and its truth side by side."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sample_data.simulate import simulate
from sql.query import rows
from sql.snapshot import Snapshot, open_snapshot
from tests.conftest import REPO
from tests.sharing import made_once
from tests.truth.department import Department

#: The worlds that tests/truth asks; another by hand: TRUTH_SEEDS=5,6 pytest tests/truth (TRUTH_EXAMS, TRUTH_DAYS).
SEEDS = [int(seed) for seed in os.environ.get("TRUTH_SEEDS", "52711,90433").split(",")]
#: The usual worlds after the first are asked one question in three: the suite must stay short.
EVERY = {seed: 1 if number == 0 or "TRUTH_SEEDS" in os.environ else 3 for number, seed in enumerate(SEEDS)}
EXAMS = int(os.environ.get("TRUTH_EXAMS", "600"))
DAYS = int(os.environ.get("TRUTH_DAYS", "35"))
#: The same worlds without image headers, by hand: the clocks of devices are then not told, so nothing asks for them.
MESSAGES_ONLY = bool(int(os.environ.get("TRUTH_MESSAGES_ONLY", "0")))


@dataclass(frozen=True)
class World:
    """One seed: `folder/sim` as simulated, `folder/home` as radops made it. Of long lists of questions each is asked of
    it, or one in `every`."""

    folder: Path
    every: int = 1

    @cached_property
    def snapshot(self) -> Snapshot:
        return open_snapshot(self.folder / "home" / "published" / "radops.duckdb")

    @cached_property
    def department(self) -> Department:
        return Department(self.folder / "sim", self.snapshot.data_through)

    @cached_property
    def exams(self) -> dict[str, tuple[str, str]]:
        """Published exam -> (facility, accession)."""
        columns = ("exam_key", "facility", "accession")
        found = rows(self.snapshot, "fct_exam", columns=columns, limit=100_000)
        return {key: (facility, accession) for key, facility, accession in found.rows()}

    @cached_property
    def operator_keys(self) -> dict[str, str]:
        """Truth's technologist -> published key, by the exams they made."""
        found = rows(self.snapshot, "fct_image_count", columns=("exam_key", "operator"), limit=100_000)
        keys = {self.exams[exam_key]: operator for exam_key, operator in found.rows() if operator is not None}
        images = self.department.truth("image")
        return _one_to_one((i["operator"], keys.get((i["facility"], i["accession"]))) for i in images)

    @cached_property
    def reader_keys(self) -> dict[str, str]:
        """Truth's reader -> published key, by the exams they read; must be one to one."""
        found = rows(self.snapshot, "fct_read", columns=("exam_key", "role", "radiologist"), limit=100_000)
        keys = {(*self.exams[exam_key], role): radiologist for exam_key, role, radiologist in found.rows()}
        reads = self.department.truth("read")
        return _one_to_one((r["interpreter"], keys.get((r["facility"], r["accession"], r["role"]))) for r in reads)


def _one_to_one(pairs: Iterable[tuple[str | None, str | None]]) -> dict[str, str]:
    known = {(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None}
    mapping = dict(known)
    assert len(mapping) == len(known) == len(set(mapping.values())), "a person has two keys or a key two persons"
    return mapping


def make_world(base: Path, seed: int, *, exams: int, days: int, messages_only: bool) -> World:
    """Simulate and run once for all test workers; `base` is shared by them."""

    def make(folder: Path) -> None:
        simulate(folder / "sim", exams=exams, days=days, seed=seed, messages_only=messages_only)
        environment = os.environ | {"RADOPS_HOME": str(folder / "home"), "RADOPS_PUBLISH_ACCESSION": "true"}
        command = [sys.executable, "-m", "etl.cli", "run", str(folder / "sim" / "files")]
        done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return World(made_once(base, f"truth-{seed}-{exams}-{days}", make))
