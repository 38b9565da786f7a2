"""Spark and DuckDB make the same marts of the same raw rows, table by table, of all exams and of a night's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from etl.build import build
from etl.build_digest import recount
from etl.build_models import read_build_models
from etl.home import Home
from etl.log import Log
from etl.pipeline import run
from etl.settings import Settings
from etl.spark import tables
from etl.spark.folder import folder_of
from etl.spark.lake import bring_up
from etl.spark.models import spark_engine
from etl.standing import BuildReport, last_batch
from etl.store import Place, open_place
from sample_data.simulate import simulate
from tests.etl.test_spark_ingest import MESSAGE
from tests.published import Published
from tests.s3_server import BUCKET, s3_server
from tests.slow import slow
from tests.spark_session import little_session

#: pyspark reads answers by sockets that it leaves to the collector of garbage.
pytestmark = [
    slow,
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
SEED, EXAMS, DAYS = 20_261, 40, 10
#: Files of the network that come in the night.
LATE = 12
Build = Callable[[Home], BuildReport]
Digests = dict[str, tuple[int, int]]
MARTS = [model.name for model in read_build_models("marts") if model.materialize == "table"]


def digests(home: Home) -> Digests:
    """Rows and digest of each mart, from its rows."""
    with duckdb.connect(str(home.marts), read_only=True) as con:
        return recount(con, MARTS)


def differing(here: Digests, there: Digests) -> list[str]:
    """Marts that are not the same."""
    return sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))


def copied(home: Home, root: Path, **settings: object) -> Home:
    """The raw rows, key and site of `home` at another place, without marts; with other settings."""
    (root / "key").mkdir(parents=True)
    shutil.copy(home.intake, root / "intake.duckdb")
    shutil.copy(home.key_file, root / "key" / "pseudonym.key")
    return Home(root, home.settings.model_copy(update={"home": root, "site": home.site, "key_file": None} | settings))


def simulated(root: Path) -> tuple[Home, list[Path]]:
    """A home without rows, and the files that a network emits."""
    simulate(root / "made", exams=EXAMS, days=DAYS, seed=SEED)
    site = root / "made" / "site"
    home = Home(root / "home", Settings(home=root / "home", site=site, workers=1, settle_seconds=0, max_rejects=1.0))
    home.prepare()
    return home, sorted(path for path in (root / "made" / "files").rglob("*") if path.is_file())


def compared(name: str, there: Home, root: Path) -> list[str]:
    """Marts of Spark that differ from all exams anew in DuckDB; prints the line of the parity table."""
    here = copied(there, root)
    build(here, full=True)
    one, other = digests(here), digests(there)
    wrong = differing(one, other)
    rows = sum(n for n, _ in one.values())
    print(f"{name:32} {rows:>9,} rows, {len(one) - len(wrong)} of {len(MARTS)} marts the same")
    return wrong


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(scope="module")
def on_spark(s3: str) -> Iterator[Build]:
    """Builds a home on Spark, whose processes know the keys of S3."""
    with little_session() as spark:

        def built(home: Home) -> BuildReport:
            with folder_of(home, "build") as folder:
                return build(home, engine=spark_engine(spark, home, folder))

        yield built


def lake_of(home: Home) -> list[str]:
    """Bring the lake of a home up without Spark; its files without the digits of their content."""
    with closing(duckdb.connect()) as con:
        con.execute(f"ATTACH '{home.intake}' AS intake (READ_ONLY)")
        bring_up(con, home.settings.lake, home.settings.s3_endpoint)
    return files_of(open_place(home.settings.lake, home.settings.s3_endpoint).names("raw/"))


def files_of(names: list[str]) -> list[str]:
    return [name.rpartition("-")[0] for name in names if name.startswith("raw/")]


def test_marts_are_the_same_and_a_planted_difference_is_not(
    on_spark: Build, s3: str, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Raw rows lie at S3 already, but for the last batch; what is handed over lies in a folder."""
    lake = f"s3://{BUCKET}/lake"
    there = copied(published.home, tmp_path / "there", lake=lake, s3_endpoint=s3, settle_seconds=0.0)
    old = lake_of(there)
    assert {name.split("/")[1] for name in old} > {"event", "order", "report"}
    (tmp_path / "late.hl7").write_bytes(MESSAGE % (1, 1, 1))
    there.prepare()
    ingest(there, [tmp_path / "late.hl7"])
    put, original = list[str](), Place.put
    monkeypatch.setattr(Place, "put", lambda self, name, path: (put.append(name), original(self, name, path)))
    assert on_spark(there).is_full
    new = files_of(put)
    with duckdb.connect(str(there.intake), read_only=True) as con:
        last = last_batch(con, "intake")
    assert new == [f"raw/event/{last}-{last}", f"raw/order/{last}-{last}"]
    assert sorted(old + new) == files_of(open_place(lake, s3).names())
    assert list((there.root / "spark").iterdir()) == []
    assert compared("sample", there, tmp_path / "here") == []
    made = digests(there)
    with duckdb.connect(str(there.marts)) as con:
        con.execute("UPDATE fct_exam SET n_images = n_images + 1 WHERE exam_key = (SELECT min(exam_key) FROM fct_exam)")
    assert differing(digests(there), made) == ["fct_exam"]


def test_a_night_on_spark_is_all_exams_anew_in_duckdb(
    on_spark: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed whole in DuckDB; then a night on Spark, which reads the raw rows of its own exams alone."""
    home, files = simulated(tmp_path)
    ingest(home, files[:-LATE])
    first = build(home)
    ingest(home, files[-LATE:])
    handed: dict[str, int] = {}

    def write(con: duckdb.DuckDBPyConnection, table: str, folder: Path) -> tables.Written:
        written = original(con, table, folder)
        handed[table] = con.execute(f"SELECT count(*) FROM '{written.path}'").fetchall()[0][0]
        return written

    original = tables.write
    monkeypatch.setattr(tables, "write", write)
    night = on_spark(home)
    assert not night.is_full
    assert 0 < night.touched < first.n_exams
    with duckdb.connect(str(home.intake), read_only=True) as con:
        assert 0 < handed["raw_event"] < con.execute("SELECT count(*) FROM raw_event").fetchall()[0][0]
    assert "fct_exam" not in handed, "what follows from changes is derived where the marts are"
    assert compared("a seed, then a night on Spark", home, tmp_path / "here") == []


def ingest(home: Home, paths: list[Path]) -> None:
    run(home, Log(home.log, is_quiet=True), paths, stages=("ingest",))
