"""Identities are derived again only where what they are made of has changed; the marts where anything has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.etl.test_build import varied_rows
from tests.warehouse import Warehouse


def _epoch(warehouse: Warehouse) -> int:
    with duckdb.connect(str(warehouse.intake), read_only=True) as con:
        return int(con.execute("SELECT epoch FROM work.state").fetchall()[0][0])


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
    tmp_path: Path, change: Callable[[Warehouse], None], is_ground: bool
) -> None:
    rows = varied_rows()
    warehouse = Warehouse(tmp_path)
    warehouse.load(*rows[: len(rows) // 2])
    before, epoch = warehouse.build(), _epoch(warehouse)
    change(warehouse)
    warehouse.load(*rows[len(rows) // 2 :])  # comes with the change, in one night
    changed = warehouse.build()
    assert changed.is_full
    assert changed.digest != before.digest
    assert _epoch(warehouse) == epoch + is_ground
    again = warehouse.build()
    assert (again.touched, again.is_full, again.digest) == (0, False, changed.digest)
    assert warehouse.build(full=True).digest == changed.digest
    assert _epoch(warehouse) == epoch + is_ground + 1
