"""A night's build takes little memory, and more where that is not enough; the marts are the same."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from etl import build as builds
from etl.build_fold import Fold
from etl.identity import State
from etl.site import Site
from etl.standing import BuildReport
from tests.installation import Installation, pieces
from tests.warehouse import Choices, Warehouse, exam, report

DAY = "2026-03-02"


@pytest.fixture
def house(tmp_path: Path) -> Warehouse:
    """Marts of one exam, and a batch that they do not have yet."""
    found = Warehouse(tmp_path)
    found.load(*exam("A1", f"{DAY} 09:10", f"{DAY} 09:40"))
    found.build()
    found.load(*exam("A2", f"{DAY} 10:10", f"{DAY} 10:40"), report(f"{DAY} 11:00", "A1"))
    return found


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether memory was to be saved, each time the marts were brought up."""
    told: list[bool] = []
    real = builds._brought_up

    def brought_up(home: builds.Home, site: Site, how: builds._How) -> BuildReport | None:
        told.append(how.saves)
        return real(home, site, how)

    monkeypatch.setattr(builds, "_brought_up", brought_up)
    return told


def limits(memory_limit: str) -> tuple[str, str]:
    with closing(duckdb.connect(config={"memory_limit": memory_limit})) as con:
        builds._take_little(con)
        asked = "SELECT current_setting('memory_limit'), current_setting('block_allocator_memory')"
        memory, blocks = con.execute(asked).fetchall()[0]
        return memory, blocks


def test_the_memory_of_few_messages_is_no_more_than_was_set() -> None:
    assert limits("4GB") == ("488.2 MiB", "488.2 MiB")
    assert limits("200MB") == ("190.7 MiB", "0 bytes")


def test_little_memory_is_tried_once_where_it_is_enough(house: Warehouse, tries: list[bool]) -> None:
    built = house.build()
    assert (built.touched, built.took_all_memory) == (2, False)
    assert tries == [True]


def test_what_needs_more_memory_gets_it(house: Warehouse, tries: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "NIGHT_MEMORY", "1KB")
    built = house.build()
    assert tries == [True, False]
    again = house.build(full=True)
    assert (built.touched, built.took_all_memory, built.digest) == (2, True, again.digest)
    assert not again.took_all_memory


def test_verb_and_log_tell_that_a_night_took_all_memory(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "NIGHT_MEMORY", "1KB")
    house, told = Installation(tmp_path), pieces(network / "files")
    house.deliver("first", told[:40])
    assert not house.stages("ingest", "build")["build"]["took_all_memory"]
    house.deliver("night", told[40:80])
    assert house.stages("ingest", "build")["build"]["took_all_memory"]
    line = json.loads((house.home.log / "radops.log").read_text("ascii").splitlines()[-1])
    assert (line["event"], line["took_all_memory"]) == ("build", True)


def test_memory_that_runs_out_behind_all_models_leaves_nothing(
    house: Warehouse, tries: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Fold.run

    def run(fold: Fold, identity: State, signature: str) -> int:
        touched = real(fold, identity, signature)
        if tries == [True]:
            raise duckdb.OutOfMemoryException("no room")
        return touched

    monkeypatch.setattr(Fold, "run", run)
    built = house.build()
    assert tries == [True, False]
    assert (built.touched, built.digest) == (2, house.build(full=True).digest)


def test_memory_that_is_never_enough_is_told(
    house: Warehouse, tries: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_fold: Fold, _identity: State, _signature: str) -> int:
        raise duckdb.OutOfMemoryException("no room")

    before = house.marts.read_bytes()
    monkeypatch.setattr(Fold, "run", run)
    with pytest.raises(duckdb.OutOfMemoryException):
        house.build()
    assert tries == [True, False]
    assert house.marts.read_bytes() == before


def test_settings_have_the_last_word(tmp_path: Path, tries: list[bool]) -> None:
    house = Warehouse(tmp_path, Choices(memory_limit="200MB"))
    house.load(*exam("A1", f"{DAY} 09:10", f"{DAY} 09:40"))
    house.build()
    house.load(*exam("A2", f"{DAY} 10:10", f"{DAY} 10:40"))
    assert house.build().touched == 1
    assert tries == [True]
