"""Editions stay: a month is not replaced by one of other data, and the snapshot that it was made from is kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

from etl.durable import sync
from etl.pack_folder import MANIFEST


def set_aside(folder: Path, snapshot_id: str) -> Path | None:
    """Move an edition that is of another snapshot to a folder named by its month and snapshot; None where it stays.

    It moves whole, by one rename. One that lies there already is of the same data, and then nothing moves.
    """
    told = _snapshot_of(folder)
    if told is None or told == snapshot_id:
        return None
    aside = folder.with_name(f"{folder.name}_{told}")
    if aside.exists():
        return None
    try:
        os.rename(folder, aside)
    except FileNotFoundError:  # another export was faster
        return None
    sync(folder.parent)
    return aside


def pinned(exports: Path) -> set[str]:
    """File names of the snapshots that the editions of a home were made from."""
    told = (_snapshot_of(folder) for folder in exports.iterdir()) if exports.is_dir() else ()
    return {f"radops-{name.partition('-')[0]}.duckdb" for name in told if name is not None}


def _snapshot_of(folder: Path) -> str | None:
    """Id of the snapshot that a pack tells; None where there is no pack."""
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))["snapshot"]["id"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if isinstance(told, str) and told and Path(told).name == told else None
