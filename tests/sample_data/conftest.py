"""One small run of messages, across the autumn clock change, shared by the tests of this room."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sample_data.simulate import Summary, simulate

EXAMS, DAYS, SEED, START = 500, 16, 11, date(2026, 10, 24)


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Folder and summary of a run without DICOM."""
    out = tmp_path_factory.mktemp("simulated")
    return out, simulate(out, exams=EXAMS, days=DAYS, seed=SEED, start=START, messages_only=True)


@pytest.fixture(scope="session")
def network_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Folder and summary of a run with all kinds of files, large enough for every device and kind of file."""
    out = tmp_path_factory.mktemp("network")
    return out, simulate(out, exams=3 * EXAMS, days=DAYS, seed=SEED, start=START)
