"""Icons and links as the libraries would write them."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from app.icons import PATHS, _address, icon, sparkline
from app.state import State
from sql.filters import Filters


def test_an_address_is_as_quoted() -> None:
    drawn = [f'<path d="{path}" fill="#000"/> 100%,(é)' for path in PATHS.values()]
    for each in drawn:
        plain = each.replace("é", "")
        assert _address(plain) == f'url("data:image/svg+xml,{quote(plain, safe=" =:/<>")}")'
    assert vars(icon("alert", 15))["style"]["maskImage"].startswith('url("data:image/svg+xml,<svg xmlns=%22http://')
    assert "%23000" in vars(sparkline([1.0, None, 2.0, 3.0], "course"))["style"]["WebkitMaskImage"]


def test_a_query_is_as_encoded() -> None:
    filters = Filters(procedure=("CT Head & Neck", "Röntgen/Thorax"), device=("a+b",))
    state = State(filters, {"sort": "-report_final_min", "known": "3"})
    pairs = [*filters.pairs(), ("period", "all"), ("sort", "-report_final_min"), ("known", "3")]
    assert state.query() == urlencode(pairs)
