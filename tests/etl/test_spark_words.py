"""Each word that the engines write differently gives the same on both, and would not without its row in the table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from etl.build_digest import measure
from etl.build_models import read_build_models
from etl.errors import ClusterError
from etl.pseudonym import keyed_macro
from etl.spark import tables
from etl.spark.dialect import FUNCTIONS, to_spark
from etl.spark.folder import Folder
from etl.spark.models import OnSpark, own_session
from etl.spark.private import private_macros
from etl.store import marts, open_place
from sql.macros import MACROS
from tests.published import Published
from tests.spark_session import little_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

KEY = b"\x07" * 32
PRIVATE = private_macros(KEY, publish_accession=False, publish_names=False)
AT = "TIMESTAMP '2026-03-08 09:59:59.999999'"
#: pyspark reads answers by sockets that it leaves to the collector of garbage.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
#: Expressions whose value must be the same, several a row of the table.
SAME = [
    "upper('grün weiß ŉ ﬁ ΐ')", "lower('İSTANBUL ΑΣ ΑΣΑ')", "lower(NULL)",
    "concat(NULL, '|', 1, TRUE)", f"concat({AT}, '|')", f"concat_ws('^', NULL, 'a', {AT}, {AT} IS NULL)",
    "concat_ws('^', TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-01 00:00:00.5')",
    f"isodow({AT})", "isodow(DATE '2026-03-09')", "date_diff('day', DATE '2025-12-31', DATE '2026-03-01')",
    f"date_diff('day', CAST({AT} AS DATE), DATE '1999-01-01')", f"date_diff('day', {AT}, {AT} + INTERVAL 15 HOUR)",
    f"date_trunc('week', {AT})",
    f"date_trunc('hour', {AT} + INTERVAL 3599999999 MICROSECOND)", "split_part('a^b', '^', 3)", "round(-2.5E0)",
    "round(2.5E0)", "floor(-7 / 2)", "7 / 2", "mod(-3, 7)", "least(NULL, 2, 1)", "greatest(NULL, 2, 1)",
    f"local_at({AT}, 'America/New_York')", f"local_at({AT} + INTERVAL 1 SECOND, 'America/New_York')",
    f"local_at({AT}, 'Asia/Kolkata')", f"minutes_between({AT}, TIMESTAMP '2026-03-08 10:00:00')",
    f"minutes_between(TIMESTAMP '2026-03-08 10:00:00', {AT})",
    f"seconds_between({AT}, TIMESTAMP '2026-03-08 10:00:00')", f"seconds_between({AT}, NULL)",
    f"add_seconds({AT}, -0.0000005E0)", f"add_seconds({AT}, 86400 * 4000)", f"minute_of_week({AT})",
    f"micros({AT})", f"at_micros(-micros({AT}))", "micros(CAST(NULL AS TIMESTAMP))", "at_micros(NULL)",
    "minute_of_week(TIMESTAMP '2026-03-09')", "age_band(17.9E0)", "age_band(80)", "age_band(-1)", "age_band(NULL)",
    "name_key('a', NULL, 'b', 'c', NULL, 'd', 'e', 'f', 'g')",
    "actor_key('A', '7', 'x')", "actor_key(NULL, '', ' Müller-Weiß,  Åsa ')", "actor_key(NULL, NULL, NULL)",
    "keyed('exam', 'grün')", "keyed('exam', NULL)", "CAST('0001-01-01' AS DATE)", "DATE '9999-12-31'",
]  # fmt: skip
#: Letters that have had another case since Unicode 16, which DuckDB's table does not know.
NEWER = set("ƛɤ\u1c89\u1c8a")
#: Queries whose rows must be the same in their order.
ROWS = [
    "SELECT x.v FROM (SELECT 1 AS v UNION ALL SELECT NULL UNION ALL SELECT 2) x ORDER BY x.v",
    "SELECT x.v FROM (SELECT 1 AS v UNION ALL SELECT NULL UNION ALL SELECT 2) x ORDER BY x.v DESC",
    "SELECT unnest(generate_series(DATE '2026-01-03', DATE '2026-01-01', INTERVAL 1 DAY)) AS v",
    "SELECT unnest(generate_series(x.a, x.b, INTERVAL 1 HOUR)) AS v FROM (SELECT TIMESTAMP "
    "'2026-03-08 01:30' AS a, TIMESTAMP '2026-03-08 04:00' AS b) x",
    "SELECT quantile_cont(x.v, 0.25) AS a, CAST(quantile_disc(x.v, 0.9) AS DOUBLE) AS b, quantile_cont(x.v, 0.5) "
    "FILTER (WHERE x.v > 1E0) AS c "
    "FROM (SELECT 1E0 AS v UNION ALL SELECT 2E0 UNION ALL SELECT 4E0 UNION ALL SELECT NULL) x",
    "SELECT arg_max(x.v, x.k) FILTER (WHERE x.v IS NOT NULL) AS v, bool_or(x.v > 1) AS b FROM (SELECT 1 AS v, 1 AS k "
    "UNION ALL SELECT NULL, 2) x",
    "SELECT p.least.a AS a, p.least.b AS b, p.none IS NULL AS c FROM (SELECT min({'a': x.v, 'b': x.k}) AS least, "
    "min({'a': x.v}) FILTER (WHERE x.v > 2) AS none FROM (SELECT 1 AS v, 'c' AS k UNION ALL SELECT 1, 'b' "
    "UNION ALL SELECT 2, 'a') x) p",
    "SELECT x.v IS DISTINCT FROM 1 AS a, x.v NOT IN (SELECT 2) AS b FROM (SELECT NULL AS v UNION ALL SELECT 1) x "
    "ORDER BY a, b",
]


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """A session as builds have it; Python takes Spark's times for those of its own zone."""
    with pytest.MonkeyPatch.context() as patch, little_session() as made:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield own_session(made)
    time.tzset()


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(keyed_macro(KEY))
    for macro in MACROS:
        con.execute(macro.create_duckdb())
    return con


