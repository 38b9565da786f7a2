"""One small run of messages, across the autumn clock change, shared by the tests of this room."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from sample_data.simulate import Summary, simulate
from tests.sharing import made_once, shared_base

EXAMS, DAYS, SEED, START = 500, 16, 11, date(2026, 10, 24)


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Folder and summary of a run without DICOM; read only, shared by all workers."""
    return _made(shared_base(tmp_path_factory), "sample-messages", EXAMS, messages_only=True)


@pytest.fixture(scope="session")
def network_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Folder and summary of a run with all kinds of files, large enough for every device and kind of file."""
    return _made(shared_base(tmp_path_factory), "sample-network", 3 * EXAMS, messages_only=False)


def _made(base: Path, name: str, exams: int, *, messages_only: bool) -> tuple[Path, Summary]:
    def make(folder: Path) -> None:
        out = folder / "out"
        told = simulate(out, exams=exams, days=DAYS, seed=SEED, start=START, messages_only=messages_only)
        (folder / "told.json").write_text(json.dumps(asdict(told) | {"start": told.start.isoformat()}), "utf-8")

    folder = made_once(base, name, make)
    told = json.loads((folder / "told.json").read_text("utf-8"))
    return folder / "out", Summary(**told | {"start": date.fromisoformat(told["start"])})
