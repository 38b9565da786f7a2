"""What a page is sent as says what plotly's own JSON says of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import dcc, html
from plotly.io.json import to_json_plotly

from app import answers
from app.context import Context
from app.dom import many
from app.pages import PAGES
from app.sent import to_json
from app.state import State
from sql.snapshot import Store
from tests.app.conftest import LOCAL


@pytest.mark.parametrize("path", sorted({page.path for page in PAGES}))
def test_a_page_is_sent_as_plotly_would(home: Path, path: str) -> None:
    store = Store(home / "published")
    snapshot = store.current()
    context = Context(snapshot, State.read("", snapshot.data_through), LOCAL, store=store)
    shown = answers.shown(context, path)._asdict()
    assert json.loads(to_json(shown)) == json.loads(to_json_plotly(shown))


@pytest.mark.parametrize(
    "value", [date(2026, 1, 2), np.arange(3), float("nan"), [1, float("inf")], {"a": np.float64(2)}]
)
def test_values_are_sent_as_plotly_would(value: Any) -> None:
    told = [html.P("a"), value]
    assert json.loads(to_json(told)) == json.loads(to_json_plotly(told))


def test_what_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(TypeError):
        to_json(object())


def test_one_of_many_is_as_its_class_makes_it() -> None:
    told: dict[str, Any] = {"className": "num", "title": None}
    pairs = [(many(html.Td, ["x"], **told), html.Td(["x"], **told)),
             (many(dcc.Link, "x", href="/a"), dcc.Link("x", href="/a"))]  # fmt: skip
    for one, usual in pairs:
        assert vars(one) == vars(usual)
        assert to_json_plotly(one) == to_json_plotly(usual)
