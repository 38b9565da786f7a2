"""A session with Spark: on this machine or on a cluster, with what all of radops' jobs need."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import ClusterError, SettingsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: The folder that holds the rooms.
ROOMS = Path(__file__).resolve().parents[2]
#: Masters that are this machine: nothing of such a session listens on another interface.
_HERE = re.compile(r"local(\[.*\])?|spark://(127\.[\d.]+|localhost)(:\d+)?")
#: This machine's own processors, so many or all (`*`): Spark would try a task there only once.
_LOCAL = re.compile(r"local(?:\[(\d+|\*)\])?")
#: Attempts of a task, as everywhere else in Spark.
ATTEMPTS = 4
LOG = Path(__file__).with_name("log4j2.properties")
USUAL = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.executorEnv.POLARS_MAX_THREADS": "1",  # a task is one core's work
}


@contextmanager
def session(name: str, master: str, options: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """A session with `master` (`local[*]`, `spark://host:7077`, ...) that ends with the block; one at a time.

    Executors run this interpreter's path, or that of PYSPARK_PYTHON, and look for radops where it lies here, then where
    PYTHONPATH and their Python find it. `options` are Spark's, beside those of the folder that SPARK_CONF_DIR names.
    Raises SettingsError where pyspark or Java is missing, ClusterError where no master answers.
    """
    builder = _builder()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    paths = (str(ROOMS), *filter(None, [os.environ.get("PYTHONPATH")]))
    given = {**USUAL, "spark.executorEnv.PYTHONPATH": os.pathsep.join(paths), **(options or {})}
    if _HERE.fullmatch(master):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        given |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if own := _LOCAL.fullmatch(master):
        given["spark.log.level"] = "OFF"  # an attempt that fails is not the end of a task
        master = f"local[{own[1] or 1},{ATTEMPTS}]"
    if "SPARK_CONF_DIR" not in os.environ:
        given["spark.driver.extraJavaOptions"] = f"-Dlog4j2.configurationFile={LOG.as_uri()}"
    unused = Path(tempfile.gettempdir(), f"radops-{uuid.uuid4().hex}")  # else Spark leaves a folder where it is started
    given.setdefault("spark.sql.warehouse.dir", unused.as_uri())
    for key, value in given.items():
        builder = builder.config(key, value)
    try:
        spark = builder.master(master).appName(name).getOrCreate()
    except Exception as error:  # Spark's own text may quote anything
        raise ClusterError(
            f"no session with Spark at {master} ({type(error).__name__}): is it up, is the name right?"
        ) from error
    try:
        yield spark
    finally:
        spark.stop()
        shutil.rmtree(unused, ignore_errors=True)


def _builder() -> SparkSession.Builder:
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - takes a second, and only this engine needs it
    except ImportError as error:
        raise SettingsError("Spark is not installed: pip install 'radops[spark]'") from error
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else shutil.which("java")
    if java is None or not Path(java).exists():
        raise SettingsError("Spark needs Java 17: install it, or set JAVA_HOME to where it lies")
    return SparkSession.builder
