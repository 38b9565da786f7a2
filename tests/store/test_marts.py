"""Marts as Parquet: every value survives for every reader, what stays is not written again, nothing is torn."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import polars as pl
import pytest

from etl.build_digest import META, columns_of, measure, recount, store, stored
from etl.errors import StoreError
from etl.home import Home
from etl.store import Place, marts, open_place
from etl.store.mart_manifest import MartManifest, read_mart_manifest
from tests.published import Published
from tests.store.snapshots_made import home_of, publish_made
from tests.test_readme import blocks

#: One column a type that a mart may have: text with NULL, instants with and without a zone, keys larger than BIGINT.
VALUES = """
    SELECT i AS n, CASE WHEN i % 3 > 0 THEN 'ä€' || i END AS "text",
           18446744073709551615::UBIGINT - i::UBIGINT AS key_u,
           CASE WHEN i <> 2 THEN 99999999999999999999999999999999999999::HUGEINT - i END AS key_h,
           i / 7.0E0 AS real, i % 2 = 0 AS flag, DATE '0001-01-01' + i::INTEGER AS day,
           TIMESTAMP '2026-03-29 01:59:59.999999' AS "at", TIMESTAMPTZ '2026-03-29 01:59:59.999999+02' AS zoned,
           [i::INTEGER, NULL] AS drawn, 1.25::DECIMAL(18, 4) AS d
    FROM range(?) t(i) ORDER BY i DESC"""


def offered(home: Home, place: Place) -> marts.Written:
    done = marts.offer(home, place)
    assert done is not None
    return done


def named(place: Place) -> MartManifest:
    manifest = marts.newest(place)
    assert manifest is not None
    return manifest


def publish(home: Home, number: int, **rows: str) -> None:
    """Publish a snapshot with these marts, each the rows of a query."""
    path = publish_made(home, number, filling=number)
    path.chmod(0o640)
    with duckdb.connect(str(path)) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("DROP TABLE filling")
        con.execute(META)
        for name, query in rows.items():
            con.execute(f"CREATE TABLE {name} AS {query}")
        store(con, recount(con, list(rows)))


def read(place: Place, name: str, folder: Path) -> str:
    """A mart of the place as a table function on this machine's copy."""
    copy = folder / f"{name}.parquet"
    place.get(named(place).marts[name].path, copy)
    return f"read_parquet('{copy}')"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_of(tmp_path / "home", keep_snapshots=2)


@pytest.fixture
def apart(published: Published, tmp_path: Path) -> Published:
    """The session's snapshot at a place of its own: readers of this process may have that one open, set otherwise."""
    home = home_of(tmp_path / "apart")
    snapshot = Path(shutil.copy(published.snapshot, home.published))
    (home.published / "radops.duckdb").symlink_to(snapshot.name)
    return Published(home, snapshot)


