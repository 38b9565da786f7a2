"""A folder of known files scanned again: seconds, beside what listing it and asking for the sizes costs at least.

The files are small and lie 1,000 to a folder; the ledger is told that they were read. `ingest` is the command, from its
start to its end. 200,000 files are the goal's (20,000 with --quick).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from etl.home import Home
from etl.inbox import scan
from etl.intake import open_intake
from etl.ledger import new_candidates
from etl.settings import Settings

PER_FOLDER = 1_000


def _make(root: Path, count: int) -> None:
    for start in range(0, count, PER_FOLDER):
        folder = root / f"{start // PER_FOLDER:04d}"
        folder.mkdir(parents=True)
        for number in range(start, min(start + PER_FOLDER, count)):
            (folder / f"{number:07d}.hl7").write_bytes(b"MSH|^~\\&|RIS\r")


def _remember(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Tell the ledger that all files were read."""
    paths = [(c.name, c.size, c.modified_ns, "x") for c in scan([root])]
    con.register("incoming", pl.DataFrame(paths, ["path", "size", "modified_ns", "file_id"], orient="row"))
    con.execute("INSERT INTO raw_path SELECT * FROM incoming")
    con.unregister("incoming")


def _limit(root: Path) -> int:
    """List every folder and ask for every file's size and time."""
    return sum(os.stat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(root) for name in names)


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(quick: bool = False) -> dict[str, Any]:
    """Measure; keys ending in `_s` are seconds by the clock."""
    count = 20_000 if quick else 200_000
    with TemporaryDirectory() as folder:
        root, state = Path(folder) / "files", Path(folder) / "state"
        _make(root, count)
        home = Home(state, Settings(settle_seconds=0))
        home.prepare()
        con = open_intake(home.intake)
        try:
            _remember(con, root)
            limit = min(_seconds(lambda: _limit(root)) for _ in range(3))
            new = min(_seconds(lambda: new_candidates(con, scan([root]))) for _ in range(3))
            if new_candidates(con, scan([root])):
                raise ValueError("every file is known")
        finally:
            con.close()
        command = [sys.executable, "-m", "etl.cli", "ingest", str(root)]
        env = {**os.environ, "RADOPS_HOME": str(state), "PYTHONPATH": os.pathsep.join(sys.path)}
        whole = _seconds(lambda: subprocess.run(command, env=env, check=True, capture_output=True))
    return {"n_files": count, "limit_s": limit, "scan_s": new, "ingest_s": whole, "scan_limit_ratio": new / limit}


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
