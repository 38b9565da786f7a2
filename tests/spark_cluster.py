"""A real cluster here: one master and two workers of Spark standalone, processes of their own on loopback."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import missing

#: A virtual machine that starts soon matters more here than one that is fast in the end; classes alone are no reason to
#: look for garbage.
QUICK = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote "
    "-XX:MetaspaceSize=256m"
)
#: Little data: small pieces of memory for each sort and each table that is sent around, which Java fills with zeros.
SMALL = {"spark.buffer.pageSize": "1m", "spark.broadcast.blockSize": "64k"}
DEFAULTS = f"""
spark.executor.memory 512m
spark.driver.memory 512m
spark.driver.extraJavaOptions {QUICK}
spark.executor.extraJavaOptions {QUICK}
spark.log.level OFF
spark.sql.shuffle.partitions 2
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
{chr(10).join(f"{name} {value}" for name, value in SMALL.items())}
"""
#: On the PYTHONPATH of a driver, and so of its executors: who is about to open a file named `hold…` leaves word, and
#: waits until the test says so.
HOLD = """
import os, time
os.environ["RADOPS_PURE_PYTHON"] = "1"  # the compiled twin opens files by itself
_open = os.open
def held(path, *rest, **named):
    name = os.path.basename(os.fsdecode(path)) if isinstance(path, (str, bytes)) else ""
    if name.startswith("hold"):
        folder = os.path.dirname(os.path.abspath(__file__))
        os.close(_open(f"{folder}/at-{os.getpid()}", os.O_CREAT | os.O_WRONLY))
        while not os.path.exists(f"{folder}/go"):
            time.sleep(0.02)
    return _open(path, *rest, **named)
os.open = held
"""


def lacking() -> tuple[str, str] | None:
    """What Spark lacks on this machine, and the fix."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark", "pip install --require-hashes -r tests/spark.lock"
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        return "Java", "install Java 17 (openjdk-17-jre-headless) or set JAVA_HOME"
    return None


def needs_spark() -> None:
    """Go on only with pyspark and Java."""
    if found := lacking():
        missing(*found)


@dataclass
class Cluster:
    """Its master's URL and its processes; `environment` is what a driver needs beside its own."""

    root: Path
    url: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def hold(self) -> Path:
        """Folder in which a held file tells of itself as `at-PID`, until `go` is there."""
        return self.root / "hold"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SPARK_CONF_DIR": str(self.root / "conf"),
            "SPARK_LOCAL_DIRS": str(self.root / "local"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
        }

    def start(self, name: str, kind: str, *arguments: str, told: str) -> str:
        """Start a process of the cluster; returns what the group of `told` matches in its log, once it is there."""
        from pyspark.find_spark_home import _find_spark_home  # noqa: PLC0415

        log = self.root / f"{name}.log"
        command = [f"{_find_spark_home()}/bin/spark-class", f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1"]
        own = {
            "SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": QUICK,
            "SPARK_CONF_DIR": str(self.root / "daemons"),
        }  # fmt: skip
        with log.open("wb") as out:
            self.processes[name] = subprocess.Popen(
                [*command, "--webui-port", "0", *arguments], env=os.environ | self.environment | own, stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip

        def found() -> list[str]:
            assert self.processes[name].poll() is None, f"{name} ended: {log.read_text('utf-8', 'replace')[-500:]}"
            return re.findall(told, log.read_text("utf-8", "replace"))

        until(lambda: bool(found()), log.name)
        return found()[0]

    def worker(self, name: str) -> None:
        """Start a worker of one core and wait until the master knows it."""
        folder = self.root / name
        self.start(name, "worker.Worker", "--cores", "1", "--memory", "600m", "--work-dir", str(folder), self.url,
                   told="(Successfully registered) with master")  # fmt: skip

    def at_hold(self) -> int:
        """The Python process that is at a held file; waits for it."""
        until(lambda: any(self.hold.glob("at-*")), "a task at the held file")
        return int(next(self.hold.glob("at-*")).name.removeprefix("at-"))

    def go_on(self) -> None:
        (self.hold / "go").touch()

    def hold_again(self) -> None:
        for path in (*self.hold.glob("at-*"), self.hold / "go"):
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        """End what was started here, workers first so that they end their executors."""
        self.go_on()
        for name, process in reversed(list(self.processes.items())):
            started = descendants(process.pid)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in started:
                kill(pid)
            del self.processes[name]


@contextmanager
def cluster(root: Path, n_workers: int = 2) -> Iterator[Cluster]:
    """A master with workers of one core each, which end with the block."""
    needs_spark()
    made = Cluster(root)
    for name in ("conf", "daemons", "local", "hold"):
        (root / name).mkdir(parents=True)
    (root / "conf" / "spark-defaults.conf").write_text(DEFAULTS, "ascii")
    (root / "hold" / "sitecustomize.py").write_text(HOLD, "ascii")
    try:
        made.url = made.start("master", "master.Master", "--port", "0", told=r"Starting Spark master at (spark://\S+)")
        for number in range(1, n_workers + 1):
            made.worker(f"worker-{number}")
        yield made
    finally:
        made.stop()


def until(is_so: Callable[[], bool], what: str, seconds: float = 240.0) -> None:
    """Wait until something is so; on a busy machine that may take long."""
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.05)


def parent(pid: int) -> int:
    """The process that started a process; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def above(pid: int) -> list[int]:
    """A process's parent, its parent's parent, and so on."""
    found = []
    while (pid := parent(pid)) > 1:
        found.append(pid)
    return found


def descendants(pid: int) -> list[int]:
    """Living processes that a process started, or that these did."""
    parents: Mapping[int, int] = {int(p.name): parent(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit()}
    found, look = list[int](), [pid]
    while look:
        here = look.pop()
        new = [child for child, of in parents.items() if of == here]
        found += new
        look += new
    return found


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
