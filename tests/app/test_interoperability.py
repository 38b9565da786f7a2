"""Links that are missing or have stopped are said as such, never as a share of nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.context import Context
from app.pages.interoperability import LINK, SYSTEMS, _link


def cell(**columns: Any) -> dict[str, Any]:
    return {"n_exams": 100, "n_linked": 80, "n_exams_7d": 30, "n_linked_7d": 20, "share": 0.8, **columns}


@pytest.mark.parametrize(
    ("found", "link", "told"),
    [
        (cell(), "order", "80.0"),
        (cell(n_linked=0, n_linked_7d=0), "order", "missing"),
        (cell(n_linked=0, n_exams=19, n_exams_7d=3, share=0.0), "order", "0.0"),  # too few to say
        (cell(n_linked_7d=0), "order", "stopped"),
        (cell(n_linked_7d=0, n_exams_7d=5), "order", "80.0"),
        (cell(n_linked=2, n_linked_7d=0), "reject_note", "sent"),
        (cell(n_linked=0), "reject_note", "missing"),
    ],
)
def test_words_of_a_link(found: dict[str, Any], link: str, told: str) -> None:
    assert told in str(_link(found, link).children)


def test_the_map_has_the_messages_and_the_links_the_exams(context: Context) -> None:
    assert SYSTEMS.ask(context)["n_messages"].sum() > 1_000
    links = LINK.ask(context)
    assert links.filter(links["n_linked"] > links["n_exams"]).is_empty()
    assert set(links["link"]) >= {"order", "images", "report"}
