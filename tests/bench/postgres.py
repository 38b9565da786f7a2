"""PostgreSQL as a peer: a cluster of its own in a folder for the time of a bench, asked through `psql`.

It listens on a socket in that folder alone. PostgreSQL does not run as root, so root starts it as `nobody`.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, Any

from tests.bench.peers import SQL_TYPES, Rows, Source
from tests.bench.questions import INDEXED, TABLES, Question, Window

#: Where Debian puts the server's programs.
_DEBIAN = Path("/usr/lib/postgresql")
_SEPARATOR, _END = "\x1f", "\x1e"
#: What who knows PostgreSQL sets for such questions; all else is as it comes.
SETTINGS = ("shared_buffers=512MB", "work_mem=256MB", "maintenance_work_mem=512MB", "max_wal_size=4GB", "fsync=off",
            "listen_addresses=", "autovacuum=off")  # fmt: skip
_START_SECONDS = 60


def programs() -> Path | None:
    """Folder of the newest server's programs; None where it or `psql` is not installed."""
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda path: int(re.sub(r"\D", "", path.parts[-3]) or 0))
    beside = shutil.which("postgres")
    if shutil.which("psql") is None or not (found or beside):
        return None
    return found[-1].parent if found else Path(str(beside)).parent


class PostgreSQL:
    """A cluster with one client."""

    name = "postgresql"
    is_inside = False
    is_loaded = True

    def __init__(self, folder: Path) -> None:
        nobody = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        self._as: dict[str, Any] = nobody if os.getuid() == 0 else {}
        self._root = Path(mkdtemp(prefix="radops-pg-"))
        if self._as:
            shutil.chown(self._root, self._as["user"])
        self._server: subprocess.Popen[bytes] | None = None
        self._client: subprocess.Popen[str] | None = None
        try:
            self._start(folder)
        except BaseException:
            self.close()
            raise

    def _start(self, folder: Path) -> None:
        data, quiet = self._root / "data", {"stdout": subprocess.DEVNULL, "cwd": self._root, **self._as}
        subprocess.run([folder / "initdb", "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C",
                        "--no-sync"], check=True, **quiet)  # fmt: skip
        options = [part for setting in SETTINGS for part in ("-c", setting)]
        self._server = subprocess.Popen([folder / "postgres", "-D", data, "-k", self._root, *options],
                                        stderr=subprocess.DEVNULL, **quiet)  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while self._psql("-c", "SELECT 1").returncode:
            if time.monotonic() > until or self._server.poll() is not None:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.1)
        self._client = subprocess.Popen(self._command("-A", "-t", "-F", _SEPARATOR, "-R", "\n"), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")  # fmt: skip

    def _command(self, *more: str) -> list[str]:
        head = ["psql", "-h", str(self._root), "-U", "bench", "-d", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        return [*head, *more]

    def _psql(self, *more: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(self._command(*more), check=False, capture_output=True)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self._client is None or self._client.stdin is None or self._client.stdout is None:
            raise RuntimeError("there is no client")
        return self._client.stdin, self._client.stdout

    def _do(self, sql: str) -> list[str]:
        """Lines of a statement's answer. Raises RuntimeError where it fails."""
        to, answer = self._pipes()
        to.write(f"{sql.strip()};\n\\echo {_END}\n")
        to.flush()
        lines = []
        while (line := answer.readline().rstrip("\n")) != _END:
            if not line and self._client is not None and self._client.poll() is not None:
                raise RuntimeError("PostgreSQL refused a statement")
            lines.append(line)
        return lines

    def load(self, source: Source) -> None:
        """COPY from CSV, then the indexes and what the planner knows of the rows."""
        for table, columns in TABLES.items():
            made = ", ".join(f"{name} {SQL_TYPES[kind]}" for name, kind in columns.items())
            self._do(f"CREATE TABLE {table} ({made})")
            copy = subprocess.Popen(self._command("-c", f"COPY {table} FROM STDIN (FORMAT csv)"), stdin=subprocess.PIPE)
            if copy.stdin is None:
                raise RuntimeError("there is no pipe")
            with copy.stdin as to:
                for batch in source.batches(table, lambda name, _: name):
                    to.write(batch.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.f").encode())
            if copy.wait():
                raise RuntimeError(f"PostgreSQL did not take {table}")
            for column in INDEXED[table]:
                self._do(f"CREATE INDEX ON {table} ({column})")
        self._do("VACUUM ANALYZE")

    def ask(self, question: Question, window: Window) -> Rows:
        """The statement's rows; every value is text, an absent one None."""
        lines = self._do(question.statement("postgres", window))
        return [tuple(part or None for part in line.split(_SEPARATOR)) for line in lines if line]

    def close(self) -> None:
        """End the client and the server, and remove the folder."""
        if self._client is not None:
            if self._client.stdin is not None:
                self._client.stdin.close()
            if self._client.stdout is not None:
                self._client.stdout.close()
            self._client.wait(30)
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # a fast shutdown
            self._server.wait(60)
        shutil.rmtree(self._root, ignore_errors=True)
