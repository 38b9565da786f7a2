"""From a mark or a name to the rest: a click keeps the page to it, with Shift it leads to the exams behind.

What a mark stands for is in its link to the exams; `by` names the keys of it that are filters of the page. The script
in the browser (`assets/marks.js`) sets the controls of the filter bar, so that the address stays the only state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from app.context import Context
from app.dom import data, many
from app.filterbar import SHOWN
from app.texts import text

#: As a key: the dates of a period.
PERIOD = "period"
#: Keys of a cell of a week.
HOURS = ("weekday", "hour")


def keys(group_name: str) -> tuple[str, ...]:
    """Filters of the page among the groups of a metric's answer; none where one is no filter: it would keep more."""
    groups = group_name.split(" | ")
    return tuple(groups) if set(groups) <= set(SHOWN) else ()


def cell(label: str, href: str, group_name: str) -> dcc.Link:
    """The name of a group in a table; `href` leads to its exams."""
    by = keys(group_name)
    if not by:
        return many(dcc.Link, label, href=href)
    names = "by " + " ".join(f"by-{key}" for key in by)
    return many(dcc.Link, label, href=href, className=names, title=text("cross.cell"))


def hint(by: Sequence[str], *, has_links: bool = True) -> html.P | None:
    """What a click on a mark does; nothing where marks lead nowhere."""
    if not has_links:
        return None
    key = "period" if PERIOD in by else "group" if by else "exams"
    return html.P(text(f"cross.{key}"), className="hint")


def chosen(context: Context, by: Sequence[str]) -> list[Any]:
    """What the page is kept to of the keys, each with the way back and to its exams; none where it is not."""
    filters, state = context.filters, context.state
    found = [key for key in by if key != PERIOD and getattr(filters, key)]
    if not found:
        return []
    names = ", ".join(context.name(key, value) for key in found for value in getattr(filters, key))
    back = state.having(**dict.fromkeys(found, ())).query()
    return [
        html.P(
            [
                html.Span(text("cross.only", name=names)),
                dcc.Link(text("cross.all"), href=f"?{back}", className="clear-marks"),
                dcc.Link(text("cross.exams.now"), href=state.bare().href("/exams")),
            ],
            className="chosen",
        )
    ]


def behind(by: Sequence[str]) -> html.Details:
    """A table of a chart's marks, which the browser's script fills from what the chart says when it is opened."""
    words = {key: text(f"cross.{key}") for key in ("mark", "told", "ways", "way.only", "way.exams")}
    told = [part for key, said in words.items() for part in data(key.replace(".", "-"), said).items()]
    return html.Details(
        [html.Summary(text("cross.table")), html.Div(className="table-scroll", tabIndex=0)],
        className="as-table", **dict(told), **data("by", " ".join(by)),
    )  # fmt: skip
