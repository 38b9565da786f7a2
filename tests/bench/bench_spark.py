"""Ingest on a cluster of this machine with one worker and with two, beside the pool: CPU seconds by kind of process.

The clock tells how much sooner two workers are done only where cores are free for them; CPU seconds tell what an engine
costs, how evenly workers share it, and what the driver does alone, which is what no number of workers makes shorter.
`python -m tests.bench.bench_spark FOLDER` measures with the files below a folder, else with a simulated network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import REPO
from tests.installation import Installation
from tests.spark_cluster import Cluster, cluster, descendants, lacking

TICKS = os.sysconf("SC_CLK_TCK")
EXAMS, QUICK_EXAMS, DAYS = 4_000, 400, 20


def run(quick: bool, folder: Path | None = None) -> dict[str, Any]:
    """Each engine's seconds by the clock and of the processor, and what it loaded, which must be the same."""
    if what := lacking():
        return {"missing": ", ".join(what)}
    with TemporaryDirectory(prefix="radops-bench-") as made:
        if folder is None:
            from sample_data.simulate import simulate  # noqa: PLC0415

            folder = Path(made, "network")
            simulate(folder, exams=QUICK_EXAMS if quick else EXAMS, days=DAYS, seed=6)
        found = {f"pool_{n}": _pool(Path(made, f"pool-{n}"), folder, n) for n in (1, 2)}
        for n_workers in (1, 2):
            with cluster(Path(made, f"cluster-{n_workers}"), n_workers) as spark:
                found[f"workers_{n_workers}"] = _spark(Path(made, f"spark-{n_workers}"), folder, spark)
    loaded = {tuple(sorted(facts.pop("loaded").items())) for facts in found.values()}
    if len(loaded) != 1:
        raise AssertionError(f"engines loaded {loaded}")
    return {"files": str(folder), "loaded": dict(loaded.pop()), **found}


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What was measured, line by line."""
    if "missing" in found:
        yield f"missing: {found['missing']}"
        return
    yield f"{found['loaded']['read']:,} messages"
    for name, facts in found.items():
        if isinstance(facts, dict) and "clock_s" in facts:
            told = ", ".join(f"{kind} {seconds:,.1f}" for kind, seconds in sorted(facts["cpu_s"].items()))
            yield f"{name:10} {facts['clock_s']:7,.1f} s by the clock, {facts['total_cpu_s']:7,.1f} CPU s: {told}"


def _pool(root: Path, folder: Path, n_workers: int) -> dict[str, Any]:
    home = Installation(root, {"workers": n_workers})
    return _watched(home, home.command("ingest", str(folder)), home.environment, {})


def _spark(root: Path, folder: Path, spark: Cluster) -> dict[str, Any]:
    home = Installation(root)
    command = home.command("ingest", "--engine", "spark", "--master", spark.url, str(folder))
    daemons = {name: process.pid for name, process in spark.processes.items() if name != "master"}
    return _watched(home, command, home.environment | spark.environment, daemons)


def _watched(
    home: Installation, command: list[str], environment: dict[str, str], daemons: dict[str, int]
) -> dict[str, Any]:
    """Run a command; CPU seconds of its processes and of what `daemons` start meanwhile, as last seen of each."""
    seen: dict[int, tuple[str, float]] = {}
    started = time.monotonic()
    with subprocess.Popen(
        command, cwd=REPO, env=environment | {"PYTHONPATH": str(REPO)}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as driver:  # fmt: skip
        while driver.poll() is None:
            _look(seen, {"driver": driver.pid}, own=True)
            _look(seen, daemons, own=False)
            time.sleep(0.2)
    if driver.returncode:
        raise RuntimeError(f"code {driver.returncode}: {' '.join(command)}")
    cpu: dict[str, float] = {}
    for kind, seconds in seen.values():
        cpu[kind] = round(cpu.get(kind, 0.0) + seconds, 1)
    clock = round(time.monotonic() - started, 1)
    return {"loaded": home.ledger(), "clock_s": clock, "total_cpu_s": round(sum(cpu.values()), 1), "cpu_s": cpu}


def _look(seen: dict[int, tuple[str, float]], roots: dict[str, int], *, own: bool) -> None:
    for name, root in roots.items():
        for pid in ([root] if own else []) + descendants(root):
            try:
                stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            program, _, rest = stat.partition("(")[2].rpartition(")")
            ticks = rest.split()[11:13]
            kind = f"{name} {'Java' if program == 'java' else 'Python'}"
            seen[pid] = (kind, sum(map(int, ticks)) / TICKS)


if __name__ == "__main__":
    print("\n".join(lines(run(quick=True, folder=Path(sys.argv[1]) if sys.argv[1:] else None))))
