"""Saved views and queries: a page in a state, or a statement, under a name; for oneself or shared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import ColumnElement, RowMapping, delete, func, insert, select, update

from sql.filters import Filters
from sql.team import tables
from sql.team.store import Team, TeamError, now
from sql.team.words import NAME_SIGNS, known_id, line, new_id

PAGE, QUERY = "page", "query"
#: Signs of an address and of a statement, and views of a person, at most.
QUERY_SIGNS, STATEMENT_SIGNS, MOST_VIEWS = 4000, 100_000, 200


@dataclass(frozen=True, slots=True)
class Saved:
    """What is kept under a name: a page (path, query string) or a query (its statement). Times are UTC."""

    id: str
    kind: str
    name: str
    path: str
    query: str
    statement: str
    is_shared: bool
    author: str
    created_at: datetime
    changed_at: datetime

    @property
    def href(self) -> str:
        """Its address within the dashboard; a statement stands where browsers do not send it."""
        if self.kind == QUERY:
            return f"{self.path}#s={quote(self.statement, safe='')}"
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def filters(self) -> Filters:
        """The filters of its address."""
        return Filters.from_query(self.query)


@dataclass(frozen=True, slots=True)
class Page:
    """A page in a state, or with `statement` a query, as it is to be kept."""

    path: str
    query: str = ""
    statement: str = ""


def keep(team: Team, page: Page, name: str, is_shared: bool, author: str) -> str:
    """Keep a page or a query under a name; gives its id. Raises TeamError."""
    if len(page.query) > QUERY_SIGNS or len(page.statement) > STATEMENT_SIGNS:
        raise TeamError("long")
    made, at = new_id(), now()
    values = {
        "id": made, "kind": QUERY if page.statement else PAGE, "name": line(name, NAME_SIGNS), "path": page.path,
        "query": page.query, "statement": page.statement, "is_shared": is_shared, "author": author, "created_at": at,
        "changed_at": at,
    }  # fmt: skip
    with team.writing() as connection:
        asked = select(func.count()).select_from(tables.view).where(tables.view.c.author == author)
        if connection.execute(asked).scalar_one() >= MOST_VIEWS:
            raise TeamError("many")
        connection.execute(insert(tables.view).values(values))
    return made


def rename(team: Team, view_id: str, name: str, is_shared: bool, author: str) -> None:
    """Give one's own view another name, or share it or not. Raises TeamError."""
    values = {"name": line(name, NAME_SIGNS), "is_shared": is_shared, "changed_at": now()}
    with team.writing() as connection:
        done = connection.execute(update(tables.view).where(_own(view_id, author)).values(values))
        if not done.rowcount:
            raise TeamError("gone")
        if not is_shared:  # it leaves the digests that others chose it for
            others = select(tables.subscriber.c.id).where(tables.subscriber.c.author != author)
            connection.execute(delete(tables.subscribed).where(
                tables.subscribed.c.view == view_id, tables.subscribed.c.subscriber.in_(others)))  # fmt: skip


def remove(team: Team, view_id: str, author: str) -> None:
    """Delete one's own view, also from digests. Raises TeamError."""
    with team.writing() as connection:
        if not connection.execute(delete(tables.view).where(_own(view_id, author))).rowcount:
            raise TeamError("gone")
        connection.execute(delete(tables.subscribed).where(tables.subscribed.c.view == view_id))


def _own(view_id: str, author: str) -> ColumnElement[bool]:
    return (tables.view.c.id == known_id(view_id)) & (tables.view.c.author == author)


def listed(team: Team, author: str) -> list[Saved]:
    """A person's own views and those that others share, by name."""
    mine = (tables.view.c.author == author) | tables.view.c.is_shared
    return _by_name(team.rows(select(tables.view).where(mine)))


def chosen(team: Team, ids: Iterable[str]) -> list[Saved]:
    """The views of some ids that are there, by name."""
    return _by_name(team.rows(select(tables.view).where(tables.view.c.id.in_(list(ids)))))


def may_open(view: Saved, facilities: tuple[str, ...] | None, sees_readers: bool) -> bool:
    """Whether a shared view tells a person of nothing that they may not see."""
    if view.kind == QUERY:
        return facilities is None and sees_readers
    if view.filters.radiologist and not sees_readers:
        return False
    return facilities is None or set(view.filters.facility) <= set(facilities)


def _by_name(rows: Iterable[RowMapping]) -> list[Saved]:
    return sorted((Saved(**row) for row in rows), key=lambda view: (view.name.casefold(), view.id))
