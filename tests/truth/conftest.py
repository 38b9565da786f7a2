"""The simulated worlds, one a seed, shared by all tests of truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.sharing import shared_base
from tests.slow import first_of
from tests.truth.world import DAYS, EVERY, EXAMS, MESSAGES_ONLY, SEEDS, World, make_world


@cache
def made(base: Path, seed: int) -> World:
    """One object a seed and process: it keeps what it has read of the truth."""
    world = make_world(base, seed, exams=EXAMS, days=DAYS, messages_only=MESSAGES_ONLY)
    return replace(world, every=EVERY[seed])


@pytest.fixture(scope="module", params=first_of(SEEDS))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return made(shared_base(tmp_path_factory), request.param)
