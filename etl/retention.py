"""Which snapshots stay: the last ones and each month's last. One rule for this machine and for places elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Kept(NamedTuple):
    """A snapshot by its number, and when it was built (UTC); None where it cannot be told."""

    seq: int
    built_at: datetime | None


def kept(snapshots: Iterable[Kept], keep: int) -> set[int]:
    """Numbers of so many of the newest, and of the last one of each month."""
    ordered = sorted(snapshots)
    last_of_month = {(at.year, at.month): seq for seq, at in ordered if at is not None}
    return {*(seq for seq, _ in ordered[-keep:]), *last_of_month.values()}
