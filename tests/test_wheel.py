"""The wheel holds every file of the rooms and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import REPO
from tests.test_rooms import ROOMS, tracked


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[ZipFile, str]:
    """The wheel of a clean copy of the checkout, and what building it printed."""
    root = tmp_path_factory.mktemp("wheel")
    for path in tracked("*"):
        copy = root / "source" / path.relative_to(REPO)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    command = [
        sys.executable, "-m", "pip", "wheel", "-v", "--disable-pip-version-check", "--no-deps", "--no-build-isolation",
        "--no-index", "--wheel-dir", str(root), str(root / "source"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = root.glob("radops-*.whl")
    return ZipFile(wheel), done.stdout + done.stderr


def test_wheel_holds_the_files_of_the_rooms(built: tuple[ZipFile, str]) -> None:
    held = {name for name in built[0].namelist() if ".dist-info/" not in name}
    assert held == {path.relative_to(REPO).as_posix() for room in ROOMS for path in tracked(f"{room}/*")}


def test_building_gives_no_warning(built: tuple[ZipFile, str]) -> None:
    assert "Warning" not in built[1]


def test_wheel_says_what_it_is(built: tuple[ZipFile, str]) -> None:
    (metadata,) = (name for name in built[0].namelist() if name.endswith(".dist-info/METADATA"))
    said = Parser().parsestr(built[0].read(metadata).decode("utf-8"))
    assert (said["Name"], said["License-Expression"], said["License-File"]) == ("radops", "Apache-2.0", "LICENSE")
    assert said.get_payload().startswith("# radops")
    scripts = built[0].read(metadata.replace("METADATA", "entry_points.txt")).decode("ascii")
    assert scripts.split() == ["[console_scripts]", "radops", "=", "etl.cli:main"]
    assert str(Path("sql/dictionary.md")) in built[0].namelist()
