"""A scope is of its own facilities: whatever the others send, no cell of its tables is another, but what says so."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl.build_digest import LOAD_COLUMNS
from etl.home import Home
from etl.publish import current
from etl.scopes import Scope, home_of, publish_scope
from sql import scoping
from tests.installation import Installation
from tests.published import Published
from tests.sharing import made_once, shared_base
from tests.slow import first_of

OWN, OTHERS = ("SOUTH", "WEST"), {"NORTH", "EAST"}
SCOPES = {"silent": Scope("silent", OWN), "named": Scope("named", OWN, has_people=True)}
#: Tables that tell of exams elsewhere on purpose: an earlier exam there makes one here a repeat.
ACROSS = {"fct_repeat"}
#: Columns of the network, and told so: keys of patients, labels and roles of readers; and when a row was loaded.
OF_NETWORK = {"patient_key", "label", "role", *LOAD_COLUMNS}


def sent(files: Path) -> Iterator[Path]:
    """What is sent in the other world too: all that the scope's facilities send, half of what others do.

    Of the last days all, since the data reach as far.
    """
    paths = sorted(path.relative_to(files) for path in files.rglob("*") if path.is_file())
    last = sorted({path.parts[2] for path in paths if path.parts[0] == "hl7"})[-2:]
    for path in paths:
        if not OTHERS & set(path.parts) or path.parts[2] in last or zlib.crc32(str(path).encode()) % 2:
            yield path


@pytest.fixture(scope="module")
def other(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The published network once more, without half of what the others sent, under the same key and site."""
    files = published.home.root.parent / "simulated" / "files"

    def make(root: Path) -> None:
        for path in sent(files):
            (root / "files" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(files / path, root / "files" / path)
        _installation(published, root).stages(paths=[root / "files"])

    return _installation(published, made_once(shared_base(tmp_path_factory), "other-world", make)).home


def _installation(published: Published, root: Path) -> Installation:
    return Installation(root / "home", {"site": published.home.site, "key_file": published.home.key_file})


@pytest.fixture(scope="module")
def worlds(published: Published, other: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Home]:
    """Homes of the two worlds with both scopes published; this test's own."""
    root = tmp_path_factory.mktemp("worlds")
    for name, home in (("one", published.home), ("other", other)):
        (root / name / "published").mkdir(parents=True)
        whole = current(home)
        assert whole is not None
        shutil.copyfile(whole, root / name / "published" / whole.name)
        (root / name / "published" / "radops.duckdb").symlink_to(whole.name)
    homes = (Home(root / "one", published.home.settings), Home(root / "other", published.home.settings))
    for home in homes:
        for scope in SCOPES.values():
            assert publish_scope(home, scope).is_new
    return homes


def attached(worlds: tuple[Home, Home], name: str) -> duckdb.DuckDBPyConnection:
    """`a` and `b`: the snapshots of a scope in the two worlds; of the whole for an empty name."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for alias, home in zip("ab", worlds, strict=True):
        con.execute(f"ATTACH '{current(home_of(home, name) if name else home)}' AS {alias} (READ_ONLY)")
    return con


def different(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows that only one of two snapshots has, by table."""
    tables = [row[0] for row in con.execute("SELECT table_name FROM a.meta_table").fetchall()]
    return {table: n for table in (*tables, "meta_build") if (n := _different(con, table))}


def _different(con: duckdb.DuckDBPyConnection, table: str) -> int:
    names = [row[0] for row in con.execute(f"DESCRIBE a.{table}").fetchall()]
    told = ", ".join(f'"{name}"' for name in names if name not in OF_NETWORK)
    a, b = (f"SELECT {told} FROM {side}.{table}" for side in "ab")
    found = con.execute(f"SELECT count(*) FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))")
    return int(found.fetchall()[0][0])


@pytest.mark.parametrize("name", first_of(SCOPES))
def test_nothing_of_a_scope_changes_with_what_others_send(worlds: tuple[Home, Home], name: str) -> None:
    with attached(worlds, "") as con:
        through = con.execute("SELECT a.data_through, b.data_through FROM a.meta_build a, b.meta_build b").fetchall()[0]
        assert through[0] == through[1], "the worlds are comparable"
        assert different(con).keys() >= {*scoping.DERIVED, "dim_procedure", "fct_exam", *ACROSS}
    with attached(worlds, name) as con:
        n_rows = dict(con.execute("SELECT table_name, n_rows FROM a.meta_table").fetchall())
        assert all(n_rows[table] > 0 for table in (*scoping.DERIVED, "dim_procedure", "fct_exam"))
        assert different(con).keys() <= ACROSS
