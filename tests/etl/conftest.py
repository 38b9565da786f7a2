"""One small network with every standard that the simulator emits, and a night over it, shared by all test workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_data.simulate import simulate
from tests.night import Night, make_night
from tests.sharing import made_once, shared_base

EXAMS, DAYS, SEED = 60, 6, 1220


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with files/, truth/ and site/; read only."""

    def make(out: Path) -> None:
        simulate(out, exams=EXAMS, days=DAYS, seed=SEED)

    return made_once(shared_base(tmp_path_factory), "network", make)


@pytest.fixture(scope="session")
def night(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A home with the first half of the network published; `copy` it."""
    root = made_once(shared_base(tmp_path_factory), "night", lambda folder: make_night(folder, network))
    return Night.of(root, network)
