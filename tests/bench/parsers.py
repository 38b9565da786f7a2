"""The parser processes at work on a folder: files a second by the clock, and the most memory that any process took.

    python -m tests.bench.parsers FOLDER TIMES WORKERS

parses the folder's files so many times and prints JSON. Results are taken and dropped, as fast as they come.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path
from typing import Any

from etl.inbox import scan
from etl.pool import Parser
from etl.settings import Settings
from etl.site import Site

REPO = Path(__file__).parents[2]


def work(folder: Path, times: int, workers: int) -> dict[str, float]:
    """Seconds count from the first result on, when all processes have started."""
    candidates = list(scan([folder])) * times
    started, n_first, n_files, peak = 0.0, 0, 0, 0.0
    for result in Parser(Settings(workers=workers), Site()).parse(candidates):
        n_files += len(result.files)
        if n_files == len(candidates):  # the system keeps each process's most until it ends
            peak = max(_peak_mb(child.pid) for child in active_children())
        if not started:
            started, n_first = time.perf_counter(), n_files
    seconds = time.perf_counter() - started
    if n_files != len(candidates):
        raise ValueError("every file has a result")
    return {
        "seconds": seconds,
        "files_per_s": (n_files - n_first) / seconds if seconds else 0.0,
        "own_cpu_us": time.process_time() / n_files * 1e6,
        "peak_mb": _peak_mb("self"),
        "peak_parser_mb": peak,
    }


def _peak_mb(process: object) -> float:
    """Most memory that a process held. The system's count for its parent begins with what the parent had."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:  # it just ended
        return 0.0
    return int(status.split("VmHWM:", 1)[-1].split(None, 1)[0]) / 1024 if "VmHWM:" in status else 0.0


def apart(folder: Path, times: int, workers: int) -> dict[str, float]:
    """The same in a process of its own, whose memory is only that of this work."""
    (told,) = beside(folder, times, workers, 1)
    return told


def beside(folder: Path, times: int, workers: int, n: int) -> list[dict[str, float]]:
    """The same in `n` processes at once."""
    command = [sys.executable, "-m", "tests.bench.parsers", str(folder), str(times), str(workers)]
    running = [subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE) for _ in range(n)]
    told = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise subprocess.CalledProcessError(1, command)
    return [json.loads(text) for text in told]


def measure(folder: Path, times: int, rounds: int) -> dict[str, Any]:
    """One process beside two, in turns, the best of each; and the peaks with ten times the files.

    `two_apart_ratio` is what the machine gives at most: two that have nothing in common, each with one process.
    """
    taken: dict[tuple[int, int], list[list[dict[str, float]]]] = {(1, 1): [], (2, 1): [], (1, 2): []}
    for _ in range(rounds):
        for (workers, n), found in taken.items():
            found.append(beside(folder, times, workers, n))
    best = {way: max(sum(told["files_per_s"] for told in each) for each in found) for way, found in taken.items()}
    ten = apart(folder, times * 10, 2)
    return {
        "one_process_files_per_s": best[1, 1],
        "two_processes_files_per_s": best[2, 1],
        "two_processes_ratio": best[2, 1] / best[1, 1],
        "two_apart_ratio": best[1, 2] / best[1, 1],
        **{name: min(each[0][name] for each in taken[2, 1]) for name in ("peak_mb", "peak_parser_mb")},
        **{f"{name}_of_10x": ten[name] for name in ("peak_mb", "peak_parser_mb")},
    }


if __name__ == "__main__":
    print(json.dumps(work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
