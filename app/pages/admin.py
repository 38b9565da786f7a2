"""Admin: what radops was told about the site, and what it sees of it; changes leave the page as a file.

Like Mappings: readers never write. What is changed is checked and foretold at once (`app/site_edit.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import html

from app.cards import choices, page_head
from app.context import Context
from app.evidence import foot_line
from app.sections import admin_feeds, admin_hours, admin_places, admin_targets
from app.texts import text

QUESTIONS = (*admin_places.QUESTIONS, *admin_targets.QUESTIONS, *admin_hours.QUESTIONS, *admin_feeds.QUESTIONS)
#: Value of the own key `show` -> cards.
TABS: dict[str, Callable[[Context], list[Any]]] = {
    "facilities": admin_places.cards,
    "targets": admin_targets.cards,
    "hours": admin_hours.cards,
    "feeds": admin_feeds.cards,
    "people": lambda _: [_people()],
}


def render(context: Context) -> list[Any]:
    """The page."""
    chosen = context.state.own.get("show", "")
    tab = chosen if chosen in TABS else "facilities"
    named = [(name, text(f"admin.tab.{name}")) for name in TABS]
    return [
        page_head(context, text("admin.title"), text("admin.lead")),
        choices(context, "/admin", "show", named, tab),
        html.Div(TABS[tab](context), className="grid"),
        html.P(foot_line(context), className="facts"),
    ]


def _people() -> html.Section:
    """The place of users' scopes and of the audit, which are not there yet."""
    return html.Section(
        [
            html.Div(html.Div([html.H2(text("admin.people")), html.P(text("admin.people.note"), className="note")]),
                     className="card-head"),
            html.Div([html.P(text("admin.people.now")), html.P(text("admin.people.then"), className="muted")],
                     className="card-body admin-people"),
        ],
        className="card wide",
    )  # fmt: skip
