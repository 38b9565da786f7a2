"""Interoperability: which systems send what, which links are missing, and how far the other pages can be trusted."""

from __future__ import annotations

from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.cards import card, graph, page_head, shown
from app.context import Context
from app.evidence import foot_line
from app.figures.systems import MOST, systems
from app.questions import Question, of_compare, of_metric
from app.tables import Column, Row, bar, change, places, table
from app.texts import text

#: Links of an exam in the order of its life.
LINKS = ("order", "booking", "visit", "status", "step", "images", "report", "charge", "reject_note")
#: Exams of a facility from which none with a link means that it is missing.
FLOOR = 20
MILESTONES = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_prelim", "first_final")


def _systems(context: Context) -> pl.DataFrame:
    frame = context.counts("dq_system_flow", ("sender", "receiver", "standard"), sums=("n_messages", "n_defective"))
    return frame.drop("n", "share").sort("n_messages", "sender", descending=[True, False])


def _kinds(context: Context) -> pl.DataFrame:
    frame = context.counts("dq_system_flow", ("facility", "sender", "standard", "kind"),
                           sums=("n_messages", "n_defective"))  # fmt: skip
    return frame.drop("n", "share").sort("n_messages", "sender", "kind", descending=[True, False, False])


def _links(context: Context) -> pl.DataFrame:
    sums = ("n_exams", "n_linked", "n_exams_7d", "n_linked_7d")
    frame = context.counts("dq_system_link", ("facility", "link"), sums=sums)
    share = (pl.col("n_linked") / pl.col("n_exams")).alias("share")
    return frame.select("facility", "link", *sums, share).sort("facility", pl.col("link").replace_strict(
        {link: number for number, link in enumerate(LINKS)}))  # fmt: skip


def _clocks(context: Context) -> pl.DataFrame:
    """How far each device's clock is off, what it gains a day, and when it was last set."""
    told = context.rows("dq_clock_offset", columns=("device", "drift_s_day", "last_step"), limit=10_000)
    offset = context.metric("clock_offset", ("device",))
    return offset.join(told, left_on="group_value", right_on="device", how="left", maintain_order="left")


SYSTEMS = Question("interoperability.systems", _systems, "", {"n_messages": "messages", "n_defective": "messages"})
KINDS = Question("interoperability.kinds", _kinds, "", {"n_messages": "messages", "n_defective": "messages"})
LINK = Question("interoperability.links", _links, "", {"n_exams": "exams", "n_linked": "exams", "share": "share"})
LINKED = Question("interoperability.linked", of_compare("link_rate", "facility"), "link_rate")
KNOWN = Question("interoperability.known", of_metric("timestamp_completeness", "facility", "milestone"),
                 "timestamp_completeness")  # fmt: skip
FRESHNESS = Question("interoperability.freshness", lambda context: context.rows(
    "dq_freshness", order_by=("facility", "source")), "freshness")  # fmt: skip
CLOCKS = Question("interoperability.clocks", _clocks, "clock_offset", {"drift_s_day": "s/d"})
READY = Question("interoperability.ready", of_compare("ai_readiness", "device"), "ai_readiness")
NAMES = Question("interoperability.names", lambda context: context.rows(
    "dq_unmapped", order_by=("-n_exams", "kind", "name"), limit=1000))  # fmt: skip
QUESTIONS = (SYSTEMS, KINDS, LINK, LINKED, KNOWN, FRESHNESS, CLOCKS, READY, NAMES)


def render(context: Context) -> list[Any]:
    """The page."""
    sent = SYSTEMS.ask(context)
    n, height = int(sent["n_messages"].sum()), 80 + 24 * min(sent.height, MOST)
    return [
        page_head(context, text("interoperability.title"), text("interoperability.lead")),
        html.Div(
            [
                card(context, LINK, _links_table(context), wide=True),
                card(context, SYSTEMS, shown(sent, lambda: graph(SYSTEMS, systems(
                    sent, context.scheme, unsaid=text("interoperability.unsaid")), height)), n=n, wide=True),
                html.Div(card(context, FRESHNESS, _freshness_table(context), wide=True), id="freshness-now",
                         className="wide"),
                card(context, KNOWN, _known_table(context), wide=True),
                card(context, LINKED, _rates(context, LINKED, "facility")),
                card(context, CLOCKS, _clocks_table(context)),
                card(context, READY, _rates(context, READY, "device", text("interoperability.no_images"))),
                card(context, NAMES, _names_table(context)),
                card(context, KINDS, _kinds_table(context), n=n, wide=True),
            ],
            className="grid",
        ),
        html.P(foot_line(context), className="facts"),
    ]  # fmt: skip


def _facility(context: Context) -> Column:
    return Column(text("overview.facility"), lambda row: context.name("facility", row["facility"]), is_text=True)


def _links_table(context: Context) -> Any:
    """A row a facility, a column a link: the share of its exams that have it, or that it is missing or has stopped."""
    cells = {(row["facility"], row["link"]): row for row in LINK.ask(context).iter_rows(named=True)}
    sites = pl.DataFrame({"facility": sorted({facility for facility, _ in cells})}, schema={"facility": pl.String})

    def column(link: str) -> Column:
        return Column(text(f"link.{link}"), lambda row: _link(cells.get((row["facility"], link)), link),
                      hint=text(f"link.{link}.hint"))  # fmt: skip

    faults = [sum(bool(_fault(cells.get((site, link)), link)) for link in LINKS) for site in sites["facility"]]
    ranked = sites.with_columns(n_faults=pl.Series(faults, dtype=pl.Int64))
    columns = [_facility(context), *map(column, LINKS)]
    return shown(sites, lambda: places(ranked, columns, label=LINK.title, pressing=("n_faults",)))


