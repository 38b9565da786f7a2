"""Live: who waits, who is in exam, what is unread and breaches its target next; at the data cut-off, not at any clock.

While the page is open the browser looks for a new snapshot every few seconds (`LOOK_EVERY`) and shows it in place.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, choices, empty, shown
from app.context import Context
from app.dom import data
from app.everywhere import everywhere
from app.evidence import foot_line
from app.icons import icon
from app.questions import Question
from app.sections import now, wall
from app.tables import Row
from app.texts import text
from sql import query
from sql.live import SHOW, now_filters

#: Milliseconds between two looks for a new snapshot while this page is open.
LOOK_EVERY = 2000
#: Facilities that are named in a line; of more it is said how many.
NAMED = 5
_MINUTES = dict.fromkeys(("age_min", "target_min", "left_min", "next_min", "oldest_min", "longest_waiting_min",
                          "longest_in_exam_min", "longest_unread_min"), "min")  # fmt: skip


def show(context: Context) -> str:
    """Which exams are listed; all where the address names none that is known."""
    wanted = context.state.own.get("show", "all")
    return wanted if wanted in SHOW else "all"


def listed(context: Context, limit: int | None = now.ROWS) -> pl.DataFrame:
    """The list: the exams that have room on the page, or all."""
    return query.open_list(context.snapshot, show(context), context.filters, limit)


NOW = Question("live.now", lambda c: query.standing(c.snapshot, (), c.filters), "", _MINUTES)
FACILITIES = Question("live.facilities", lambda c: query.facilities_now(c.snapshot, c.filters), "", _MINUTES)
AGES = Question("live.ages", lambda c: query.unread_ages(c.snapshot, c.filters), "", _MINUTES)
LIST = Question("live.list", lambda c: listed(c, None), "", _MINUTES)
MATRIX = Question(
    "live.matrix", lambda c: query.standing(c.snapshot, ("facility", "modality"), c.filters), "", _MINUTES
)
FATES = Question("live.fates", lambda c: query.open_fates(c.snapshot, c.filters))
QUESTIONS = (NOW, FACILITIES, AGES, LIST, MATRIX, FATES)


def render(context: Context) -> Any:
    """The page, or its wall display where the address asks for it."""
    row, facilities = NOW.ask(context).row(0, named=True), FACILITIES.ask(context)
    if "wall" in context.state.own:
        return wall.display(
            context,
            row,
            as_of(context),
            _hints(context, row, facilities),
            query.kept_exams(context.snapshot, context.filters),
        )
    ages, first, matrix = AGES.ask(context), listed(context), MATRIX.ask(context)
    n_listed = row["n" if (which := show(context)) == "all" else f"n_{which}"]
    return [
        _head(context),
        _stale(),
        _tiles(context, row, facilities),
        html.P(_said(context, row), className="turn live-said"),
        html.Div(
            [
                card(context, AGES, shown(ages, lambda: now.ages(context, ages, AGES.title)), n=row["n_unread"]),
                card(context, FACILITIES, shown(facilities, lambda: now.facilities(context, facilities,
                                                                                   FACILITIES.title)), n=row["n"]),
            ],
            className="grid",
        ),
        card(context, MATRIX, shown(matrix, lambda: now.matrix(context, matrix, MATRIX.title)), n=row["n"], wide=True),
        card(context, LIST, shown(first, lambda: now.exams(context, first, n_listed, LIST.title)), n=n_listed,
             wide=True, tools=choices(context, "/live", "show", _choices(row), show(context))),
        _evidence(context),
    ]  # fmt: skip


def as_of(context: Context) -> str:
    """The data cut-off; on the wall clock too where all facilities that are shown share one."""
    through = context.snapshot.data_through
    zones = {zone for zone in context.rows("dim_facility", columns=("zone",))["zone"] if zone}
    if len(zones) != 1:
        return words.instant(through)
    local = through.replace(tzinfo=UTC).astimezone(ZoneInfo(zones.pop()))
    return text("live.clocks", local=f"{words.day(local)} {local:%H:%M %Z}", utc=f"{through:%H:%M} UTC")


def is_newest(context: Context) -> bool:
    """Whether the newest snapshot is shown, whose age the server tells; of an older one it is said that it is old."""
    return context.store is None or context.snapshot.seq == context.store.current().seq


def _head(context: Context) -> html.Div:
    kept = now_filters(context.filters)
    is_all = kept.to_query() == "" and kept.scope is None
    age: list[Any] = (
        [" · ", html.Span(**data("age", text("live.old", age="{}")), className="age")] if is_newest(context) else []
    )
    left_out = [html.P(text("live.unapplied"), className="lead")] if context.filters.radiologist else []
    return html.Div(
        [
            html.Div(
                [
                    html.H1(text("live.title")),
                    html.P([html.B(text("live.as_of", at=as_of(context))), *age], className="sentence"),
                    html.P(everywhere(context.snapshot, "live.everything") if is_all
                           else kept.sentence(("since", "until"), words.group),
                           className="sentence", id="sentence"),
                    *left_out,
                ]
            ),
            dcc.Link([icon("wall", 16), text("live.wall")], href=context.state.href("/live", wall=1), id="wall-enter",
                     className="wall-enter", title=text("live.wall.hint")),
        ],
        className="page-head live-head",
    )  # fmt: skip


def _stale() -> html.Div:
    """Shown by the browser's script while the server says that the data are too old for a page about now."""
    told = html.Span(**data("age", text("live.stale", age="{}")))
    return html.Div([icon("alert", 16), told], className="banner stale-only", role="status")


