"""What a person writes beside notes: saved views and queries, and who receives the digest; all of it checked."""

from __future__ import annotations

from typing import Any

from app.guard import Person
from app.notes import scoped, team_of
from app.pages import BY_PATH
from app.saved import visible
from app.state import State
from sql.filters import FilterError
from sql.snapshot import Store
from sql.team import digests, saved
from sql.team.store import TeamError
from sql.words import language


def keep_view(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """Keep the page or the statement that a person looks at under a name. Raises TeamError."""
    page = _query(person, asked) if asked.get("statement") else _page(store, person, asked)
    saved.keep(team_of(store), page, _name(asked), asked.get("is_shared") is True, person.name)


def rename_view(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """Give one's own view another name, or share it or not. Raises TeamError."""
    saved.rename(team_of(store), str(asked.get("id")), _name(asked), asked.get("is_shared") is True, person.name)


def remove_view(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """Delete one's own view. Raises TeamError."""
    saved.remove(team_of(store), str(asked.get("id")), person.name)


def subscribe(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """Send the digest to an address, or set the views and the language of a subscription that the person
    made; that of the page where none is named. Raises TeamError."""
    views, spoken = _views(store, person, asked), str(asked.get("language") or language())
    if asked.get("id"):
        digests.choose(team_of(store), str(asked["id"]), views, person.name, spoken)
        return
    to = str(asked.get("address") or "")
    digests.subscribe(team_of(store), to, views, person.name, person.facilities, spoken)


def unsubscribe(store: Store, person: Person, asked: dict[str, Any]) -> None:
    """End a subscription that the person made. Raises TeamError."""
    digests.unsubscribe(team_of(store), str(asked.get("id")), person.name)


def _views(store: Store, person: Person, asked: dict[str, Any]) -> list[str]:
    """The views that are named, all of them pages that the person sees."""
    told = asked.get("views") or []
    known = {view.id for view in visible(store, person) if view.kind == saved.PAGE}
    if not isinstance(told, list) or not all(isinstance(one, str) for one in told) or not set(told) <= known:
        raise TeamError("gone")
    return told


def _name(asked: dict[str, Any]) -> str:
    return str(asked.get("name") or "")


def _page(store: Store, person: Person, asked: dict[str, Any]) -> saved.Page:
    """A page of the dashboard in a state that it reads."""
    path, query = asked.get("path"), asked.get("query")
    if not isinstance(path, str) or not isinstance(query, str) or path not in BY_PATH:
        raise TeamError("page")
    try:
        state = State.read(query, store.current().data_through)
        if state.filters.facility:
            scoped(state.filters, person)
    except FilterError as error:
        raise TeamError("page") from error
    return saved.Page(path, state.query())


def _query(person: Person, asked: dict[str, Any]) -> saved.Page:
    if not person.sees_all or not isinstance(asked["statement"], str):
        raise TeamError("page")
    return saved.Page("/sql", statement=asked["statement"])
