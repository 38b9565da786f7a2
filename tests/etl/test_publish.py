"""The work copy keeps macros and comments: they are written when definitions change, and each snapshot has all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl import publish
from etl.build_digest import overall, recount, stored
from etl.home import Home
from etl.publish import complete
from etl.settings import Settings
from sql import metric_macros
from tests.forked import few_macros
from tests.warehouse import Warehouse, exam

DAY = "2026-03-02"
ONE, OTHER = "1" * 64, "2" * 64
MADE = """
    SELECT schema_name, function_name, comment FROM duckdb_functions()
    WHERE function_type = 'table_macro' ORDER BY ALL"""
NOTES = "SELECT table_name, comment FROM duckdb_tables() WHERE comment IS NOT NULL ORDER BY ALL"


def explained(house: Warehouse, name: str, definitions: str) -> tuple[list[Any], list[Any], int]:
    """Macros, comments of tables and metrics of a snapshot that is published now."""
    with duckdb.connect(str(house.marts)) as con:
        publish.explain(con, definitions)
    path = house.root / name
    path.write_bytes(house.marts.read_bytes())
    complete(path, name, 1, "d", definitions)
    with duckdb.connect(str(path), read_only=True) as con:
        assert recount(con, list(stored(con))) == stored(con)
        metrics = con.execute("SELECT count(*) FROM meta_metric").fetchall()[0][0]
        return con.execute(MADE).fetchall(), con.execute(NOTES).fetchall(), metrics


def test_macros_are_written_when_definitions_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = Warehouse(tmp_path).built(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30", final=f"{DAY} 16:00"))
    first = explained(house, "first", ONE)
    assert {schema for schema, *_ in first[0]} >= set(metric_macros.CREATED)
    with monkeypatch.context() as patched:
        patched.setattr(metric_macros, "install", lambda _con: pytest.fail("written again"))
        house.built(*exam("A2", f"{DAY} 17:00", f"{DAY} 17:30"))
        assert explained(house, "second", ONE) == first
    with duckdb.connect(str(house.marts)) as con:
        con.execute("CREATE MACRO metrics.no_longer_a_metric() AS TABLE SELECT 1 AS x")
        digest = overall(con)
    assert explained(house, "third", OTHER) == first, "what is no metric any more is taken out"
    assert house.build(full=True).digest == digest
    assert explained(house, "fourth", OTHER) == first, "tables made anew have their comments again"


def test_killed_between_macros_all_are_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the macros of a few metrics: they are written three times."""
    monkeypatch.setattr(metric_macros, "install_macros", few_macros(metric_macros.install_macros))
    house = Warehouse(tmp_path).built(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30"))
    first = explained(house, "first", ONE)

    def killed(_con: duckdb.DuckDBPyConnection) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(metric_macros, "install", killed)
        with pytest.raises(KeyboardInterrupt):
            explained(house, "hurt", OTHER)
    assert explained(house, "second", ONE) == first, "the definitions of before are in force again"


def test_the_newest_is_opened_only_where_the_marts_may_be_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metric_macros, "install_macros", few_macros(metric_macros.install_macros))
    opened: list[Path] = []

    def read_meta(path: Path) -> publish.Meta | None:
        opened.append(path)
        return read(path)

    read = publish.read_meta
    monkeypatch.setattr(publish, "read_meta", read_meta)
    house = Warehouse(tmp_path).built(*exam("A1", f"{DAY} 15:00", f"{DAY} 15:30", final=f"{DAY} 16:00"))
    home = Home(tmp_path, Settings(home=tmp_path))
    home.prepare()
    first = publish.publish(home)
    assert opened == []
    house.built(*exam("A2", f"{DAY} 17:00", f"{DAY} 17:30"))
    second = publish.publish(home)
    assert (second.is_new, second.digest != first.digest, opened) == (True, True, [])
    assert publish.publish(home) == replace(second, is_new=False)
    assert publish.publish(home, second.digest) == replace(second, is_new=False)
    assert opened == [second.path, second.path], "whether it is damaged"
    second.path.chmod(0o600)
    second.path.write_bytes(b"")
    third = publish.publish(home, second.digest)
    assert (third.is_new, third.digest) == (True, second.digest)
    assert publish.current(home) == third.path
