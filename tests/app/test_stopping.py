"""A server is stopped while one of its threads works: it ends quietly."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.app.serving import free_port
from tests.conftest import REPO

#: A server whose one worker computes in DuckDB all the time, and says once that it does.
BUSY = """
import sys
from pathlib import Path
import duckdb
from app.server import serve
from app.warm import Warmer
Warmer.start = lambda *_: None

def beside():
    con = duckdb.connect()
    print("works", flush=True)
    while True:
        con.execute("SELECT sum(i * i) FROM range(3_000_000) rows (i)").fetchall()

serve(Path(sys.argv[1]), port=int(sys.argv[2]), workers=1, beside=beside)
"""


def test_a_worker_that_computes_ends_without_a_word(home: Path) -> None:
    server = subprocess.Popen([sys.executable, "-c", BUSY, str(home / "published"), str(free_port())], cwd=REPO,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert server.stdout is not None
    assert server.stdout.readline() == "works\n"
    server.send_signal(signal.SIGTERM)
    assert server.communicate(timeout=60) == ("", "")
    assert server.returncode == 0
