"""The command line in processes of their own that are forked from one which has loaded it: `python -m tests.forked`.

What a verb does, prints and ends with is as after a start of its own; only the loading of modules, most of the time of
a short run, is shared. Requests come as lines of JSON, one at a time: `{"start": {...}}` answers `{"pid": n}`,
`{"wait": n}` answers `{"code": n}` (negative: the signal), and the end of the input ends all.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TextIO

#: Metrics whose macros the snapshots of `tests.installation` have: to write those of all takes longer than a night of
#: few exams. All are in the snapshots of `tests.published`, of `tests/app` and of `tests.snapshots`.
FEW = ("report_final", "repeat_exam_rate")


def few_macros(install: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """`sql.metric_macros.install_macros` for some metrics alone."""
    return lambda connection, metrics: install(connection, [metric for metric in metrics if metric.id in FEW])


def load() -> None:
    """Import what verbs import and fill the caches of the catalog; no thread and no database is opened.

    Runs of keys are made after a few rows, so that small stores have them too. Snapshots have few macros.
    """
    import etl.build  # noqa: PLC0415
    import etl.cli  # noqa: PLC0415
    import etl.load  # noqa: PLC0415
    import etl.pipeline  # noqa: PLC0415
    import etl.pool  # noqa: F401, PLC0415
    from etl import key_runs  # noqa: PLC0415
    from sql import metric_macros  # noqa: PLC0415

    metric_macros.signature()
    metric_macros.install_macros = few_macros(metric_macros.install_macros)
    key_runs.MOST_LOOSE = 100


def started(request: dict[str, Any]) -> int | None:
    """The number of a new process that leads a group of its own; None in that process."""
    begun, beginning = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        os.close(beginning)
        os.read(begun, 1)
        os.close(begun)
        return pid
    os.setpgid(0, 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, path in enumerate((os.devnull, request["out"], request["err"])):
        file = os.open(path, os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    os.write(beginning, b"x")
    os.close(begun)
    os.close(beginning)
    return None


def run(request: dict[str, Any]) -> None:
    """The verb, killed before its n-th line in some modules, or its home copied before lines; ends the process."""
    from etl.cli import main  # noqa: PLC0415

    sys.argv = [f"{os.getcwd()}/etl/cli.py", *request["arguments"]]
    if request["crash"]:
        with open(request["crash"]["log"], "w", encoding="utf-8") as log:
            states = Kept(**request["crash"]["states"]) if request["crash"].get("states") else None
            sys.settrace(counted(request["crash"]["at"], request["crash"]["modules"], log, states))
            try:
                main()
            finally:
                sys.settrace(None)
    main()


@dataclass
class Kept:
    """Copies of the home below `folder`, each named by its line, before every n-th new line of some functions.

    A kill leaves the files as they are at that instant, so that one run makes the homes of many kills.
    """

    folder: str
    functions: list[str]
    every: int
    seen: set[tuple[str, int]] = field(default_factory=set)

    def before(self, name: str, line: int, number: int) -> None:
        """Copy the home where it is this line's turn."""
        if name in self.functions and (name, line) not in self.seen:
            self.seen.add((name, line))
            if len(self.seen) % self.every == 0:
                shutil.copytree(os.environ["RADOPS_HOME"], f"{self.folder}/{number}", symlinks=True)


def counted(
    at: int, modules: list[str], log: TextIO, states: Kept | None = None
) -> Callable[[FrameType, str, object], Any]:
    """Numbers the lines of some modules as they are run, writes them down, and kills the process before line `at`."""
    n = 0

    def enter(frame: FrameType, _event: str, _argument: object) -> Any:
        return line if frame.f_code.co_filename.rpartition("/etl/")[2] in modules else None

    def line(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal n
        if event == "line" and frame.f_code.co_name != "<module>":
            n += 1
            print(frame.f_code.co_name, frame.f_lineno, file=log)
            if states is not None:
                states.before(frame.f_code.co_name, frame.f_lineno, n)
            if n == at:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    return enter


def serve() -> dict[str, Any] | None:
    """Answer requests until the input ends; what is returned is for a new process to run."""
    print(json.dumps({"ready": True}), flush=True)
    for text in sys.stdin:
        asked = json.loads(text)
        if "start" in asked:
            pid = started(asked["start"])
            if pid is None:
                return dict(asked["start"])
            answer = {"pid": pid}
        else:
            answer = {"code": os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])}
        print(json.dumps(answer), flush=True)
    return None


if __name__ == "__main__":
    load()
    mine = serve()
    if mine is not None:
        run(mine)
