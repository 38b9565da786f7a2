"""Saved views and queries as a person sees them: their own, and those that others share with them."""

from __future__ import annotations

from typing import Any

from app.guard import Person
from app.notes import team_of
from app.texts import text
from sql.snapshot import Store
from sql.team import saved as kept
from sql.team.saved import QUERY, Saved


def visible(store: Store, person: Person) -> list[Saved]:
    """One's own views, and the shared ones that tell of nothing that the person may not see, by name."""
    found = kept.listed(team_of(store), person.name)
    return [view for view in found if kept.may_open(view, person.facilities, person.sees_readers)]


def told(view: Saved) -> str:
    """What a view shows: the page, and the filters in words; of a query its beginning."""
    if view.kind == QUERY:
        return text("page.sql") + " · " + " ".join(view.statement.split())[:120]
    filters = view.filters
    newest = [text("views.newest")] if filters.since is None and filters.until is None and not _is_all(view) else []
    dateless = filters.sentence(("since", "until")) if newest and filters.to_query() else ""
    sentence = dateless or ("" if newest else filters.sentence())
    return " · ".join([page_name(view), *newest, *([sentence] if sentence else [])])


def _is_all(view: Saved) -> bool:
    return "period=all" in view.query.split("&")


def page_name(view: Saved) -> str:
    """The page that a view is of."""
    return text("page." + (view.path.removeprefix("/") or "overview"))


def listed(store: Store, person: Person) -> list[dict[str, Any]]:
    """The views as the browser's dialog reads them."""
    return [
        {"id": view.id, "kind": view.kind, "name": view.name, "href": view.href, "told": told(view),
         "by": by(view, person)}
        for view in visible(store, person)
    ]  # fmt: skip


def by(view: Saved, person: Person) -> str:
    """Whose a view is, as the person is told."""
    if view.author != person.name:
        return text("views.by", name=view.author)
    return text("views.shared") if view.is_shared else text("views.private")
