"""Notes pinned to days and filters: "12 Oct: new MR 3 opened at Northgate". Every version of a note is kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import RowMapping, func, insert, select

from sql.filters import KEYS, Filters
from sql.rows import rows
from sql.snapshot import Snapshot
from sql.team import tables
from sql.team.store import Team, TeamError, now
from sql.team.words import NOTE_SIGNS, known_id, line, new_id

ADDED, CHANGED, WITHDRAWN = "added", "changed", "withdrawn"
#: Values of a filter that a note names, days that it lasts, and notes of a store, at most.
MOST_VALUES, MOST_DAYS, MOST_NOTES = 40, 3660, 5000
#: What a device tells of itself: the filters that it implies.
_OF_DEVICE = ("facility", "modality")


@dataclass(frozen=True, slots=True)
class Note:
    """One version of a note: half-open days, the filters it holds for (empty = all), and who wrote it when (UTC)."""

    id: str
    version: int
    action: str
    since: date
    until: date
    filters: Filters
    text: str
    author: str
    at: datetime
    created_by: str
    created_at: datetime

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until - timedelta(days=1)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is shown no more."""
        return self.action == WITHDRAWN


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person writes: the day or days (`last` included), for what it holds, and the words."""

    since: date
    last: date
    filters: Filters
    text: str


def add(team: Team, draft: Draft, author: str) -> str:
    """Keep a new note; gives its id. Raises TeamError."""
    values, made = _checked(draft), new_id()
    with team.writing() as connection:
        kept = connection.execute(select(func.count(tables.note.c.id.distinct()))).scalar_one()
        if kept >= MOST_NOTES:
            raise TeamError("many")
        connection.execute(
            insert(tables.note).values(id=made, version=1, action=ADDED, author=author, at=now(), **values)
        )
    return made


def change(team: Team, note_id: str, version: int, draft: Draft, author: str) -> None:
    """Put a new version behind the one that a person saw. Raises TeamError, also where it was changed since."""
    _follow(team, note_id, version, {**_checked(draft), "action": CHANGED}, author)


def withdraw(team: Team, note_id: str, version: int, author: str) -> None:
    """Show a note no more; what it said is kept. Raises TeamError, also where it was changed since."""
    _follow(team, note_id, version, {"action": WITHDRAWN}, author)


def _follow(team: Team, note_id: str, version: int, values: dict[str, object], author: str) -> None:
    with team.writing() as connection:
        found = connection.execute(
            select(tables.note).where(tables.note.c.id == known_id(note_id)).order_by(tables.note.c.version.desc())
        ).mappings().first()  # fmt: skip
        if found is None:
            raise TeamError("gone")
        if found["version"] != version:
            raise TeamError("changed")
        following = {**found, **values, "version": version + 1, "author": author, "at": now()}
        connection.execute(insert(tables.note).values(following))


def _checked(draft: Draft) -> dict[str, object]:
    if not draft.since <= draft.last or (draft.last - draft.since).days >= MOST_DAYS:
        raise TeamError("days")
    if any(len(getattr(draft.filters, key)) > MOST_VALUES for key in KEYS):
        raise TeamError("filters")
    pure = draft.filters.replace(since=None, until=None, compare="none", scope=None)
    return {
        "since": draft.since, "until": draft.last + timedelta(days=1), "filters": pure.to_query(),
        "text": line(draft.text, NOTE_SIGNS),
    }  # fmt: skip


def versions(team: Team) -> list[Note]:
    """Every version of every note, the oldest first."""
    asked = select(tables.note).order_by(tables.note.c.at, tables.note.c.id, tables.note.c.version)
    first: dict[str, RowMapping] = {}
    return [_read(row, first.setdefault(row["id"], row)) for row in team.rows(asked)]


def newest(team: Team) -> list[Note]:
    """The newest version of each note, also of withdrawn ones, in order of days."""
    found = {note.id: note for note in sorted(versions(team), key=lambda note: note.version)}
    return sorted(found.values(), key=lambda note: (note.since, note.created_at, note.id))


def _read(row: RowMapping, first: RowMapping) -> Note:
    return Note(
        row["id"], row["version"], row["action"], row["since"], row["until"], Filters.from_query(row["filters"]),
        row["text"], row["author"], row["at"], first["author"], first["at"],
    )  # fmt: skip


def covering(notes: Iterable[Note], asked: Filters) -> list[Note]:
    """The notes that stand within what is asked for: some of its days, and no filter of theirs without it.

    A note on one facility stands on the chart of all and on its own, not on another facility's.
    """
    return [note for note in notes if not note.is_withdrawn and is_covered(note, asked)]


def is_covered(note: Note, asked: Filters) -> bool:
    """Whether filters have something of what a note holds for."""
    is_over = asked.since is not None and note.until <= asked.since
    is_ahead = asked.until is not None and note.since >= asked.until
    return not is_over and not is_ahead and all(_meet(getattr(note.filters, key), _chosen(asked, key)) for key in KEYS)


def _chosen(asked: Filters, key: str) -> tuple[str, ...] | None:
    """The values of a filter, None for all; of facilities those that the scope leaves."""
    chosen: tuple[str, ...] = getattr(asked, key)
    if key != "facility" or asked.scope is None:
        return chosen or None
    return tuple(set(chosen or asked.scope) & set(asked.scope))


def _meet(of_note: Sequence[str], asked: Sequence[str] | None) -> bool:
    return not of_note or asked is None or not set(of_note).isdisjoint(asked)


def may_see(note: Note, facilities: tuple[str, ...] | None, sees_readers: bool) -> bool:
    """Whether a person may read a note: all facilities that it names are among theirs, and readers only who may."""
    if note.filters.radiologist and not sees_readers:
        return False
    return facilities is None or set(note.filters.facility) <= set(facilities)


def told_in_full(snapshot: Snapshot, filters: Filters) -> Filters:
    """The same filters with what named devices imply: their facilities and modalities, where these are not named."""
    if not filters.device:
        return filters
    known = rows(snapshot, "dim_device", columns=("device", *_OF_DEVICE), limit=100_000)
    mine = [row for row in known.iter_rows(named=True) if row["device"] in filters.device]
    implied = {key: tuple({row[key] for row in mine if row[key]}) for key in _OF_DEVICE if not getattr(filters, key)}
    return filters.replace(**implied)