def test_each_mart_of_a_snapshot_is_there_as_it_is(apart: Published, shared: Place, tmp_path: Path) -> None:
    done = offered(apart.home, shared)
    with duckdb.connect(str(apart.snapshot), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        known = stored(con)
        assert set(done.written) == set(known) == set(named(shared).marts)
        for name, told in known.items():
            copy = read(shared, name, tmp_path)
            columns = columns_of(con, name)
            assert columns_of(con, f"SELECT * FROM {copy}") == columns, name
            assert measure(con, copy, columns) == told, name
            with duckdb.connect() as other:  # another reader than the one that wrote
                other.execute("SET TimeZone = 'UTC'")
                other.register("frame", pl.read_parquet(tmp_path / f"{name}.parquet"))
                assert measure(other, "frame", columns) == told, name
        for name in ("fct_exam", "fct_backlog_hour", "fct_exam_event"):
            rows = con.execute(f"SELECT hash(t) FROM {name} t").fetchall()
            assert con.execute(f"SELECT hash(t) FROM {read(shared, name, tmp_path)} t").fetchall() == rows, "sorted"
    assert offered(apart.home, shared) == replace(done, written=(), kept=tuple(named(shared).marts))


def test_values_of_every_type_survive(home: Home, tmp_path: Path) -> None:
    place = open_place(str(tmp_path / "place"))
    publish(home, 1, fct_a=VALUES.replace("?", "5000"), fct_none=VALUES.replace("?", "0"))
    offered(home, place)
    with duckdb.connect(str(home.published / "radops.duckdb"), read_only=True) as con:
        con.execute("SET TimeZone = 'UTC'")
        copy = read(place, "fct_a", tmp_path)
        assert con.execute(f"SELECT * FROM {copy}").fetchall() == con.execute("SELECT * FROM fct_a").fetchall()
        types = dict(columns_of(con, f"SELECT * FROM {copy}"))
        assert types == dict(columns_of(con, "fct_a")) | {"key_h": "DECIMAL(38,0)"}
        assert con.execute(f"SELECT count(*) FROM {read(place, 'fct_none', tmp_path)}").fetchall() == [(0,)]
    frame = pl.read_parquet(tmp_path / "fct_a.parquet")
    assert frame["n"].to_list() == list(range(4999, -1, -1))
    assert (frame["key_u"][-1], frame["key_h"][-1]) == (2**64 - 1, 10**38 - 1)
    assert frame.schema["zoned"] == pl.Datetime("us", "UTC")
    assert frame.schema["at"] == pl.Datetime("us", None)


@pytest.mark.parametrize(
    "value", ["170141183460469231731687303715884105727::HUGEINT", "'11'::BIT", "INTERVAL 7 MICROSECOND"]
)
def test_what_parquet_does_not_hold_is_told(home: Home, tmp_path: Path, value: str) -> None:
    publish(home, 1, fct_a=f"SELECT {value} AS v")
    place = open_place(str(tmp_path / "place"))
    with pytest.raises(StoreError, match="fct_a"):
        marts.offer(home, place)
    assert marts.newest(place) is None


def test_what_is_not_what_the_snapshot_has_is_not_put(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(home, 1, fct_a="SELECT 1.5E0 AS v")
    monkeypatch.setattr(marts, "_HELD", {"DOUBLE": "INTEGER"})
    place = open_place(str(tmp_path / "place"))
    with pytest.raises(StoreError, match="not what the snapshot has"):
        marts.offer(home, place)
    assert place.names() == []


def test_only_what_changed_is_written(home: Home, shared: Place) -> None:
    publish(home, 1, fct_a="SELECT 1 AS n", fct_b="SELECT 1 AS n", fct_c="SELECT 1 AS n")
    assert offered(home, shared).written == ("fct_a", "fct_b", "fct_c")
    first = named(shared).marts
    publish(home, 2, fct_a="SELECT 1 AS n", fct_b="SELECT 2 AS n", fct_c="SELECT 1 AS m", fct_d="SELECT 1 AS n")
    done = offered(home, shared)
    assert done.written == ("fct_b", "fct_c", "fct_d"), "other rows, another name of a column, a new mart"
    assert named(shared).marts["fct_a"] == first["fct_a"]
    shared.remove(first["fct_a"].path)
    assert offered(home, shared).written == ("fct_a",)
    assert shared.size(named(shared).marts["fct_a"].path) == named(shared).marts["fct_a"].size


def test_what_a_kept_manifest_names_stays(home: Home, shared: Place) -> None:
    for number in range(1, 6):
        publish(home, number, fct_a="SELECT 1 AS n", fct_b=f"SELECT {number} AS n")
        if number > 2:
            (home.published / f"radops-{number - 2:06d}.duckdb").unlink()
        offered(home, shared)
    known = marts.manifests(shared)
    assert [manifest.seq for manifest in known] == [4, 5]
    files = {mart.path for manifest in known for mart in manifest.marts.values()}
    assert set(shared.names()) == files | {manifest.name for manifest in known} | {"radops.json"}
    assert [path[:6] for path in sorted(files)] == ["000001", "000004", "000005"]
    if shared.kind == "file":
        assert len([path for path in Path(shared.root).iterdir() if path.is_dir()]) == 3, "no empty folder is left"


def test_killed_in_between_the_one_before_stays(home: Home, shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(home, 1, fct_a="SELECT 1 AS n")
    offered(home, shared)
    publish(home, 2, fct_a="SELECT 2 AS n")
    for name in ("put", "write", "swap"):
        with monkeypatch.context() as patched:
            patched.setattr(Place, name, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                marts.offer(home, shared)
        assert named(shared).seq == 1
    offered(home, shared)
    assert named(shared).seq == 2


def test_two_homes_do_not_share_a_place(home: Home, shared: Place, tmp_path: Path) -> None:
    publish(home, 2, fct_a="SELECT 1 AS n")
    offered(home, shared)
    other = home_of(tmp_path / "other")
    publish(other, 1, fct_a="SELECT 2 AS n")
    with pytest.raises(StoreError, match="of another home"):
        marts.offer(other, shared)
    assert [name for name in shared.names() if name.startswith("000001")] == []


@pytest.mark.parametrize("change", [{"format": 2}, {"seq": 4}, {"extra": 1}, {"path": "../x.parquet"}, {"sha256": "x"}])
def test_a_manifest_of_another_form_is_refused(home: Home, tmp_path: Path, change: dict[str, Any]) -> None:
    place = open_place(str(tmp_path / "place"))
    publish(home, 1, fct_a="SELECT 1 AS n")
    offered(home, place)
    told = json.loads(named(place).to_bytes())
    assert read_mart_manifest(json.dumps(told).encode(), "x") == named(place)
    of_file = change.keys() <= told["marts"]["fct_a"].keys()
    told["marts"]["fct_a"] |= change if of_file else {}
    told |= {} if of_file else change
    with pytest.raises(StoreError, match="no manifest"):
        read_mart_manifest(json.dumps(told).encode(), "x")


def test_the_readmes_lines_read_them(apart: Published, tmp_path: Path) -> None:
    """DuckDB and polars for real; that Spark reads such a file is tested with Spark."""
    offered(apart.home, open_place(str(tmp_path)))
    with duckdb.connect(str(apart.snapshot), read_only=True) as con:
        expected = con.execute("SELECT count(*) FROM fct_exam").fetchall()
    (line,) = [line for block in blocks("sh") for line in block.splitlines() if "getvariable" in line]
    asked = re.findall(r'"(.*)"', line.replace("/srv/marts", str(tmp_path)))[0]
    with duckdb.connect() as con:
        assert con.execute(asked).fetchall() == expected
    (script,) = [block for block in blocks("python") if "spark.read" in block]
    paths: list[str] = []
    said: dict[str, Any] = {"spark": SimpleNamespace(read=SimpleNamespace(parquet=paths.append))}
    exec(compile(script.replace("/srv/marts", str(tmp_path)), "README.md", "exec"), said)  # noqa: S102 - our own text
    assert [(said["exams"].height,)] == expected
    assert [Path(path) for path in paths] == [tmp_path / named(open_place(str(tmp_path))).marts["fct_exam"].path]
