"""One small network with every standard that the simulator emits, shared by the tests of the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_data.simulate import simulate

EXAMS, DAYS, SEED = 60, 6, 1220


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with files/, truth/ and site/."""
    out = tmp_path_factory.mktemp("network")
    simulate(out, exams=EXAMS, days=DAYS, seed=SEED)
    return out
