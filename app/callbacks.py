"""Callbacks: wiring only. What they do is in named functions that know nothing of Dash's contexts.

A page is one request of the browser's script (`view` in radops.js) for `/view/...`; see `app/views.py`.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update
from dash.dependencies import ALL, MATCH, ClientsideFunction

from app import answers, filterbar
from app.guard import person
from sql.snapshot import Store

#: What a view fills, in the order of the script's answer.
FILLED = (("page", "children"), ("nav", "children"), ("status", "children"), ("banner", "children"), ("title", "data"),
          ("filters", "hidden"), ("look", "interval"))  # fmt: skip


def register(app: Dash, store: Store) -> None:
    """Put the callbacks on an application."""

    @app.callback(
        Output("file", "data"), Output("told", "children"), Input({"kind": "decide-go", "page": ALL}, "n_clicks"),
        State({"kind": "decide", "row": ALL}, "value"), State({"kind": "decide", "row": ALL}, "id"),
        State({"kind": "decide-by", "part": ALL}, "value"), State("url", "search"), prevent_initial_call=True,
    )  # fmt: skip
    def take(clicks: list[int | None], values: list[Any], ids: list[dict[str, str]], by: list[Any], search: str) -> Any:
        if not any(clicks):
            return no_update, ""
        chosen = {item["row"]: value for item, value in zip(ids, values, strict=True)}
        return answers.decided(store, person(), search, chosen, *(str(part or "") for part in by))

    for function, wires in {
        "view": (
            Output("url", "search"), *(Output(name, "value") for name in filterbar.CONTROLS),
            *(Output(name, prop) for name, prop in FILLED),
            Input("url", "pathname"), Input("url", "search"), Input("scheme", "data"), Input("snapshot", "data"),
            Input("filter-clear", "n_clicks"), *(Input(name, "value") for name in filterbar.CONTROLS),
        ),
        "look": (Output("snapshot", "data"), Input("look", "n_intervals")),
        "toggleScheme": (Output("scheme", "data"), Input("scheme-toggle", "n_clicks")),
        "applyScheme": (Output("provider", "forceColorScheme"), Input("scheme", "data")),
        "setTitle": (Input("title", "data"),),
        "toggleMenu": (Input("burger", "n_clicks"), Input("nav", "children")),
        "toggleFilters": (Input("filters-toggle", "n_clicks"),),
        "pick": (
            Output({"kind": "decide", "row": MATCH}, "value"),
            Input({"kind": "pick", "row": MATCH, "choice": ALL}, "n_clicks"),
        ),
        "open": (Input({"kind": "graph", "question": ALL}, "clickData"),),
    }.items():  # fmt: skip
        app.clientside_callback(ClientsideFunction("radops", function), *wires)  # type: ignore[no-untyped-call]
