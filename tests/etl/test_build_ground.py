"""Identities are derived again only where what they are made of has changed; the marts where anything has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from etl import identity
from etl.build import build
from tests.etl.test_build import varied_rows
from tests.warehouse import Warehouse


def _targets(warehouse: Warehouse) -> None:
    path = warehouse.site / "targets.csv"
    path.write_text(path.read_text("utf-8").replace("2880", "10"), "utf-8")


def _aliases(warehouse: Warehouse) -> None:
    path = warehouse.site / "site.toml"
    told = path.read_text("utf-8")
    path.write_text(told.replace('id = "WEST"', 'id = "WEST"\naliases = ["SUDEN"]', 1), "utf-8")
    assert path.read_text("utf-8") != told


def _key(warehouse: Warehouse) -> None:
    (warehouse.root / "pseudonym.key").write_text("22" * 32, "ascii")


@pytest.mark.parametrize(("change", "is_ground"), [(_targets, False), (_aliases, True), (_key, True)])
def test_identities_stay_where_only_the_marts_are_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Warehouse], None], is_ground: bool
) -> None:
    resets: list[str] = []
    reset = identity.reset

    def noted(con: duckdb.DuckDBPyConnection, signature: str) -> None:
        resets.append(signature)
        reset(con, signature)

    monkeypatch.setattr(identity, "reset", noted)
    rows = varied_rows()
    warehouse = Warehouse(tmp_path)
    warehouse.load(*rows[: len(rows) // 2])
    before = warehouse.build()
    change(warehouse)
    warehouse.load(*rows[len(rows) // 2 :])  # comes with the change, in one night
    changed = warehouse.build()
    assert changed.is_full
    assert changed.digest != before.digest
    assert len(resets) == 1 + is_ground
    again = warehouse.build()
    assert (again.touched, again.is_full, again.digest) == (0, False, changed.digest)
    assert warehouse.build(full=True).digest == changed.digest
    assert len(resets) == 2 + is_ground


class _StoppedError(Exception):
    """What a build may die of, once identities are as far as the raw rows."""


def _stop(name: str, number: int, of: int) -> None:
    if name == "fct_exam":
        raise _StoppedError


def test_a_change_that_is_taken_back_after_failed_builds_loses_no_batch(tmp_path: Path) -> None:
    rows = varied_rows()
    warehouse = Warehouse(tmp_path)
    warehouse.load(*rows[: len(rows) // 2])
    warehouse.build()
    path = warehouse.site / "targets.csv"
    before = path.read_bytes()
    warehouse.load(*rows[len(rows) // 2 :])
    for told in (before.replace(b"2880", b"10"), before):
        path.write_bytes(told)
        with pytest.raises(_StoppedError):
            build(warehouse, progress=_stop)
    assert warehouse.build().digest == warehouse.build(full=True).digest
