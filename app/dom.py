"""Attributes that Dash's components take only as wildcards."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar

from dash import dcc, html
from dash.development.base_component import Component

from app.sent import KNOWN

Kind = TypeVar("Kind", bound=Component)


def aria(label: str, **more: str) -> dict[str, Any]:
    """The name of an element for a screen reader, and more that it is told."""
    return {"aria-label": label, **{f"aria-{name}": value for name, value in more.items()}}


def silent() -> dict[str, Any]:
    """Keep an element from a screen reader."""
    return {"aria-hidden": "true"}


def data(name: str, value: str) -> dict[str, Any]:
    """A value that the browser's scripts and tests find an element by."""
    return {f"data-{name}": value}


def drawn(**told: Any) -> dict[str, Any]:
    """A table (`label`, `head`, `rows` of `cells`) or a list (`pairs`) that the browser's script draws (follow.js):
    thousands of Dash's components, which all wake at each turn of its store, take seconds. Words are `t`, code `code`.
    """
    return data("rows", json.dumps(told, ensure_ascii=False, separators=(",", ":")))


@cache
def _known(kind: type[Component]) -> dict[str, Any]:
    """What each component of a kind holds beside its properties."""
    made = kind(href="") if kind is dcc.Link else kind()
    return {name: told for name, told in vars(made).items() if name in KNOWN}


def many(kind: type[Kind], children: Any, **props: Any) -> Kind:
    """A component of which a page has thousands: the same as its class makes, which checks each property and takes a
    hundred times as long."""
    made = object.__new__(kind)
    vars(made).update(_known(kind), children=children, **props)
    return made


def listing(text: str) -> html.Pre:
    """Code as it is written; a keyboard can scroll it where it is wider than its place."""
    return html.Pre(html.Code(text), tabIndex=0)
