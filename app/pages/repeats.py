"""Repeat imaging: rejected images, exams done again, and what missing priors do."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import dcc, html

from app import changes, cross, evidence, words
from app.cards import card, empty, graph, headline, page_head, shown
from app.context import Context
from app.figures.bars import groups
from app.figures.flow import matrix
from app.figures.trend import Line, trend
from app.noted import noted
from app.numbers import numbers
from app.questions import Question, of_compare, of_metric, of_several, of_trend
from app.state import State, drill
from app.tables import Column, Row, bar, change, table
from app.texts import text

METRIC = "repeat_exam_rate"
#: AAPM TG-151: where a reject rate is looked at, and where it is acted on.
LIMITS = ((0.08, "target"), (0.10, "act"))
#: Lu et al., AJR 2012;198:628-634: availability -> (repeated, cases).
PUBLISHED = {"imported": (9, 79), "held": (14, 27), "unavailable": (13, 18), "none": (18, 143)}
HEADLINES = (("reject_rate", None), ("repeat_exam_rate", "7d"), ("repeat_exam_rate", "30d"),
             ("repeat_exam_rate", "90d"), ("duplicate_across_facilities", "30d"))  # fmt: skip
#: Days that the longest of them looks back.
LONGEST = 90
#: Facilities that have room in a matrix.
CROSSED = 8
#: Repeats that are declared, not found.
STATED = tuple(("declared_repeat", statistic) for statistic in ("necessary", "unfound", "duplicate_order"))


def _by_value(metric: str, group: str) -> Any:
    return lambda context: context.compare(metric, (group,)).sort("value", descending=True)


def _reasons(context: Context) -> pl.DataFrame:
    return context.counts("fct_image_reject", ("reason",))


def _flow(context: Context) -> pl.DataFrame:
    found = context.counts("fct_repeat", ("prior_facility", "facility"), where={"kind": "duplicate"})
    links = [drill(context.state, "facility", later, show="duplicates", clock="started") for later in found["facility"]]
    return found.with_columns(pl.Series("href", links, dtype=pl.String))


def _priors(context: Context) -> pl.DataFrame:
    published = pl.DataFrame(
        [{"group_value": name, "published_numerator": k, "published_denominator": n, "published": k / n}
         for name, (k, n) in PUBLISHED.items()]
    )  # fmt: skip
    return published.join(context.metric("prior_availability", ("availability",)), on="group_value", how="left",
                          maintain_order="left")  # fmt: skip


HEADLINE = Question("repeats.headline", of_several(HEADLINES), "", {"value": "share"})
DEVICES = Question("repeats.devices", _by_value("reject_rate", "device"), "reject_rate")
REASONS = Question("repeats.reasons", _reasons)
OPERATORS = Question("repeats.operators", _by_value("reject_rate", "operator"), "reject_rate")
MODALITIES = Question("repeats.modalities", _by_value(METRIC, "modality"), METRIC)
PROCEDURES = Question("repeats.procedures", _by_value(METRIC, "procedure"), METRIC)
COURSE = Question("repeats.course", of_trend(METRIC), METRIC)
FLOW = Question("repeats.flow", lambda context: _flow(context).drop("href"))
PRIORS = Question("repeats.priors", _priors, "prior_availability", {"published": "share"})
SITES = Question("repeats.sites", of_compare("duplicate_across_facilities", "facility"), "duplicate_across_facilities")
KINDS = Question("repeats.kinds", lambda context: context.counts("fct_repeat", ("kind",)))
FOLLOW = Question("repeats.week", of_metric(METRIC, "facility"), METRIC)
DECLARED = Question("repeats.declared", of_several(STATED), "declared_repeat")
QUESTIONS = (
    HEADLINE,
    DECLARED,
    DEVICES,
    REASONS,
    OPERATORS,
    MODALITIES,
    PROCEDURES,
    COURSE,
    FLOW,
    PRIORS,
    SITES,
    KINDS,
    FOLLOW,
)


def render(context: Context) -> list[Any]:
    """The page."""
    return [
        page_head(context, text("repeats.title"), text("repeats.lead")),
        *_short(context),
        _tiles(context),
        html.Div(
            [
                _priors_card(context),
                _bars(context, DEVICES, "device", levels=LIMITS, show="rejects", none=text("repeats.no_rejects")),
                _reasons_card(context),
                _bars(context, MODALITIES, "modality", show="repeats"),
                _flow_card(context),
                _operators_card(context),
                numbers(context, DECLARED),
                _course_card(context),
            ],
            className="grid",
        ),
        evidence.block(context, METRIC),
    ]


def _short(context: Context) -> list[html.P]:
    """A warning where the data begin too late to know what was repeated."""
    until, first = context.short_until(LONGEST), context.data_from()
    if until is None or first is None:
        return []
    return [html.P(text("repeats.short", first=words.day(first), until=words.day(until)), className="uncovered apart")]


def _tiles(context: Context) -> html.Div:
    found = {(row["metric"], row["statistic"]): row for row in HEADLINE.ask(context).iter_rows(named=True)}
    tiles = []
    for metric, statistic in HEADLINES:
        row = found.get((metric, statistic or "value"))
        title = context.definition(metric).title + ("" if statistic is None else f" · {text('within.' + statistic)}")
        if row is None:
            tiles.append(headline(title, words.NO_VALUE, hint=text("repeats.unreported")))
        else:
            tiles.append(headline(title, words.share(row["value"]), change=changes.shown(row, "share"),
                                  is_main=(metric, statistic) == (METRIC, "30d"),
                                  hint=text("turnaround.of", n=words.count(row["denominator"])), href=drill(
                                      context.state, "all", "all", clock="started",
                                      show="rejects" if metric == "reject_rate" else "repeats")))  # fmt: skip
    return html.Div(tiles, className="tiles")


def _bars(
    context: Context, question: Question, group: str, *, show: str, levels: Any = (), none: str = ""
) -> html.Section:
    frame = question.ask(context)
    shortened = frame.head(14)
    floor = context.definition(question.metric).min_n
    limits = [(value, text(f"figure.limit.{name}")) for value, name in levels]

    def made() -> Any:
        return graph(question, groups(
            shortened, context.scheme, unit="share", x=words.within(context.definition(question.metric).title),
            name=lambda value: context.name(group, value), levels=limits, min_n=floor,
            href=lambda row: drill(context.state, group, row["group_value"], show=show, clock="started"),
        ), max(78 + 27 * shortened.height, 240), context=context, by=(group,))  # fmt: skip

    return card(context, question, shown(frame, made, none), n=int(frame["n"].sum()))


def _reasons_card(context: Context) -> html.Section:
    frame = REASONS.ask(context)
    columns = [
        Column(
            text("repeats.reason"),
            lambda row: dcc.Link(
                row["reason"] or words.NO_VALUE,
                href=drill(context.state, "all", "all", show="rejects", sort="-n_rejected", clock="started"),
            ),
            is_text=True,
        ),
        Column(text("repeats.images"), lambda row: words.count(row["n"])),
        bar(text("repeats.share"), "share", "share", 1.0),
    ]
    body = shown(frame, lambda: table(frame, columns, label=REASONS.title, limit=10), text("repeats.no_rejects"))
    return card(context, REASONS, body, n=int(frame["n"].sum()))


def _operators_card(context: Context) -> html.Section:
    frame = OPERATORS.ask(context)
    floor = context.definition("reject_rate").min_n
    columns = [
        Column(text("repeats.operator"), lambda row: text("repeats.operator.name", key=row["group_value"][:4].upper()),
               is_text=True),
        Column(text("repeats.images"), lambda row: words.count(row["n"])),
        bar(text("repeats.reject_rate"), "value", "share", 0.2, LIMITS[1][0]),
        change(text("table.change"), "share"),
    ]  # fmt: skip
    if not context.person.sees_readers:
        return card(context, OPERATORS, empty(text("people.hidden")))
    body = shown(frame, lambda: table(frame, columns, label=OPERATORS.title, limit=12,
                                      faint=lambda row: row["n"] < floor), text("repeats.no_rejects"))  # fmt: skip
    return card(context, OPERATORS, body, n=int(frame["n"].sum()))


def _flow_card(context: Context) -> html.Section:
    frame = _flow(context)

    def body() -> Any:
        most = frame.row(0, named=True)
        later, prior = (context.name("facility", most[end]) for end in ("facility", "prior_facility"))
        told = text("repeats.most", n=words.count(int(frame["n"].sum())), later=later, prior=prior,
                    most=words.count(most["n"]))  # fmt: skip
        return html.Div([html.P(told, className="turn"), _pairs(context, frame)])

    return card(context, FLOW, shown(frame, body, text("repeats.no_flow")), n=int(frame["n"].sum()))


def _pairs(context: Context, frame: pl.DataFrame) -> Any:
    """Few facilities as a matrix; of more, of which most pairs have no exam, the largest pairs as rows."""
    if pl.concat([frame["prior_facility"], frame["facility"]]).n_unique() <= CROSSED:
        made = matrix(frame, context.scheme, name=lambda site: context.name("facility", site))
        return graph(FLOW, made, 300, context=context, by=("facility",))
    ranked = frame.sort("n", "prior_facility", "facility", descending=[True, False, False])
    columns = [
        Column(text("repeats.first"), lambda row: context.name("facility", row["prior_facility"]), is_text=True),
        Column(text("repeats.later"), lambda row: cross.cell(context.name("facility", row["facility"]), row["href"],
                                                             "facility"), is_text=True),
        bar(text("repeats.pair"), "n", "exams", float(ranked["n"][0])),
    ]  # fmt: skip
    return table(ranked, columns, label=FLOW.title, limit=10)


def _priors_card(context: Context) -> html.Section:
    frame = PRIORS.ask(context)

    def interval(row: Row) -> str:
        if row["value"] is None:
            return text("repeats.no_cases")
        return f"{words.share(row['lower'])} – {words.share(row['upper'])}"

    def cases(row: Row) -> Any:
        return words.NO_VALUE if row["n"] is None else f"{row['numerator']:.0f} / {row['denominator']:.0f}"

    columns = [
        Column(text("repeats.prior"), lambda row: text(f"prior.{row['group_value']}"), is_text=True),
        Column(text("repeats.cases"), cases),
        bar(text("repeats.again"), "value", "share", 1.0),
        Column(text("repeats.interval"), interval),
        bar(text("repeats.published"), "published", "share", 1.0),
        Column(text("repeats.published_cases"),
               lambda row: f"{row['published_numerator']} / {row['published_denominator']}"),
    ]  # fmt: skip
    floor = context.definition("prior_availability").min_n
    body = table(frame, columns, label=PRIORS.title, faint=lambda row: (row["n"] or 0) < floor)
    return card(context, PRIORS, body, wide=True)


def _course_card(context: Context) -> html.Section:
    frame = COURSE.ask(context)

    def href(row: dict[str, Any]) -> str:
        state: State = context.state.having(since=row["period_start"], until=row["period_end"])
        return drill(state, "all", "all", show="repeats", clock="started")

    def made() -> Any:
        title = context.definition(METRIC).title
        return noted(context, lambda pins: graph(
            COURSE, trend([Line(title, frame)], context.scheme, unit="share", y=text("figure.axis.repeated"), pins=pins,
                          href=href), 280, by=(cross.PERIOD,)))  # fmt: skip

    return card(context, COURSE, shown(frame, made), wide=True)