def _fault(cell: Row | None, link: str) -> str:
    """`missing` where none of enough exams has the link, `stopped` where none of the last week has, else empty."""
    if cell is None:
        return ""
    if not cell["n_linked"] and cell["n_exams"] >= FLOOR:
        return "missing"
    return "stopped" if link != "reject_note" and cell["n_exams_7d"] >= FLOOR and not cell["n_linked_7d"] else ""


def _link(cell: Row | None, link: str) -> Any:
    if cell is None:
        return words.NO_VALUE
    tip = text("interoperability.of", n=words.count(cell["n_linked"]), all=words.count(cell["n_exams"]))
    if fault := _fault(cell, link):
        return html.Span(text(f"interoperability.{fault}"), className="worse", title=tip)
    if link == "reject_note":
        return html.Span(text("interoperability.sent") if cell["n_linked"] else words.NO_VALUE, title=tip)
    return html.Span(words.share(cell["share"]), title=tip)


def _freshness_table(context: Context) -> Any:
    columns = [
        _facility(context),
        Column(text("interoperability.source"), lambda row: row["source"], is_text=True),
        Column(text("interoperability.silent"), lambda row: html.Span(
            words.hours(row["silent_hours"]), className="worse" if row["is_silent"] else None)),
        Column(text("interoperability.pause"), lambda row: words.days(row["longest_pause_days"])),
        Column(text("interoperability.week"), lambda row: words.count(row["n_events_7d"])),
    ]  # fmt: skip
    frame = FRESHNESS.ask(context)
    return shown(frame, lambda: places(frame, columns, label=FRESHNESS.title, pressing=("is_silent", "silent_hours")))


def _known_table(context: Context) -> Any:
    """A row a facility, a column a milestone."""
    frame = KNOWN.ask(context)
    cells = {row["group_value"]: row for row in frame.iter_rows(named=True)}
    sites = pl.DataFrame({"facility": sorted({value.split(" | ")[0] for value in cells})})

    def column(milestone: str) -> Column:
        def cell(row: Row) -> Any:
            found = cells.get(f"{row['facility']} | {milestone}")
            if found is None:
                return words.NO_VALUE
            return html.Span(words.share(found["value"]), title=text("card.n", n=words.count(found["n"])))

        return Column(text(f"milestone.{milestone}"), cell)

    return shown(frame, lambda: places(sites, [_facility(context), *map(column, MILESTONES)], label=KNOWN.title))


def _rates(context: Context, question: Question, group: str, none: str = "") -> Any:
    """A metric's share by group beside its change."""
    frame = question.ask(context)
    columns = [
        Column(text(f"group.{group}"), lambda row: dcc.Link(context.name(group, row["group_value"]), href=context.state.
               bare().href("/metric", metric=question.metric, **{group: (row["group_value"],)})), is_text=True),
        Column(text("table.n"), lambda row: words.count(row["n"])),
        bar(text("metric.value"), "value", "share", 1.0),
        change(text("table.change"), "share"),
    ]  # fmt: skip
    return shown(frame, lambda: table(frame.sort("value"), columns, label=question.title, limit=12), none)


def _clocks_table(context: Context) -> Any:
    frame = CLOCKS.ask(context)
    columns = [
        Column(text("group.device"), lambda row: context.name("device", row["group_value"]), is_text=True),
        Column(text("interoperability.off"), lambda row: words.minutes(row["value"] / 60)),
        Column(text("interoperability.drift"), lambda row: words.delta(row["drift_s_day"], "s/d")),
        Column(text("interoperability.set"), lambda row: words.day(row["last_step"]) if row["last_step"] else ""),
    ]
    ordered = frame.sort("value", descending=True)
    return shown(frame, lambda: table(ordered, columns, label=CLOCKS.title, limit=12),
                 text("interoperability.no_images"))  # fmt: skip


def _names_table(context: Context) -> Any:
    frame = NAMES.ask(context)
    columns = [
        Column(text("interoperability.what"), lambda row: row["name"], is_text=True),
        Column(text("interoperability.kind"), lambda row: text(f"unmapped.{row['kind']}"), is_text=True),
        _facility(context),
        Column(text("interoperability.exams"), lambda row: words.count(row["n_exams"])),
    ]
    return shown(frame, lambda: table(frame, columns, label=NAMES.title, limit=12))


def _kinds_table(context: Context) -> Any:
    frame = KINDS.ask(context)
    columns = [
        _facility(context),
        Column(text("interoperability.source"), lambda row: row["sender"], is_text=True),
        Column(text("interoperability.standard"), lambda row: row["standard"].upper(), is_text=True),
        Column(text("interoperability.message"), lambda row: row["kind"], is_text=True),
        Column(text("interoperability.messages"), lambda row: words.count(row["n_messages"])),
        Column(text("interoperability.defective"), lambda row: words.count(row["n_defective"])),
    ]
    return shown(frame, lambda: table(frame, columns, label=KINDS.title, limit=15))