def _tiles(context: Context, row: Row, facilities: pl.DataFrame) -> html.Div:
    """The headline numbers; each leads to its list."""
    return html.Div(
        [
            html.Div(
                [
                    html.Div(text(f"live.{name}"), className="tile-label"),
                    html.Div(
                        dcc.Link(words.count(row[name]), href=_list_href(context, name.removeprefix("n_"))),
                        className="tile-value", **now.marked(name, row[name]),
                    ),
                    html.Div(html.Span(hint), className="tile-hint"),
                ],
                className=f"tile {now.urgency(name, row[name])}", title=text(f"live.{name}.hint"),
            )
            for name, hint in _hints(context, row, facilities).items()
        ],
        className="tiles",
    )  # fmt: skip


def _hints(context: Context, row: Row, facilities: pl.DataFrame) -> dict[str, str]:
    """The headline numbers by name, with what is to be known beside each."""
    return {
        "n_waiting": _patients(context, row, facilities, "waiting"),
        "n_in_exam": _patients(context, row, facilities, "in_exam"),
        "n_unread": text("live.no_read", n=words.count(row["n_no_read"])),
        "n_over": text("live.left", n=words.count(row["n_left"])) if row["n_left"] else "",
        "n_soon": "" if row["next_min"] is None else text("live.next_in", length=words.short(row["next_min"])),
    }


def _patients(context: Context, row: Row, facilities: pl.DataFrame, stage: str) -> str:
    """Who is there longest, and which facilities do not tell."""
    longest, name = row[f"longest_{stage}_min"], f"n_{stage}"
    silent = facilities.filter(pl.col(name).is_null())["facility"].to_list()
    parts = [] if longest is None else [text("live.longest", length=words.minutes(longest))]
    if silent:
        names = [context.name("facility", one) for one in silent[:NAMED]]
        rest = text("live.not_told.more", n=len(silent) - NAMED) if len(silent) > NAMED else ""
        parts.append(text("live.not_told", names=", ".join(names) + rest))
    return "; ".join(parts)


def _list_href(context: Context, name: str) -> str:
    return context.state.href("/live", show=name)


def _choices(row: Row) -> list[tuple[str, str]]:
    named = [(name, text("live.choice", name=text(f"live.n_{name}"), n=words.count(row[f"n_{name}"])))
             for name in SHOW if name != "all"]  # fmt: skip
    return [("all", text("live.all", n=words.count(row["n"]))), *named]


def _said(context: Context, row: Row) -> str:
    """What is next and what is late, in words."""
    ahead, late = (
        now.next_of(query.kept_exams(context.snapshot, context.filters)),
        query.last_over(context.snapshot, context.filters),
    )
    parts = [text("live.none_next") if ahead is None else text(
        "live.next", exam=now.named(context, ahead), length=words.short(ahead["left_min"]))]  # fmt: skip
    if late is None:
        parts.append(text("live.none_over"))
    else:
        latest = text("live.latest", length=words.short(late))
        parts.append(text("live.over_now", n=words.count(row["n_over"]), latest=latest))
    return " ".join(parts)


def _fate(row: Row) -> str:
    room = "live.fate" if row["kind"] in ("used", "missing") else "fate"
    return text(f"{room}.{row['kind']}", reason=words.told(row["reason"]))


def _evidence(context: Context) -> html.Section:
    """What became of every exam, what was taken for lost, and how the numbers agree with those of other pages."""
    before, _, after = text("live.evidence.unread", link="\0").partition("\0")
    link = dcc.Link(text("live.backlog"), href=context.state.bare().href("/metric", metric="backlog"))
    fates = FATES.ask(context)
    items = [
        html.Li([html.Span(className=f"dot {row['kind']}"), _fate(row), " ", html.B(words.count(row["n"]))])
        for row in fates.iter_rows(named=True)
    ]  # fmt: skip
    return html.Section(
        [
            html.H2(text("live.evidence")),
            html.P(text("live.evidence.rows"), className="facts"),
            html.Ul(items, className="fates") if items else empty(),
            html.P([before, link, after], className="facts"),
            html.P([foot_line(context), " · ", html.A([icon("download", 13), "CSV"], href=FATES.csv_href(context),
                                                       title=text("card.csv"), **data("question", FATES.id))],
                   className="facts"),
        ],
        className="evidence",
    )  # fmt: skip
