"""What pages call all facilities of a snapshot: those of its scope, by its name, where it is of some only."""

from __future__ import annotations

from app.texts import text
from sql import scoping
from sql.snapshot import Snapshot

#: Text for all facilities -> the one for all of a scope.
_OF_SCOPE = {
    "overview.all": "overview.all.scope", "notes.everywhere": "notes.everywhere.scope",
    "reports.all": "reports.all.scope", "live.everything": "live.everything.scope",
}  # fmt: skip


def everywhere(snapshot: Snapshot | None, key: str = "overview.all") -> str:
    """The text of a key, which means all facilities, as it is true for a snapshot."""
    scope = None if snapshot is None else scoping.told(snapshot)
    return text(key) if scope is None else text(_OF_SCOPE[key], name=scope.label)


def kept_to(snapshot: Snapshot) -> str:
    """What follows the filters in words: that a snapshot is of a scope only; empty where it is of all facilities."""
    scope = scoping.told(snapshot)
    return "" if scope is None else f" {text('shell.scope', name=scope.label)}."
