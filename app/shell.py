"""The frame around every page: header, navigation, filter bar, and the parts that callbacks fill."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from app import filterbar, team, words
from app.context import Context
from app.dom import aria, many
from app.icons import icon
from app.language import next_language
from app.pages import MENU, Page
from app.state import State
from app.texts import text
from app.theme import MANTINE
from sql import scoping
from sql.snapshot import Snapshot
from sql.words import language

#: Milliseconds between two looks for a new snapshot; a page may ask for it more often.
LOOK_EVERY = 20_000
#: Hours without an event after which the data are called stale.
STALE_HOURS = 24


def frame(options: filterbar.Options, all_facilities: str) -> dmc.MantineProvider:
    """The whole layout; pages are put into `page`."""
    return dmc.MantineProvider(
        id="provider",
        theme=MANTINE,
        children=dmc.DatesProvider(settings={"locale": language(), "firstDayOfWeek": 1}, children=[
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="scheme"),
            dcc.Store(id="snapshot"),
            dcc.Store(id="title"),
            dcc.Download(id="file"),
            dcc.Interval(id="look", interval=LOOK_EVERY),
            team.root(options),
            html.A(text("shell.skip"), href="#page", className="skip"),
            html.Header(
                [
                    html.Button(icon("exams", 18), id="burger", className="plain burger", title=text("shell.menu"),
                                **aria(text("shell.menu"))),
                    html.Div([icon("logo", 20), html.Strong(text("shell.name"))], className="brand"),
                    html.Div(id="status", className="status", role="status"),
                    html.Button(icon("filter", 16), id="filters-toggle", className="plain filters-toggle",
                                title=text("shell.filters"), **aria(text("shell.filters"))),
                    html.Button(icon("star", 17), id="views-toggle", className="plain", title=text("views.open"),
                                **aria(text("views.open"), haspopup="dialog", keyshortcuts="Control+K")),
                    html.Button(icon("scheme", 17), id="scheme-toggle", className="plain", title=text("shell.scheme"),
                                **aria(text("shell.scheme"))),
                    html.Button("?", id="keys-open", className="plain keys-open", title=text("keys.title"),
                                **aria(text("keys.title"))),
                    _other_language(),
                ],
                className="top",
            ),
            _keys(),
            html.Div(
                [
                    html.Nav(id="nav", className="nav", **aria(text("shell.menu"))),
                    html.Main(
                        [
                            html.Div(filterbar.bar(options, all_facilities), id="filters", className="filters"),
                            notice("busy"),
                            notice("failed"),
                            notice("cut_off"),
                            html.Div(id="banner"),
                            html.Div(id="told", className="told", role="status"),
                            html.Div(id="page", className="page", tabIndex=-1),
                        ]
                    ),
                ],
                className="body",
            ),
        ]),
    )  # fmt: skip


#: Keys of the sheet, in order: as they are named in the catalogue.
_KEYS = ("sheet", "filters", "menu", "views", "enter", "shift", "escape", "tab", "run")


def _keys() -> html.Dialog:
    """The sheet of keys, which the browser's script opens; single keys can be switched off (WCAG 2.1.4)."""
    rows = [part for name in _KEYS
            for part in (html.Dt(html.Kbd(text(f"keys.{name}.key"))), html.Dd(text(f"keys.{name}")))]  # fmt: skip
    single = html.Button(
        text("keys.single"), id="keys-single", className="pick", **aria(text("keys.single"), pressed="true")
    )
    close = html.Button(text("keys.close"), id="keys-close", className="pick main")
    body = html.Div([html.H2(text("keys.title")), html.Dl(rows), single, close], className="keys-body")
    return html.Dialog(body, id="keys", className="keys", **aria(text("keys.title")))


def _other_language() -> html.A:
    """The control of the language: a link to this page in the next one, which the browser's script completes."""
    code, name = next_language()
    return html.A(code.upper(), href=f"?lang={code}", hrefLang=code, lang=code, id="language", className="language",
                  title=name, **aria(name))  # fmt: skip


def nav(state: State, current: Page | None) -> list[Any]:
    """Links to the pages, which keep the filters."""
    return [
        many(
            dcc.Link,
            [icon(page.icon, 17), many(html.Span, text(f"page.{page.name}"))],
            href=state.bare().href(page.path),
            className="nav-link on" if current is not None and current.name in (page.name, page.parent) else "nav-link",
        )
        for page in MENU
    ]


def status(snapshot: Snapshot) -> list[Any]:
    """Data cut-off, the scope where it is not all facilities, and snapshot, in the header of every page."""
    scope = scoping.told(snapshot)
    return [
        html.Span(
            [
                html.Span(text("shell.through") + " ", className="status-label"),
                html.B(words.instant(snapshot.data_through)),
            ]
        ),
        *(
            [html.B(text("shell.scope", name=scope.label), className="scope", title=", ".join(scope.facilities))]
            if scope
            else []
        ),
        html.Span(snapshot.id, className="snapshot", id="snapshot-id", title=text("shell.snapshot")),
    ]


def banner(context: Context, now: datetime | None = None) -> Any:
    """That an older snapshot is shown, or a warning where the newest event is old; nothing otherwise."""
    snapshot = context.snapshot
    if "known" in context.state.own and context.store is not None and snapshot.seq != context.store.current().seq:
        told = text("known.banner", built=words.instant(snapshot.built_at))
        back = dcc.Link(
            text("known.today"),
            href=context.state.href("/metric" if "metric" in context.state.own else "/", known=None),
        )
        return html.Div([icon("alert", 16), html.Span([told, " ", back])], className="banner", role="status")
    hours = silent_hours(snapshot, now)
    if hours is None:
        return None
    return html.Div([icon("alert", 16), html.Span(text("shell.stale", age=words.minutes(hours * 60)))],
                    className="banner stale", role="alert")  # fmt: skip


def silent_hours(snapshot: Snapshot, now: datetime | None = None) -> int | None:
    """Whole hours since the newest event where the data are stale, else None."""
    hours = int(((now or datetime.now(UTC)).replace(tzinfo=None) - snapshot.data_through).total_seconds() // 3600)
    return None if hours < STALE_HOURS else hours


def notice(name: str) -> html.Div:
    """Words about the server itself, which the browser's script shows as long as they are true: busy, failed,
    cut off."""
    told = [icon("alert", 16), html.Span(text(f"shell.{name}"))]
    return html.Div(told, className=f"banner notice {name.replace('_', '-')}", role="status")


def problem(title: str, told: str) -> html.Div:
    """A page that says what is wrong and what to do."""
    return html.Div([html.H1(title), html.P(told), dcc.Link(text("shell.home"), href="/")], className="problem")


def page_body(context: Context, page: Page) -> Any:
    """The children of a page."""
    return html.Div(page.render(context), className=f"page-{page.name}")
