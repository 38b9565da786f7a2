"""Parsing on Spark's executors, in the place of the pool's processes: what is yielded is the same, and so is its order.

The driver cuts the files into tasks and sends these in waves: while one wave is loaded, the next is parsed. Executors
write parts and return their names, and only what Spark returns is loaded. The folder of a run has a name of its own:
whatever a killed driver, executor or attempt left is in no answer of Spark's, and goes with its folder.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etl.errors import ClusterError, SettingsError
from etl.home import Home
from etl.inbox import Candidate
from etl.parsing import JobResult
from etl.settings import Settings
from etl.site import Site
from etl.spark import parts
from etl.spark.folder import Folder, folder_of, said
from etl.spark.session import session
from etl.spark.work import Orders, Task, Told, code, done

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

#: Files and octets of a task at most; files at least, where there are enough. The cut depends on the files alone.
TASK_FILES, TASK_BYTES, TASK_FILES_LEAST, FEW_TASKS = 200, 256 << 20, 20, 32
#: Waves that are parsed or wait while one is loaded, and tasks of a wave for each core.
WAVES_AHEAD, TASKS_A_CORE = 2, 4
#: Seconds between two looks at the executors, and those without any after which a run gives up.
LOOK_SECONDS, ALONE_SECONDS = 5.0, 300.0
ROW = "task long, part string, rows string, problem string"


@dataclass(frozen=True)
class SparkParser:
    """Parses candidates on the executors of a master; files lie on paths that all of them see."""

    home: Home
    site: Site

    @property
    def settings(self) -> Settings:
        return self.home.settings

    def parse(self, candidates: list[Candidate]) -> Iterator[JobResult]:
        """Results in the order of `candidates`. Raises SettingsError, ClusterError."""
        with folder_of(self.home, "ingest") as folder, session("radops ingest", self.settings.spark_master) as spark:
            orders = Orders(folder, self.settings, self.site, code())
            waves = _waves(list(cut(candidates)), TASKS_A_CORE * max(spark.sparkContext.defaultParallelism, 2))
            for wave, told in _ahead(spark, orders, waves):
                yield from _results(folder, wave, told)


def cut(candidates: list[Candidate]) -> Iterator[Task]:
    """Tasks with their numbers, in the order of the files."""
    most = min(TASK_FILES, max(TASK_FILES_LEAST, -(-len(candidates) // FEW_TASKS)))
    number, task, size = 0, list[Candidate](), 0
    for candidate in candidates:
        if task and (len(task) == most or size + candidate.size > TASK_BYTES):
            yield number, task
            number, task, size = number + 1, [], 0
        task.append(candidate)
        size += candidate.size
    if task:
        yield number, task


def _waves(tasks: list[Task], most: int) -> Iterator[list[Task]]:
    return (tasks[at : at + most] for at in range(0, len(tasks), most))


def _ahead(spark: SparkSession, orders: Orders, waves: Iterator[list[Task]]) -> Iterator[tuple[list[Task], list[Told]]]:
    """Each wave with what its tasks told, the next ones in work."""
    running: deque[tuple[list[Task], Future[list[Told]]]] = deque()
    with ThreadPoolExecutor(WAVES_AHEAD) as threads:
        try:
            for wave in waves:
                running.append((wave, threads.submit(_run, spark, orders, wave)))
                if len(running) > WAVES_AHEAD:
                    yield running[0][0], _answer(spark, running[0][1])
                    running.popleft()
            while running:
                yield running[0][0], _answer(spark, running[0][1])
                running.popleft()
        finally:
            left = [told for _, told in running if not told.cancel()]
            while wait(left, LOOK_SECONDS / 5).not_done:
                spark.sparkContext.cancelAllJobs()


def _answer(spark: SparkSession, told: Future[list[Told]]) -> list[Told]:
    """What a wave told. Raises ClusterError where nobody is there to work on it: that may stay so for ever."""
    alone = 0.0
    while True:
        try:
            return told.result(LOOK_SECONDS)
        except TimeoutError:
            alone = 0.0 if _has_executors(spark) else alone + LOOK_SECONDS
            if alone >= ALONE_SECONDS:
                raise ClusterError(
                    f"no executor within {ALONE_SECONDS:.0f} s: are workers up, with free cores and memory?"
                ) from None


def _has_executors(spark: SparkSession) -> bool:
    """Is there an executor beside the driver, or is the driver one?"""
    context = spark.sparkContext
    return str(context.master).startswith("local") or context._jsc.sc().getExecutorMemoryStatus().size() > 1


def _run(spark: SparkSession, orders: Orders, wave: list[Task]) -> list[Told]:
    """One job of Spark: a row a task goes out, the rows of its parts come back."""
    shared = spark.sparkContext.broadcast((orders, wave))
    try:
        rows = spark.range(0, len(wave), 1, len(wave)).mapInArrow(_task(shared), ROW).collect()
        return [Told(*row) for row in rows]
    except Exception as error:  # noqa: BLE001 - its text may quote a value
        raise _explained(error) from None
    finally:
        shared.destroy()


def _task(shared: Any) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that runs on executors. It is pickled by value, and finds the rest of radops there."""

    def on_executor(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow  # noqa: PLC0415
        from pyspark import TaskContext  # noqa: PLC0415

        context = TaskContext.get()
        assert context is not None  # noqa: S101 - this runs in a task
        orders, wave = shared.value
        attempt = (context.attemptNumber(), context.taskAttemptId())
        for batch in batches:
            for place_in_wave in batch.column(0).to_pylist():
                for told in done(orders, wave[place_in_wave], attempt):
                    yield pyarrow.RecordBatch.from_pylist([told._asdict()])

    return on_executor


def _results(folder: Folder, wave: list[Task], told: list[Told]) -> Iterator[JobResult]:
    """The parts of a wave in the order of its files; each must be there once, and all files with it."""
    if problems := {one.problem for one in told} - {""}:
        raise SettingsError(f"executors cannot parse ({', '.join(sorted(problems))}): install this radops on all hosts")
    by_task: dict[int, list[Told]] = {number: [] for number, _ in wave}
    for one in told:
        by_task[one.task].append(one)
    for number, candidates in wave:
        seen = list[Candidate]()
        for one in sorted(by_task[number], key=lambda one: one.part):
            part = parts.Part(one.part, one.rows)
            result = parts.read(folder, part, candidates)
            seen += [file.candidate for file in result.files]
            yield result
            parts.remove(folder, part)
        if sorted(seen, key=_path) != sorted(candidates, key=_path):
            raise ClusterError(f"task {number} told of {len(seen)} files and not of its {len(candidates)}, each once")


def _path(candidate: Candidate) -> str:
    return candidate.path


def _explained(error: Exception) -> Exception:
    """Spark's failure without its text, which may quote anything."""
    text = str(error)
    if re.search(r"ModuleNotFoundError: No module named '(etl|polars|pyarrow|pydicom|pandas)", text):
        return SettingsError("executors do not find radops: install it on all hosts, for the Python of PYSPARK_PYTHON")
    told = said(error) or type(error).__name__
    return ClusterError(f"Spark gave up a job ({told}): what is loaded is whole, run again for the rest")
