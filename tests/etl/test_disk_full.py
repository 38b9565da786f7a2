"""A full disk: a clear word and exit code, the old snapshot stays, and a run with space gives the clean answer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.errors import CheckFailedError
from etl.publish import current, read_meta
from etl.status import status
from tests.conftest import missing
from tests.installation import STAGES
from tests.night import Night

SIZE_MB = 128
#: Octets that are left when a stage begins: too few for a commit, none for a log line, half a copy.
LEFT = {"ingest": 24 << 10, "build": 0, "publish": 1 << 20}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of its own that is soon full."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or not shutil.which("mount"):
        missing("mount", "run as root on Linux")
    options = f"size={SIZE_MB}m,mode=0700"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        missing("permission to mount a tmpfs", "run as root, in a container with CAP_SYS_ADMIN")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, *, leave: int) -> Path:
    """Take all space but `leave` octets."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(shutil.disk_usage(folder).free - leave))
    return ballast


@pytest.mark.parametrize("stage", STAGES)
def test_full_disk(night: Night, small_disk: Path, stage: str) -> None:
    house = night.copy(small_disk / "home")
    before = current(house.home)
    assert before is not None
    for done in STAGES[: STAGES.index(stage)]:
        house.stages(done)
    old = read_meta(before)
    assert old is not None
    assert old.digest == night.digests[0]
    ballast = fill(small_disk, leave=LEFT[stage])
    told = house.radops(stage, check=CheckFailedError.exit_code)
    assert "no space left on the disk" in told.stderr, told.stderr
    assert "Traceback" not in told.stderr
    assert current(house.home) == before
    assert read_meta(before) == old
    ballast.unlink()
    assert house.stages()["publish"]["digest"] == night.digests[1]
    assert house.ledger() == night.ledger
    assert house.digest(full=True) == night.digests[1]


def test_status_tells_that_room_is_short(night: Night, small_disk: Path) -> None:
    house = night.copy(small_disk / "home")
    assert not [alarm for alarm in status(house.home)["alarms"] if "RADOPS_HOME" in alarm]
    ballast = fill(small_disk, leave=house.home.marts.stat().st_size)
    assert [alarm for alarm in status(house.home)["alarms"] if "GB are free on the disk of RADOPS_HOME" in alarm]
    house.home.marts.unlink()
    ballast.write_bytes(b"")
    fill(small_disk, leave=0)
    assert not [alarm for alarm in status(house.home)["alarms"] if "RADOPS_HOME" in alarm], "as where marts are pulled"
