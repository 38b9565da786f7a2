"""A simulated network taken through the whole pipeline, its snapshot and its truth side by side."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sample_data.simulate import simulate
from sql.query import rows
from sql.snapshot import Snapshot, open_snapshot
from tests.conftest import REPO
from tests.truth.department import Department


@dataclass(frozen=True)
class World:
    """One seed: `folder/sim` as simulated, `folder/home` as radops made it."""

    folder: Path
    facilities: frozenset[str]

    @cached_property
    def snapshot(self) -> Snapshot:
        return open_snapshot(self.folder / "home" / "published" / "radops.duckdb")

    @cached_property
    def department(self) -> Department:
        return Department(self.folder / "sim", self.snapshot.data_through, facilities=set(self.facilities))

    @cached_property
    def reader_keys(self) -> dict[str, str]:
        """Truth's reader -> published key, by the exams they read; must be one to one."""
        keys: dict[tuple[str, str, str], str] = {}
        exams = {
            e["exam_key"]: (e["facility"], e["accession"])
            for e in rows(
                self.snapshot, "fct_exam", columns=("exam_key", "facility", "accession"), limit=100_000
            ).to_dicts()
        }
        for read in rows(self.snapshot, "fct_read", limit=100_000).to_dicts():
            keys[(*exams[read["exam_key"]], read["role"])] = read["radiologist"]
        pairs = {
            (read["interpreter"], keys[read["facility"], read["accession"], read["role"]])
            for read in self.department.truth("read")
            if (read["facility"], read["accession"], read["role"]) in keys
        }
        mapping = dict(pairs)
        assert len(mapping) == len(pairs) == len(set(mapping.values())), "a reader has two keys or a key two readers"
        return mapping


def make_world(base: Path, seed: int, *, exams: int, days: int, messages_only: bool) -> World:
    """Simulate and run once for all test workers; `base` is shared by them."""
    folder = base / f"truth-{seed}-{exams}-{days}"
    with (base / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            simulate(folder / "sim", exams=exams, days=days, seed=seed, messages_only=messages_only)
            environment = os.environ | {"RADOPS_HOME": str(folder / "home"), "RADOPS_PUBLISH_ACCESSION": "true"}
            command = [sys.executable, "-m", "etl.cli", "run", str(folder / "sim" / "files")]
            done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return World(folder, frozenset({"NORTH", "EAST", "WEST"} if messages_only else {"NORTH", "EAST", "WEST", "SOUTH"}))
