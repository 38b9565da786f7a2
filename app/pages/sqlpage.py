"""SQL: a person's own statement over the snapshot. The browser's script (`assets/sql.js`) makes everything within."""

from __future__ import annotations

import json
from typing import Any

from dash import html

from app.context import Context
from app.dom import data
from app.evidence import foot_line
from app.figures import base
from app.questions import Question
from app.texts import text, texts
from sql.adhoc_limits import Limits
from sql.written import count, signs

QUESTIONS: tuple[Question, ...] = ()
#: Texts of the script stand under this in the catalogue.
_SAID = "sqlpage.js."


def render(context: Context) -> list[Any]:
    """The page; for whoever may not see all of a snapshot, what it needs."""
    limits = Limits()
    lead = text(
        "sqlpage.lead", seconds=signs(f"{limits.seconds:g}"), rows=count(limits.rows), megabytes=limits.bytes // 2**20
    )
    told = lead if context.person.sees_all else text("sqlpage.forbidden")
    head = html.Div([html.H1(text("sqlpage.title")), html.P(told, className="lead")], className="page-head")
    editor = [html.Div(id="sql-app", **data("config", json.dumps(_config(context))))] if context.person.sees_all else []
    return [head, *editor, html.P(foot_line(context), className="facts")]


def _config(context: Context) -> dict[str, Any]:
    """What the script needs: its texts, the style of figures, and the number of a snapshot that is not the newest."""
    seq = context.snapshot.seq if "known" in context.state.own else None
    return {
        "texts": {key.removeprefix(_SAID): said for key, said in texts().items() if key.startswith(_SAID)},
        "figure": base.figure(legend=True).layout,
        "templates": {scheme: base.template(scheme) for scheme in ("light", "dark")},
        "seq": seq,
    }
