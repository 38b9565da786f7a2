"""Notes of the team for a page: those that a person may see and its filters cover, read once for each write."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from pathlib import Path
from typing import Any

from app.guard import Person
from sql.filters import FilterError, Filters
from sql.snapshot import Snapshot, Store
from sql.team import notes as kept
from sql.team.notes import Draft, Note
from sql.team.store import Team, TeamError

#: Of this process: the newest versions of all notes, as of a write.
_READ: dict[Path, tuple[Hashable, list[Note]]] = {}


def team_of(store: Store) -> Team:
    """The team's store beside a folder of snapshots."""
    return Team.beside(store.folder)


def state_of(store: Store) -> Hashable:
    """What a page of all that the team keeps depends on."""
    return team_of(store).state()


def visible(store: Store, person: Person) -> list[Note]:
    """The newest version of every note that a person may see, in order of days; withdrawn ones too."""
    team = team_of(store)
    state = team.state()
    if team.path not in _READ or _READ[team.path][0] != state:
        _READ[team.path] = state, kept.newest(team)
    return [note for note in _READ[team.path][1] if kept.may_see(note, person.facilities, person.sees_readers)]


def shown(store: Store, person: Person, snapshot: Snapshot, filters: Filters) -> list[Note]:
    """The notes that stand on a page under these filters."""
    found = visible(store, person)
    return kept.covering(found, kept.told_in_full(snapshot, filters)) if found else []


def key(store: Store, person: Person, snapshot: Snapshot, filters: Filters) -> Hashable:
    """What a view depends on of the notes."""
    asked = filters.within(person.facilities)
    return tuple((note.id, note.version) for note in shown(store, person, snapshot, asked))


def history(store: Store, person: Person) -> dict[str, list[Note]]:
    """Every version of the notes that a person may see, the newest first, by id."""
    found: dict[str, list[Note]] = {}
    for note in kept.versions(team_of(store)):
        if kept.may_see(note, person.facilities, person.sees_readers):
            found.setdefault(note.id, []).insert(0, note)
    return found


def write(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """Add a note, or change the one that `asked` names with the version that the person saw. Raises TeamError."""
    draft = _draft(store, person, asked)
    if not asked.get("id"):
        kept.add(team_of(store), draft, person.name)
        return
    note = _own(store, person, asked)
    kept.change(team_of(store), note.id, _version(asked), draft, person.name)


def withdraw(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """Show a note no more. Raises TeamError."""
    note = _own(store, person, asked)
    kept.withdraw(team_of(store), note.id, _version(asked), person.name)


def _own(store: Store, person: Person, asked: dict[str, Any]) -> Note:
    """The note that is named, where the person may see it; else it is as if there were none."""
    found = next((note for note in visible(store, person) if note.id == asked.get("id")), None)
    if found is None:
        raise TeamError("gone")
    return found


def _version(asked: dict[str, Any]) -> int:
    version = asked.get("version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise TeamError("changed")
    return version


def _draft(store: Store, person: Person, asked: dict[str, Any]) -> Draft:
    try:
        filters = Filters.from_query(str(asked.get("query", "")))
    except FilterError as error:
        raise TeamError("filters") from error
    if filters.radiologist and not person.sees_readers:
        raise TeamError("filters")
    since = _day(asked.get("since"))
    full = kept.told_in_full(store.current(), filters)
    return Draft(since, _day(asked.get("last") or asked.get("since")), scoped(full, person), str(asked.get("text", "")))


def scoped(filters: Filters, person: Person) -> Filters:
    """Filters that name only facilities that a person may see: without any, all of those. Raises TeamError."""
    if person.facilities is None:
        return filters
    if not set(filters.facility) <= set(person.facilities):
        raise TeamError("filters")
    return filters if filters.facility else filters.replace(facility=person.facilities)


def _day(told: Any) -> date:
    try:
        return date.fromisoformat(str(told or ""))
    except ValueError as error:
        raise TeamError("days") from error
