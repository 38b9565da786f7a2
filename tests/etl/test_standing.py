"""A build with nothing to do is found out without one, and nothing that would need one is passed over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from etl import standing as module
from etl.standing import NOTE, made_with, note, standing
from sql.fingerprint import fingerprint
from tests.conftest import REPO
from tests.installation import Installation
from tests.warehouse import Warehouse, exam

DAY = "2026-03-02"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that was built and whose build is noted; read only."""
    house = Warehouse(tmp_path_factory.mktemp("first"))
    house.load(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30", final=f"{DAY} 16:00"))
    made = made_with(house)
    house.build()
    note(house, made)
    return house.root


@pytest.fixture
def built(first: Path, tmp_path: Path) -> Warehouse:
    """A copy of it."""
    shutil.copytree(first, tmp_path / "copy")
    return Warehouse(tmp_path / "copy", batches=1)


def found(house: Warehouse) -> object:
    return standing(house, made_with(house))


def test_it_reports_what_a_build_would(built: Warehouse) -> None:
    assert found(built) == built.build()
    assert found(built) == built.build()


def test_a_batch_to_come_needs_a_build(built: Warehouse) -> None:
    built.load(*exam("B1", f"{DAY} 17:00", f"{DAY} 17:30"))
    assert found(built) is None
    built.build()
    assert found(built) == built.build()


def test_marts_behind_the_identity_need_a_build(built: Warehouse) -> None:
    """A build that was killed between the two is gone on with, although no batch came since."""
    for change in ("batch_id = batch_id - 1", "epoch = epoch - 1", "signature = 'x'"):
        with duckdb.connect(str(built.marts)) as con:
            before = con.execute("FROM meta_build").fetchall()[0]
            con.execute(f"UPDATE meta_build SET {change}")
        assert found(built) is None
        with duckdb.connect(str(built.marts)) as con:
            con.execute("DELETE FROM meta_build")
            assert con.execute("SELECT 1").fetchall()
        assert found(built) is None
        with duckdb.connect(str(built.marts)) as con:
            con.execute("INSERT INTO meta_build VALUES (?, ?, ?, ?)", before)
        assert found(built) is not None


def _edit_site(house: Warehouse) -> None:
    path = house.site / "targets.csv"
    path.write_text(path.read_text("utf-8").replace("2880", "10"), "utf-8")


def _edit_toml(house: Warehouse) -> None:
    path = house.site / "site.toml"
    path.write_text(path.read_text("utf-8") + "\n# a note\n", "utf-8")


def _show_names(house: Warehouse) -> None:
    house.settings = replace(house.settings, publish_names=True)


def _show_accession(house: Warehouse) -> None:
    house.settings = replace(house.settings, publish_accession=False)


def _change_key(house: Warehouse) -> None:
    house.key_file.write_text("22" * 32, "ascii")


def _lose_marts(house: Warehouse) -> None:
    house.marts.unlink()


def _lose_intake(house: Warehouse) -> None:
    house.intake.unlink()


def _lose_note(house: Warehouse) -> None:
    (house.root / NOTE).unlink()


def _empty_marts(house: Warehouse) -> None:
    house.marts.unlink()
    duckdb.connect(str(house.marts)).close()


def _forget_identity(house: Warehouse) -> None:
    with duckdb.connect(str(house.intake)) as con:
        con.execute("DROP SCHEMA work CASCADE")


CHANGES: tuple[Callable[[Warehouse], None], ...] = (
    _edit_site, _edit_toml, _show_names, _show_accession, _change_key, _lose_marts, _lose_intake, _lose_note,
    _empty_marts, _forget_identity,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_shapes_the_marts_needs_a_build(built: Warehouse, change: Callable[[Warehouse], None]) -> None:
    assert found(built) is not None
    change(built)
    assert found(built) is None
    assert (built.marts.exists(), built.intake.exists()) == (change is not _lose_marts, change is not _lose_intake)


def test_other_code_or_tables_need_a_build(built: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made_with(built)
    honest = module.fingerprint
    for name in ("etl", "sql"):
        monkeypatch.setattr(
            module, "fingerprint", lambda folder, name=name: honest(folder) + "x" * (folder.name == name)
        )
        assert made_with(built) != before
        assert found(built) is None


def test_shipped_tables_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("a\n", "utf-8")
    before = fingerprint(tmp_path)
    (tmp_path / "words.csv").write_text("b\n", "utf-8")
    assert fingerprint(tmp_path) != before


def test_a_run_that_finds_nothing_new_loads_nothing_that_parses_or_builds(network: Path, tmp_path: Path) -> None:
    """Of the modules that a run with files loads, those that take longest to load."""
    house = Installation(tmp_path / "home", {"site": network / "site"})
    first = house.stages(paths=[network / "files"])
    code = (
        "import sys; from etl.cli import main; sys.argv = ['radops', 'run', *sys.argv[1:], '--json']\n"
        "try: main()\n"
        "finally: print(*sorted(sys.modules.keys() & {'polars', 'numpy', 'pyarrow', 'sqlglot', 'pydicom', 'hl7apy', "
        "'pandas', 'dash', 'plotly'}), file=sys.stderr)"
    )
    for paths in ((), (str(network / "files"),)):
        done = subprocess.run(
            [sys.executable, "-c", code, *paths], cwd=REPO, env=house.environment, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert done.stderr.splitlines()[-1] == ""
        assert first["build"]["digest"] in done.stdout
        assert '"is_new": false' in done.stdout
