"""SIGKILL anywhere: the old snapshot answers as before, the next run gives the clean answer, nothing counts twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl import block_hashes, spare
from etl.publish import current, read_meta, snapshot_paths
from tests import forks
from tests.installation import Installation
from tests.night import ANSWER, Night
from tests.slow import first_of, slow

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

N_KILLS, KILLS_A_HOME = 20, 4
EFFECTIVE = {
    "publish", "_tell", "_copy_proven", "take", "copy", "renew", "_copied", "_pass_on", "put_in_place", "point",
    "write", "note", "retire", "begin", "_write", "write_note",
}  # fmt: skip


def check_served(night: Night, home: Installation) -> None:
    """The pointer names a whole snapshot: the old one with its answer, or the new one."""
    newest = current(home.home)
    assert newest is not None
    meta = read_meta(newest)
    assert meta is not None
    assert meta.digest in night.digests
    if meta.digest == night.digests[0]:
        assert home.rows(ANSWER, "published/radops.duckdb") == night.answer


def check_recovered(night: Night, home: Installation) -> None:
    facts = home.stages()
    assert facts["publish"]["digest"] == night.digests[1]
    assert home.ledger() == night.ledger
    assert home.digest(full=True) == night.digests[1]
    hidden = {path for path in home.home.published.iterdir() if path.name.startswith(".")}
    assert hidden <= {block_hashes.beside(path) for path in snapshot_paths(home.home)}, "nothing half made stays"


def members(group: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _, of = (entry / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[:3]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(of) == group and state != "Z":
                found.append(int(entry.name))
    return found


@slow
def test_killed_at_twenty_random_instants(night: Night, tmp_path: Path) -> None:
    """The process is forked with its modules loaded: every instant lies in the work."""
    whole = night.copy(tmp_path / "timed")
    started = time.monotonic()
    whole.radops("run")
    seconds = time.monotonic() - started
    chance = random.Random(20)  # noqa: S311
    n_killed = 0
    for chain in range(N_KILLS // KILLS_A_HOME):
        home = night.copy(tmp_path / str(chain))
        for number in range(KILLS_A_HOME):
            running = forks.start(("run",), home.environment)
            time.sleep(seconds * (number + chance.random()) / KILLS_A_HOME)
            (os.killpg if number % 2 else os.kill)(running.pid, signal.SIGKILL)
            n_killed += running.wait() == -signal.SIGKILL
            check_served(night, home)
            for _ in range(100):
                if not members(running.pid):
                    break
                time.sleep(0.1)
            assert members(running.pid) == [], "parser processes outlive the run"
        check_recovered(night, home)
    assert n_killed >= N_KILLS / KILLS_A_HOME, "the kills came too late to mean anything"


@dataclass(frozen=True)
class Crash:
    """Runs a verb that dies before the n-th line that it runs in `modules`."""

    log: Path
    verb: str
    modules: tuple[str, ...]

    def at(self, home: Installation, number: int, states: dict[str, object] | None = None) -> int:
        """Exit code of the verb killed at line `number`; 0 runs it to its end. `states` as `tests.forked.Kept`."""
        crash = {"at": number, "modules": self.modules, "log": str(self.log), "states": states}
        return forks.run((self.verb,), home.environment, crash).returncode

    def lines(self, home: Installation) -> dict[str, int]:
        """Each line that the verb runs, as `function number`, with when it is first run."""
        assert self.at(home, 0) == 0
        lines = self.log.read_text("utf-8").splitlines()
        return {line: number for number, line in reversed(list(enumerate(lines, 1)))}


@pytest.mark.parametrize("how", first_of(["compared", "copied", "by hashes"]))
def test_killed_at_steps_of_publish(night: Night, tmp_path: Path, how: str) -> None:
    """Before every ninth line of those that can change what others see or what is known of the marts.

    The homes are copied in one run, at the instants of the kills; one real kill shows that it leaves the same files.
    """
    built = night.copy(tmp_path / "built")
    built.stages("ingest", "build")
    (first,) = snapshot_paths(built.home)
    if how != "copied":
        shutil.copy2(first, first.with_name(spare.NAME))
    if how == "by hashes":
        shutil.copy(block_hashes.beside(first), block_hashes.beside(first.with_name(spare.NAME)))
        assert block_hashes.told(first.with_name(spare.NAME))
    modules = ("publish.py", "copying.py", "proof.py", "spare.py", "block_hashes.py", "block_writes.py")
    crash = Crash(tmp_path / "lines", "publish", modules)

    def again(name: str) -> Installation:
        shutil.copytree(built.root, tmp_path / name, symlinks=True)
        return Installation(tmp_path / name, built.settings)

    (tmp_path / "states").mkdir()
    kept = {"folder": str(tmp_path / "states"), "functions": sorted(EFFECTIVE), "every": 9}
    assert crash.at(again("whole"), 0, kept) == 0
    numbers = sorted(int(path.name) for path in (tmp_path / "states").iterdir())
    assert len(numbers) > 6
    killed = again("killed")
    assert crash.at(killed, numbers[len(numbers) // 2]) == -signal.SIGKILL
    assert files(killed.root) == files(tmp_path / "states" / str(numbers[len(numbers) // 2]))
    for number in numbers:
        home = Installation(tmp_path / "states" / str(number), built.settings)
        check_served(night, home)
        assert home.stages("publish")["publish"]["digest"] == night.digests[1]
        check_served(night, home)


def files(root: Path) -> dict[str, int]:
    """Sizes of the files below a home, but for its log and the lock, which holds the number of a process."""
    return {
        str(path.relative_to(root)): path.lstat().st_size
        for path in root.rglob("*")
        if not path.is_dir() and path.parent.name != "log" and path.name != "radops.lock"
    }


def test_killed_at_steps_of_ingest_and_build(night: Night, tmp_path: Path) -> None:
    crash = Crash(tmp_path / "lines", "run", ("load.py", "build.py", "identity.py", "key_runs.py"))
    steps = crash.lines(night.copy(tmp_path / "whole"))
    home = night.copy(tmp_path / "hurt")
    for number in sorted(random.Random(5).sample(sorted(steps.values()), 8)):  # noqa: S311
        assert crash.at(home, number) in (-signal.SIGKILL, 0)
        check_served(night, home)
    check_recovered(night, home)
