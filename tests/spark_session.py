"""One session with Spark for the tests of its words and models: on this machine, quick to start rather than fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.spark_cluster import QUICK, SMALL, needs_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: Little data: no compiling of queries, no cutting into many tasks.
LITTLE = SMALL | {
    "spark.driver.defaultJavaOptions": QUICK,
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@contextmanager
def little_session() -> Iterator[SparkSession]:
    """A session on two processors of this machine. Skips where Spark is missing."""
    needs_spark()
    from etl.spark.session import session  # noqa: PLC0415

    with session("radops tests", "local[2]", LITTLE) as spark:
        yield spark
