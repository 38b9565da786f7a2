"""One exam's timeline: every event, where it came from, which of them count, and the intervals made from them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs
from dash import dcc, html

from app import words
from app.cards import card, empty, headline
from app.context import Context
from app.evidence import foot_line
from app.questions import Question
from app.tables import Row
from app.texts import text
from sql import query
from sql.clock_filters import LENGTHS
from sql.filters import Filters


def _key(context: Context) -> str:
    return context.state.own.get("exam", "")


def _scope(context: Context) -> Filters:
    return Filters().within(context.person.facilities)


def _exam(context: Context) -> pl.DataFrame:
    return query.exam(context.snapshot, _key(context), _scope(context), _day(context.state.own.get("day", "")))


def _day(told: str) -> date | None:
    """The day that a link tells (`app.state.exam_href`); None where it is none."""
    try:
        return date.fromisoformat(told)
    except ValueError:
        return None


def _events(context: Context) -> pl.DataFrame:
    stamps = _exam(context).select(cs.ends_with("_at") & cs.datetime()).unpivot()["value"].drop_nulls()
    first = None if stamps.is_empty() else stamps.min()
    since = first - EARLIER if isinstance(first, datetime) and first > datetime.min + EARLIER else None
    return query.timeline(context.snapshot, _key(context), _scope(context), since)


EVENTS = Question("exam.events", _events)
FACTS = Question("exam.facts", _exam, "", dict.fromkeys((*LENGTHS, "target_min"), "min"))
QUESTIONS = (EVENTS, FACTS)
_UTC = ZoneInfo("UTC")
#: How long before the first of an exam's times an event of it may be, for it to be found soon.
EARLIER = timedelta(days=1)
#: What is said of an exam, in order: column, text.
_TOLD = ("facility", "device", "modality", "procedure_name", "region", "laterality", "contrast", "priority",
         "patient_class", "service_line", "radiologist", "n_images", "n_rejected", "accession")  # fmt: skip


def render(context: Context) -> list[Any]:
    """The page; an exam that is not there and one that may not be seen look the same."""
    exam = FACTS.ask(context)
    back = dcc.Link(text("exam.back"), href=context.state.bare().href("/exams"), className="back")
    if exam.is_empty():
        return [back, html.H1(text("exam.title")), empty(text("exam.unknown"))]
    row = exam.row(0, named=True)
    events = EVENTS.ask(context)
    title = row["procedure_name"] or row["procedure_local"] or text("exam.title")
    return [
        html.Div([back, html.H1(title), html.P(_sentence(context, row), className="sentence")], className="page-head"),
        html.Div([headline(text(f"length.{name}"), words.value(row[name], "min"), is_main=name == "report_final_min",
                           hint=_hint(name, row)) for name in LENGTHS], className="tiles"),
        html.Div(
            [
                card(context, EVENTS, _timeline(context, events, row["facility"]), n=None, wide=True),
                card(context, FACTS, _facts(context, row), wide=True),
            ],
            className="grid",
        ),
        html.P(foot_line(context), className="facts"),
    ]  # fmt: skip


def _sentence(context: Context, row: dict[str, Any]) -> str:
    state = text("exam.counted") if row["is_countable"] else text("exam.excluded", reason=words.told(
        str(row["exclusion_reason"])))  # fmt: skip
    return text("exam.sentence", facility=context.name("facility", row["facility"]), state=state)


def _hint(name: str, row: dict[str, Any]) -> str:
    if name != "report_final_min" or row["target_min"] is None:
        return ""
    return text("exam.target", target=words.minutes(row["target_min"]))


def _timeline(context: Context, events: pl.DataFrame, facility: str) -> Any:
    if events.is_empty():
        return empty(text("exam.no_events"))
    rows, zone = list(events.iter_rows(named=True)), _zone(context, facility)
    items = []
    for row, before in zip(rows, [None, *rows[:-1]], strict=True):
        items.append(
            html.Li(
                [
                    html.Div(
                        [html.Time(_at(row["at"], zone), title=_at(row["at"], _UTC)), html.Small(_after(row, before))],
                        className="event-at",
                    ),
                    html.Div(
                        [
                            html.Strong(text(f"event.{row['code']}")),
                            *([html.Span(text("exam.milestone"), className="badge")] if row["is_milestone"] else []),
                            html.Span(_origin(row), className="event-source"),
                        ],
                        className="event-what",
                    ),
                ],
                className="event milestone" if row["is_milestone"] else "event",
            )
        )
    return html.Ol(items, className="timeline")


def _zone(context: Context, facility: str) -> ZoneInfo:
    """Zone of a facility; UTC where it is not known."""
    found = context.rows("dim_facility", where={"facility": facility})["zone"].to_list()
    return ZoneInfo(found[0]) if found and found[0] else _UTC


def _at(at: datetime | None, zone: ZoneInfo) -> str:
    """A stamp on the wall clock of the facility, with the zone's short name."""
    if at is None:
        return words.NO_VALUE
    local = at.replace(tzinfo=UTC).astimezone(zone)
    return f"{words.day(local)} {local:%H:%M:%S %Z}"


def _after(row: dict[str, Any], before: dict[str, Any] | None) -> str:
    """How long after the event before: the difference of two stamps that stand beside it."""
    if before is None or row["at"] is None or before["at"] is None:
        return ""
    return f"+{words.minutes((row['at'] - before['at']).total_seconds() / 60)}"


def _origin(row: Row) -> str:
    """Where an event comes from and how exact its stamp is; what is not known is left out."""
    parts = [text(f"origin.{row['origin']}"), str(row["standard"]).upper(), row["source"]]
    if row["at_precision"]:
        parts.append(text("exam.precision", precision=words.told(row["at_precision"])))
    if row["at_zone_source"]:
        parts.append(text("exam.zone", zone=words.told(row["at_zone_source"])))
    return " · ".join(part for part in parts if part)


def _facts(context: Context, row: dict[str, Any]) -> Any:
    told = [html.Div([html.Dt(text(f"fact.{name}")), html.Dd(context.name(name, str(row[name])))])
            for name in _TOLD if row[name] is not None]  # fmt: skip
    return html.Dl(told, className="told-facts")
