"""An installation for tests of the whole pipeline: an inbox to deliver to, the stages, and what they made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from etl.home import Home
from etl.log import Log
from etl.pipeline import run
from etl.settings import Settings
from etl.sources import sniff, source
from sql import metric_macros
from tests import forks
from tests.attached import attached
from tests.conftest import REPO
from tests.forked import few_macros

#: Settings of a test that names no others; files of tests are whole as soon as they are there.
USUAL: dict[str, Any] = {"workers": 1, "settle_seconds": 0}
STAGES = ("ingest", "build", "publish")
#: Ways in which a sender may frame the same messages.
FRAMES = (b"%b", b"\x0b%b\x1c\r", b"%b\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """The smallest thing that a sender can deliver: one HL7 message or one file of another standard."""

    suffix: str
    data: bytes


def pieces(folder: Path) -> list[Piece]:
    """What lies below `folder`, in order of path."""
    return [piece for path in sorted(folder.rglob("*")) if path.is_file() for piece in _pieces_of(path)]


def _pieces_of(path: Path) -> Iterator[Piece]:
    data = path.read_bytes()
    standard = sniff(data)
    parts = source("hl7").messages(data) if standard == "hl7" else [data]
    return (Piece(f".{standard}", part) for part in parts)


@dataclass(frozen=True)
class Installation:
    """`deliver` fills the inbox; `stages` works in this process, `radops` in one of its own.

    Snapshots have the macros of some metrics (`tests.forked.FEW`).
    """

    root: Path
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        home = Home(self.root, Settings(home=self.root, **{**USUAL, **self.settings}))
        home.prepare()
        return home

    @property
    def environment(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith("RADOPS_")}
        given = {"home": self.root, **USUAL, **self.settings}
        return own | {f"RADOPS_{key.upper()}": str(value) for key, value in given.items()}

    def deliver(self, name: str, given: Sequence[Piece], *, a_file: int = 20) -> None:
        """Put pieces in the inbox, up to `a_file` messages a file in turning framings."""
        inbox = self.home.inbox
        messages = [piece.data for piece in given if piece.suffix == ".hl7"]
        for number, start in enumerate(range(0, len(messages), a_file)):
            framed = b"".join(FRAMES[number % len(FRAMES)] % one for one in messages[start : start + a_file])
            (inbox / f"{name}-{number:04}.hl7").write_bytes(framed)
        for number, piece in enumerate(piece for piece in given if piece.suffix != ".hl7"):
            (inbox / f"{name}-{number:04}{piece.suffix}").write_bytes(piece.data)

    def stages(self, *names: str, full: bool = False, paths: Sequence[Path] = ()) -> dict[str, Any]:
        """Run stages (default: all) and return their facts."""
        home = self.home
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(metric_macros, "install_macros", few_macros(metric_macros.install_macros))
            return run(home, Log(home.log, is_quiet=True), list(paths), stages=names or STAGES, full=full)

    def digest(self, *, full: bool = False) -> str:
        """The digest after a build."""
        return str(self.stages("build", full=full)["build"]["digest"])

    def radops(self, *arguments: str, check: int | None = 0, **settings: str) -> subprocess.CompletedProcess[str]:
        """A verb in a process of its own, forked from one that has loaded it; its exit code must be `check`.

        What is put into the interpreter by PYTHONPATH needs one that starts anew.
        """
        environment = self.environment | settings
        if "PYTHONPATH" in settings:
            done = subprocess.run(
                self.command(*arguments), cwd=REPO, env=environment, capture_output=True, text=True, check=False
            )
        else:
            done = forks.run(arguments, environment)
        assert check is None or done.returncode == check, (done.returncode, done.stdout, done.stderr)
        return done

    @staticmethod
    def command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "etl.cli", *arguments]

    def ledger(self) -> dict[str, int]:
        """Sums of all batches; every message is kept, rejected or duplicate, batch by batch and file by file."""
        names = ("read", "kept", "rejected", "duplicate")
        totals = ", ".join(f"coalesce(sum(n_{name}), 0)::BIGINT" for name in names)
        with attached(self.root / "intake.duckdb", read_only=True) as con:
            for table in ("raw_batch", "raw_file"):
                assert con.execute(f"FROM {table} WHERE n_read <> n_kept + n_rejected + n_duplicate").fetchall() == []
            batches, files = (con.execute(f"SELECT {totals} FROM {t}").fetchone() for t in ("raw_batch", "raw_file"))
            assert batches == files
            messages = con.execute("SELECT count(*), count(DISTINCT message_hash) FROM raw_message").fetchone()
        assert batches is not None
        sums = dict(zip(names, batches, strict=True))
        assert messages == (sums["kept"] + sums["rejected"],) * 2
        return sums

    def rows(self, sql: str, database: str = "marts.duckdb") -> list[tuple[Any, ...]]:
        with attached(self.root / database, read_only=True) as con:
            return con.execute(sql).fetchall()
