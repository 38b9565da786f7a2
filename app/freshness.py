"""How old the data are, by the server's clock: told to the browser with each look for a new snapshot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from app import words
from sql.snapshot import Snapshot

#: Minutes after which a page about now says that it is about then.
STALE_MIN = 60


class Age(NamedTuple):
    """Time since the newest event in words, and whether that is too long for a page about now."""

    told: str
    is_stale: bool


def age(snapshot: Snapshot, now: datetime | None = None) -> Age:
    """The age of a snapshot's data at `now` (UTC, without a zone: the server's clock)."""
    now = now or datetime.now(UTC).replace(tzinfo=None)
    old = max((now - snapshot.data_through).total_seconds() / 60, 0.0)
    return Age(words.minutes(old), old > STALE_MIN)