def values(rows: Any) -> list[tuple[Any, ...]]:
    """Rows as plain values; numbers of either engine as floats."""
    return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | str) or hasattr(value, "year") else float(value)


def test_words_mean_the_same(spark: SparkSession, duck: duckdb.DuckDBPyConnection) -> None:
    """All at once: a query costs Spark more than its expressions."""
    query = "SELECT " + ", ".join(f"{text} AS v{number}" for number, text in enumerate(SAME))
    here = values(duck.execute(query).fetchall())[0]
    there = values(spark.sql(to_spark(query, PRIVATE)).collect())[0]
    assert {text: (a, b) for text, a, b in zip(SAME, here, there, strict=True) if a != b} == {}


@pytest.mark.parametrize("query", ROWS)
def test_queries_mean_the_same(query: str, spark: SparkSession, duck: duckdb.DuckDBPyConnection) -> None:
    assert values(spark.sql(to_spark(query, PRIVATE)).collect()) == values(duck.execute(query).fetchall())


def test_every_letter_turns_alike(spark: SparkSession, duck: duckdb.DuckDBPyConnection) -> None:
    """The letters of Latin, Greek, Cyrillic and all scripts up to the punctuation of CJK, one by one."""
    letters = pa.table({"c": [chr(n) for n in range(1, 0x3000)]})
    duck.register("letter", letters)
    spark.createDataFrame(letters).createOrReplaceTempView("letter")
    query = "SELECT x.c, upper(x.c) AS u, lower(x.c) AS l FROM letter x ORDER BY x.c"
    here, there = duck.execute(query).fetchall(), values(spark.sql(to_spark(query)).collect())
    assert {a[0] for a, b in zip(here, there, strict=True) if a != b} <= NEWER


@pytest.mark.parametrize(
    "expression",
    ["upper('weiß')", "lower('İ')", "concat(CAST(NULL AS TIMESTAMP), '|')",
     f"date_diff('day', {AT}, {AT} + INTERVAL 15 HOUR)", "quantile_cont(1, 0.5)", "isodow(DATE '2026-03-09')",
     "unnest(generate_series(2, 1, 1))"],
)  # fmt: skip
def test_a_planted_difference_is_seen(expression: str, spark: SparkSession, duck: duckdb.DuckDBPyConnection) -> None:
    """What sqlglot alone writes gives something else, or nothing."""
    here = values(duck.execute(f"SELECT {expression} AS v").fetchall())
    try:
        there = values(
            spark.sql(sqlglot.transpile(f"SELECT {expression} AS v", read="duckdb", write="spark")[0]).collect()
        )
    except Exception:  # noqa: BLE001 - Spark refuses it
        return
    assert there != here


def test_spark_knows_every_function_of_the_table(spark: SparkSession) -> None:
    known = {row[0] for row in spark.sql("SHOW FUNCTIONS").collect()}
    assert FUNCTIONS - known == set()


def test_a_failed_model_tells_no_value(
    spark: SparkSession, duck: duckdb.DuckDBPyConnection, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = read_build_models("staging")[0]
    duck.execute("CREATE OR REPLACE TEMP TABLE told AS SELECT 'Geheim' AS name")
    engine = OnSpark(duck, True, spark, Folder(tmp_path), PRIVATE)
    with pytest.raises(ClusterError, match=rf"Spark gave up at {model.name} \(CAST_INVALID_INPUT\)") as raised:
        engine.stage(replace(model, body="SELECT CAST(t.name AS INTEGER) AS n FROM told t"))
    assert "Geheim" not in "".join((str(raised.value), repr(raised.value.__cause__), *capfd.readouterr()))


def test_what_no_model_names_stays_here(spark: SparkSession, duck: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Of raw rows only named columns are handed over; a number without a sign keeps telling rows apart."""
    duck.execute("""
        CREATE OR REPLACE TEMP TABLE raw_order AS
        SELECT 18446744073709551615::UBIGINT AS mention, 'Geheim' AS patient_name, 'CT' AS modality, TIMESTAMP
        '2026-03-08 02:30:00.000001' AS at""")
    written = tables.write(duck, "raw_order", tmp_path)
    assert written.schema == "`mention` BIGINT, `modality` STRING, `at` TIMESTAMP"
    (row,) = spark.read.schema(written.schema).parquet(str(written.path)).collect()
    assert row == (9223372036854775807, "CT", datetime(2026, 3, 8, 2, 30, 0, 1))


def test_marts_as_parquet_are_read_as_they_are(spark: SparkSession, published: Published, tmp_path: Path) -> None:
    """What a publish puts for other engines (`etl.store.marts`): the rows that Spark reads have the mart's sum."""
    place = open_place(str(tmp_path))
    marts.offer(published.home, place)
    manifest = marts.newest(place)
    assert manifest is not None
    for name in ("fct_exam", "fct_forecast", "dim_procedure_weight", "dim_device_usual", "fct_import"):
        mart = manifest.marts[name]
        rows = spark.read.parquet(f"{tmp_path}/{mart.path}").toArrow()
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            con.register("rows", rows)
            assert measure(con, "rows", list(mart.columns)) == (mart.n_rows, int(mart.digest)), name
