"""Files of answers beside their snapshots (`sql.asked_before`): their names, and which of them stay."""

from __future__ import annotations

from pathlib import Path

_ENDING = ".answers"


def beside(snapshot: Path) -> Path:
    """Where the answers of a snapshot are."""
    return snapshot.with_name(f".{snapshot.stem}{_ENDING}")


def part(snapshot: Path) -> Path:
    """Where they are while they are put down."""
    return snapshot.with_name(f".{snapshot.stem}{_ENDING}-part")


def drop_others(folder: Path, *stay: Path) -> None:
    """Remove the answers in a folder but those of the snapshots that stay."""
    keep = {path for snapshot in stay for path in (beside(snapshot), part(snapshot))}
    for path in folder.glob(f".*{_ENDING}*"):
        if path not in keep:
            path.unlink(missing_ok=True)
