"""A real cluster, hurt while it works: the raw rows, the ledger and the digest are those of one machine, once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl.build_digest import overall
from etl.spark.parser import TASK_FILES_LEAST
from etl.store import Place, open_place
from tests.conftest import REPO
from tests.installation import Installation
from tests.raw_rows import raw_rows
from tests.s3_server import BUCKET, s3_server
from tests.slow import slow
from tests.spark_cluster import Cluster, above, cluster, descendants, kill, until

pytestmark = [slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(scope="module")
def spark(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Workers that know the keys of S3."""
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def whole(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The files of a network, one twice, ingested and built by one machine; `again` gives homes with this inbox."""
    root = tmp_path_factory.mktemp("whole")
    made = Installation(root / "home", {"site": network / "site", "key_file": root / "key"})
    files = sorted(path for path in (network / "files").rglob("*") if path.is_file())
    assert len(files) > 3 * TASK_FILES_LEAST
    for number, path in enumerate(files):
        shutil.copyfile(path, made.home.inbox / f"{'hold-' if number == 50 else ''}{number:04}{path.suffix}")
    shutil.copyfile(files[0], made.home.inbox / f"again{files[0].suffix}")
    (made.home.inbox / "none.hl7").write_bytes(b"MSH|^~\\&|nothing of use")
    made.stages("ingest", "build")
    return made


def raw_only(whole: Installation, root: Path, **settings: str) -> Installation:
    """A home with the same raw rows and key, with other settings, and without marts."""
    made = Installation(root, whole.settings | settings)
    shutil.copyfile(whole.home.intake, made.home.intake)
    return made


def built(home: Installation) -> str:
    """The digest of the marts as they are."""
    with duckdb.connect(str(home.home.marts), read_only=True) as con:
        return overall(con)


def again(whole: Installation, root: Path) -> Installation:
    """A home with the same files, which nobody has read yet."""
    made = Installation(root, whole.settings)
    shutil.copytree(whole.home.inbox, made.home.inbox, dirs_exist_ok=True)
    return made


def begin(home: Installation, spark: Cluster) -> subprocess.Popen[bytes]:
    """Ingest on the cluster, in a process of its own; returns while a task is at the held file."""
    spark.hold_again()
    command = home.command("ingest", "--engine", "spark", "--master", spark.url)
    environment = home.environment | spark.environment | {"PYTHONPATH": f"{spark.hold}{os.pathsep}{REPO}"}
    return subprocess.Popen(command, cwd=REPO, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def begin_build(home: Installation, spark: Cluster, handed: Place) -> subprocess.Popen[bytes]:
    """Build on the cluster, in a process of its own; returns once a dozen models are written to where they are handed
    over."""
    command = home.command("build", "--engine", "spark", "--master", spark.url)
    environment = home.environment | spark.environment | {"PYTHONPATH": str(REPO)}
    driver = subprocess.Popen(command, cwd=REPO, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    written = lambda: {name.split("/")[-2] for name in handed.names() if ".rows/" in name}  # noqa: E731
    until(lambda: driver.poll() is not None or len(written()) >= 12, "a dozen models that are written")
    assert driver.poll() is None, "the build ended before anything could be killed"
    return driver


def finish(driver: subprocess.Popen[bytes], spark: Cluster) -> None:
    spark.go_on()
    _, said = driver.communicate(timeout=600)  # a build takes long on a busy machine
    assert driver.returncode == 0, said.decode()


def check(home: Installation, whole: Installation) -> None:
    assert raw_of(home) == raw_of(whole)
    assert home.ledger() == whole.ledger()
    assert list((home.root / "spark").iterdir()) == []


def raw_of(home: Installation) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the raw store, whichever home read them and when."""
    with duckdb.connect(str(home.root / "intake.duckdb"), read_only=True) as con:
        return raw_rows(con)


def executor_of(python: int, spark: Cluster) -> tuple[str, int]:
    """The worker and the executor's process above a Python process."""
    line = above(python)
    (name,) = [name for name, process in spark.processes.items() if process.pid in line]
    return name, line[line.index(spark.processes[name].pid) - 1]


def test_the_driver_is_killed_in_the_middle(spark: Cluster, whole: Installation, tmp_path: Path) -> None:
    """What its executors had written is not loaded; the next run loads all once, and leaves none of it."""
    home = again(whole, tmp_path / "home")
    driver = begin(home, spark)
    spark.at_hold()
    until(lambda: any((home.root / "spark").glob("*/*.parquet")), "a part that is written")
    left = descendants(driver.pid)
    driver.kill()
    driver.communicate()
    assert any((home.root / "spark").glob("*/*.parquet"))
    spark.go_on()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), "the driver's own processes to end")
    finish(begin(home, spark), spark)
    check(home, whole)
    finish(begin(home, spark), spark)
    check(home, whole)


def test_an_executor_and_then_a_worker_are_killed_in_the_middle(
    spark: Cluster, whole: Installation, tmp_path: Path
) -> None:
    """The task goes to another executor, and then to the only machine that is left; the answer is the same."""
    home = again(whole, tmp_path / "home")
    driver = begin(home, spark)
    _, first = executor_of(spark.at_hold(), spark)
    spark.hold_again()
    kill(first)
    name, second = executor_of(spark.at_hold(), spark)
    assert second != first
    for pid in (spark.processes[name].pid, second, *descendants(second)):
        kill(pid)
    spark.processes.pop(name).wait()
    finish(driver, spark)
    check(home, whole)
    assert home.digest() == whole.digest()
    spark.worker(f"{name}-anew")


def test_a_worker_is_killed_in_the_middle_of_a_build_at_s3(
    spark: Cluster, whole: Installation, s3: str, tmp_path: Path
) -> None:
    """What its executor held is made again on the machine that is left; every mart is the same, and raw rows stay."""
    settings = {"spark_folder": f"s3://{BUCKET}/handed", "lake": f"s3://{BUCKET}/lake", "s3_endpoint": s3}
    home = raw_only(whole, tmp_path / "home", **settings)
    handed = open_place(settings["spark_folder"], s3)
    driver = begin_build(home, spark, handed)
    name = next(name for name in spark.processes if name.startswith("worker"))
    worker = spark.processes.pop(name)
    executors = descendants(worker.pid)
    assert executors, "it had work"
    for pid in (worker.pid, *executors):
        kill(pid)
    worker.wait()
    finish(driver, spark)
    assert built(home) == built(whole)
    assert (handed.names(), list((home.root / "spark").iterdir())) == ([], [])
    assert any(name.startswith("raw/event/1-") for name in open_place(settings["lake"], s3).names())
    spark.worker(f"{name}-anew")
