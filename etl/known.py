"""The marts as they were known at an earlier time: today's definitions over the batches loaded until then.

Raw records are only ever appended, each with its batch, and each batch has the time of its load. So data that came
later and definitions that changed later can be told apart: this snapshot differs from an old one by definitions alone,
from today's by data alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from etl.build import Choices, Home, build
from etl.build_fold import Progress
from etl.errors import UnreadableInputError
from etl.publish import complete, copy, prove
from etl.records import RECORDS
from etl.site import Site
from etl.standing import BuildReport
from sql import metric_macros


@dataclass(frozen=True)
class _Earlier:
    """A home whose databases lie elsewhere; key, site and settings are today's."""

    root: Path
    today: Home

    @property
    def intake(self) -> Path:
        return self.root / "intake.duckdb"

    @property
    def marts(self) -> Path:
        return self.root / "marts.duckdb"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def key_file(self) -> Path:
        return self.today.key_file

    @property
    def settings(self) -> Choices:
        return self.today.settings

    def load_site(self) -> Site:
        return self.today.load_site()


def rebuild_as_known(home: Home, until: datetime, out: Path, progress: Progress | None = None) -> BuildReport:
    """Write `out`, a snapshot of what was loaded before `until` (UTC). Raises UnreadableInputError where nothing was.

    The raw store is copied beside `out` for the time of the work and then removed.
    """
    if out.exists():
        raise UnreadableInputError(f"{out} exists; name a new file")
    if not home.intake.exists():
        raise UnreadableInputError("nothing was loaded yet")
    with TemporaryDirectory(dir=out.absolute().parent, prefix=".radops-known-") as folder:
        earlier = _Earlier(Path(folder), home)
        copy(home.intake, earlier.intake)
        _forget(earlier.intake, until)
        report = build(earlier, full=True, progress=progress)
        name = f"as-known-{until:%Y%m%dT%H%M%S}-{report.digest[:12]}"
        prove(earlier.marts)
        complete(earlier.marts, name, 0, report.digest, metric_macros.signature())
        earlier.marts.chmod(0o440)
        earlier.marts.rename(out)
    return report


def _forget(intake: Path, until: datetime) -> None:
    """Take out of a copy of the raw store what was loaded later, and all that was derived."""
    with duckdb.connect(str(intake)) as con:
        rows = con.execute("SELECT max(batch_id) FROM raw_batch WHERE loaded_at < ?", [until]).fetchall()
        last = rows[0][0]
        if last is None:
            raise UnreadableInputError(f"nothing was loaded before {until:%Y-%m-%d %H:%M}")
        con.execute("DROP SCHEMA IF EXISTS work CASCADE")
        for table in ("raw_batch", *(f"raw_{record}" for record in RECORDS)):
            con.execute(f"DELETE FROM {table} WHERE batch_id > ?", [last])
