"""What one change would do: the change is in the address, its answer is made when it is asked for and then kept."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, shown
from app.context import Context
from app.dom import many
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql.filters import FilterError
from sql.planning.answer import RUNS, SCHEMA
from sql.planning.change import Change
from sql.query import what_if

#: Changes of readers that are offered everywhere; those of devices follow the devices of the site.
READERS = ("add_reader:hours=7-12", "add_reader:hours=17-22", "add_reader:hours=22-6")
DEVICE = "add_device:modality={modality},facility={facility},hours=8-16,weekdays=6"
MODALITIES = ("CT", "MR")
#: Most places of a device that are offered; of a large network those that the filters name.
MOST_PLACES = 24
PATH, PLACE = "/workload", "what-if"


def offered(context: Context) -> tuple[list[Change], bool]:
    """The changes that the page offers, an address may name any other; and whether places of devices are too many."""
    devices = context.rows("dim_device", columns=("facility", "modality"), where={"is_listed": True})
    pairs = sorted(
        {pair for pair in devices.rows() if pair[1] in MODALITIES}, key=lambda pair: (pair[1], pair[0] or "")
    )
    are_many = len(pairs) > MOST_PLACES
    more = [] if are_many else [DEVICE.format(modality=modality, facility=place) for place, modality in pairs]
    return [Change.parse(change) for change in (*READERS, *more)], are_many


def _answer(context: Context) -> pl.DataFrame:
    wanted = context.state.own.get("change", "")
    if not wanted:
        return pl.DataFrame(schema=SCHEMA)
    return what_if(context.snapshot, Change.parse(wanted), context.filters)


ANSWER = Question("workload.whatif", _answer, "", {
    "observed": "", "baseline": "", "changed": "", "delta": "", "lower": "", "upper": "", "error": "", "tolerance": "",
})  # fmt: skip
QUESTIONS = (ANSWER,)


def section(context: Context) -> html.Section:
    """The changes to choose from, and what the chosen one would do."""
    chosen = context.state.own.get("change", "")
    changes, are_many = offered(context)
    names = {c.facility: context.name("facility", c.facility) for c in changes if c.facility}
    links = []
    for change in changes:
        is_chosen = str(change) == chosen
        href = context.state.href(PATH, change=None if is_chosen else change)
        style = {"whiteSpace": "normal"}  # longer than a phone is wide
        name = "choice on" if is_chosen else "choice"
        links.append(many(dcc.Link, change.sentence(names), href=href, className=name, style=style))
    narrow = [html.P(text("whatif.narrow"), className="note")] if are_many else []
    body = [html.Div(links, className="choices buttons", role="group"), *narrow, *_told(context, names)]
    return card(context, ANSWER, body, wide=True, place=PLACE)


def _told(context: Context, names: dict[str, str]) -> list[Any]:
    wanted = context.state.own.get("change", "")
    if not wanted:
        return [html.P(text("whatif.choose"), className="note")]
    try:
        frame, change = ANSWER.ask(context), Change.parse(wanted)
    except FilterError as error:
        return [html.P(str(error), className="uncovered")]
    if frame.is_empty():
        return [shown(frame, lambda: None)]
    wrong = [text(f"whatif.{row['measure']}") for row in frame.iter_rows(named=True) if not row["is_valid"]]
    trust = html.P(text("whatif.wrong", names=", ".join(wrong)), className="uncovered") if wrong else html.P(
        text("whatif.right"), className="note")  # fmt: skip
    note = text("whatif.made", runs=RUNS, n=words.count(frame["n"][0]), left=words.count(frame["n_left_out"][0]))
    return [html.P(html.Strong(f"{change.sentence(names)}.")), trust,
            table(frame, _columns(), label=ANSWER.title, faint=lambda row: not row["is_valid"]),
            html.P(note, className="note")]  # fmt: skip


def _columns() -> list[Column]:
    def told(name: str) -> Any:
        return lambda row: words.value(row[name], row["unit"])

    return [
        Column(text("whatif.measure"), lambda row: text(f"whatif.{row['measure']}"), is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        Column(text("whatif.observed"), told("observed")),
        Column(text("whatif.baseline"), told("baseline"), hint=text("whatif.baseline.hint")),
        Column(text("whatif.changed"), told("changed")),
        Column(text("whatif.delta"), lambda row: words.delta(row["delta"], row["unit"])),
        Column(text("metric.interval"), _interval),
        Column(text("whatif.valid"), lambda row: text("whatif.yes" if row["is_valid"] else "whatif.no"),
               hint=text("whatif.valid.hint")),
    ]  # fmt: skip


def _interval(row: Row) -> str:
    return text("metric.to", lower=words.delta(row["lower"], row["unit"]), upper=words.delta(row["upper"], row["unit"]))
