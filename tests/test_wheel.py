"""The wheel holds every file of the rooms, the compiled twins where there is a compiler, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import REPO
from tests.test_rooms import ROOMS, tracked

COMPILED = re.compile(r"etl/(?:sources/)?_[a-z0-9]+\.[\w.-]*(so|pyd)")


def make_wheel(root: Path, **environment: str) -> tuple[ZipFile, str]:
    """The wheel of a clean copy of the checkout, and what building it printed."""
    for path in tracked("*"):
        copy = root / "source" / path.relative_to(REPO)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    command = [
        sys.executable, "-m", "pip", "wheel", "-v", "--disable-pip-version-check", "--no-deps", "--no-build-isolation",
        "--no-index", "--wheel-dir", str(root), str(root / "source"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = root.glob("radops-*.whl")
    return ZipFile(wheel), done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[ZipFile, str]:
    return make_wheel(tmp_path_factory.mktemp("wheel"))


def files_of_rooms() -> set[str]:
    return {path.relative_to(REPO).as_posix() for room in ROOMS for path in tracked(f"{room}/*")}


def held(wheel: ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_wheel_holds_the_files_of_the_rooms(built: tuple[ZipFile, str]) -> None:
    assert {name for name in held(built[0]) if not COMPILED.fullmatch(name)} == files_of_rooms()


def test_wheel_holds_the_compiled_twins_where_there_is_a_compiler(built: tuple[ZipFile, str]) -> None:
    has_compiler = bool(shutil.which((os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]))
    compiled = {name.partition(".")[0] for name in held(built[0]) if COMPILED.fullmatch(name)}
    assert compiled == (
        {"etl/_files", "etl/_rows", "etl/sources/_dicom", "etl/sources/_hl7"} if has_compiler else set()
    )


def test_no_compiler_is_needed(tmp_path: Path) -> None:
    """Without one the wheel is built all the same, and its code is the twin in Python."""
    wheel, _ = make_wheel(tmp_path, CC=str(tmp_path / "no-compiler"), CXX="", LDSHARED="")
    assert held(wheel) == files_of_rooms()
    wheel.extractall(tmp_path / "installed")
    # What is installed for development finds extensions of this checkout for any package of the name.
    code = "import sys; sys.meta_path[:] = [each for each in sys.meta_path if '__editable__' not in str(each)]; "
    code += "from etl import files_twin as files, rows_twin as rows; "
    code += "from etl.sources import dicom, dicom_kernel, hl7_twin as hl7; "
    code += "print(dicom.__file__, dicom_kernel.compiled, hl7.KERNEL, rows.KERNEL, files.KERNEL)"
    run = [sys.executable, "-c", code]
    said = subprocess.run(run, cwd=tmp_path / "installed", capture_output=True, text=True, check=True).stdout.split()
    assert said == [str(tmp_path / "installed" / "etl" / "sources" / "dicom.py"), *["None"] * 4]


def test_building_gives_no_warning(built: tuple[ZipFile, str]) -> None:
    assert "Warning" not in built[1]
    assert "warning: unused" not in built[1]


def test_wheel_says_what_it_is(built: tuple[ZipFile, str]) -> None:
    (metadata,) = (name for name in built[0].namelist() if name.endswith(".dist-info/METADATA"))
    said = Parser().parsestr(built[0].read(metadata).decode("utf-8"))
    assert (said["Name"], said["License-Expression"], said["License-File"]) == ("radops", "Apache-2.0", "LICENSE")
    assert said.get_payload().startswith("# radops")
    scripts = built[0].read(metadata.replace("METADATA", "entry_points.txt")).decode("ascii")
    assert scripts.split() == ["[console_scripts]", "radops", "=", "etl.cli:main"]
    assert str(Path("sql/dictionary.md")) in built[0].namelist()
