"""Callbacks: wiring only. What they do is in named functions that know nothing of Dash's contexts."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update
from dash.dependencies import ALL, MATCH, ClientsideFunction

from app import answers, filterbar
from app.guard import person
from sql.snapshot import Store


def register(app: Dash, store: Store) -> None:
    """Put the callbacks on an application."""

    @app.callback(
        Output("url", "search"), Output("shown", "data"), *(Output(name, "value") for name in filterbar.CONTROLS),
        Input("url", "search"), Input("filter-clear", "n_clicks"), *(Input(i, "value") for i in filterbar.CONTROLS),
        State("shown", "data"),
    )  # fmt: skip
    def sync(search: str, _: int | None, *values: Any) -> list[Any]:
        ids = [item["prop_id"].rpartition(".")[0] for item in ctx.triggered]
        *chosen, shown = values
        return answers.synced(store, [] if "url" in ids else ids, search, chosen, shown)

    @app.callback(
        Output("page", "children"), Output("nav", "children"), Output("status", "children"),
        Output("banner", "children"), Output("title", "data"), Output("filters", "hidden"),
        Input("url", "pathname"), Input("url", "search"), Input("snapshot", "data"), Input("scheme", "data"),
    )  # fmt: skip
    def page(pathname: str, search: str, _: str | None, scheme: str | None) -> answers.Answer:
        return answers.page(store, person(), pathname, search, scheme or "light")

    @app.callback(Output("snapshot", "data"), Input("look", "n_intervals"), State("snapshot", "data"))
    def look(_: int | None, known: str | None) -> Any:
        newest = answers.snapshot_id(store)
        return no_update if newest == known else newest

    @app.callback(
        Output("file", "data"), Output("told", "children"), Input({"kind": "decide-go", "page": ALL}, "n_clicks"),
        State({"kind": "decide", "row": ALL}, "value"), State({"kind": "decide", "row": ALL}, "id"),
        State({"kind": "decide-by", "part": ALL}, "value"), State("url", "search"),
    )  # fmt: skip
    def take(clicks: list[int | None], values: list[Any], ids: list[dict[str, str]], by: list[Any], search: str) -> Any:
        if not any(clicks):
            return no_update, ""
        chosen = {item["row"]: value for item, value in zip(ids, values, strict=True)}
        return answers.decided(store, person(), search, chosen, *(str(part or "") for part in by))

    for function, wires in {
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
    }.items():
        app.clientside_callback(ClientsideFunction("radops", function), *wires)  # type: ignore[no-untyped-call]
