"""Small snapshots: what a place and its readers look at, without marts."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from pathlib import Path

import duckdb

from etl.home import Home
from etl.settings import Settings


def home_of(root: Path, **settings: object) -> Home:
    """A home without anything in it."""
    home = Home(root, Settings(home=root, **settings))  # type: ignore[arg-type]
    home.prepare()
    return home


def publish_made(home: Home, number: int, built: datetime = datetime(2026, 10, 1, 3), *, filling: int = 0) -> Path:
    """Publish a snapshot of that number; `filling` rows make it larger and its content another."""
    digest = sha256(f"{number} {filling}".encode()).hexdigest()
    path = home.published / f"radops-{number:06d}.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            """CREATE TABLE meta_snapshot (snapshot_id VARCHAR, seq BIGINT, built_at TIMESTAMP,
                                           data_through TIMESTAMP, digest VARCHAR, signature VARCHAR)"""
        )
        row = [f"{number:06d}-{digest[:12]}", number, built, built, digest, "s"]
        con.execute("INSERT INTO meta_snapshot VALUES (?, ?, ?, ?, ?, ?)", row)
        con.execute("CREATE TABLE filling AS SELECT hash(i) AS h FROM range(?) t(i)", [filling])
    path.chmod(0o440)
    pointer = home.published / "radops.duckdb"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(path.name)
    return path
