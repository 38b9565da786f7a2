"""The parts of the page Live: its tables, and how one open exam is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from dash import dcc, html

from app import words
from app.context import Context
from app.dom import aria, data, drawn, many, silent
from app.state import exam_href
from app.tables import MANY, Column, Row, folded, foremost, left_out, places, table
from app.texts import text
from sql.live import BANDS, FEW

#: Rows of the list on the page; all are in its CSV file.
ROWS = FEW
#: Numbers of a facility, in order.
_COUNTS = ("n_waiting", "n_in_exam", "n_unread", "n_no_read", "n_over", "n_left", "n_soon")
#: What puts a facility in front of others where there are too many.
PRESSING = ("n_over", "n_unread")
#: Headings of the bands of age.
_BANDS = {"n_first_half": "n_first_half", "n_second_half": "n_second_half", "n_over": "n_over_once",
          "n_far_over": "n_far_over"}  # fmt: skip


def marked(key: str, value: object) -> dict[str, Any]:
    """What the browser's script knows an element by, and what must differ for it to be marked as changed."""
    return {**data("mark", key), **data("value", str(value))}


def urgency(name: str, n: int | None) -> str:
    """Class of a number that asks for action where it is not nothing."""
    return {"n_over": "over", "n_soon": "soon"}.get(name, "") if n else ""


def named(context: Context, row: Row) -> str:
    """One open exam in words."""
    facts = {name: words.group(name, row[name] or words.NO_VALUE) for name in ("priority", "patient_class")}
    told = text("live.exam", procedure=procedure(row), facility=context.name("facility", row["facility"]), **facts)
    if row["stage"] == "unread":
        return told
    return text("live.exam.stage", exam=told, stage=text(f"live.stage.{row['stage']}"))


def procedure(row: Row) -> str:
    """Name of an exam's procedure; where it is not mapped its local code, or its modality."""
    return str(row["procedure_name"] or row["procedure_local"] or row["modality"] or words.NO_VALUE)


def next_of(kept: pl.DataFrame) -> Mapping[str, Any] | None:
    """The exam whose target comes next, None without one; `kept` has those that are not left, in their order."""
    ahead = kept.filter(pl.col("left_min") >= 0)
    return None if ahead.is_empty() else ahead.row(0, named=True)


def exams(context: Context, first: pl.DataFrame, n: int, label: str) -> html.Div:
    """The list of the first of `n` open exams, of which the browser's script makes the table (`data-rows`, follow.js):
    as components of Dash, of which each new one wakes all others, hundreds would take many seconds. All words are
    written here."""
    names = ("minutes", "procedure", "facility", "modality", "device", "urgency", "stage", "since", "age_min", "target")
    head = [{"t": _heading(name), "title": text(f"live.{name}.hint") if name in ("minutes", "since") else "",
             "num": name in ("since", "age_min", "target")} for name in names]  # fmt: skip
    rows = [
        {"exam": row["exam_key"], "left": row["is_left"], "value": f"{row['stage']} {row['due']} {row['has_read']}",
         "cells": _cells(context, row)}
        for row in first.iter_rows(named=True)
    ]  # fmt: skip
    listed = html.Div(className="table-scroll", tabIndex=0, **drawn(label=label, head=head, rows=rows))
    return html.Div([listed, *left_out(n - first.height)])


def _heading(name: str) -> str:
    shared = {"procedure": "exams.procedure", "facility": "overview.facility", "modality": "group.modality",
              "device": "group.device"}  # fmt: skip
    return text(shared.get(name, f"live.{name}"))


def _cells(context: Context, row: Row) -> list[Any]:
    """The cells of an exam in the order of the headings: a text, or a text (`t`) with what is to be known of it."""
    stage = "live.stage.read" if row["has_read"] else f"live.stage.{row['stage']}"
    pressing = " · ".join(words.group(name, row[name] or words.NO_VALUE) for name in ("priority", "patient_class"))
    return [
        _left(row),
        {"t": procedure(row), "href": exam_href(row["exam_key"], row["since_local"])},
        {"t": row["facility"], "title": context.name("facility", row["facility"])},
        row["modality"] or words.NO_VALUE,
        {"t": row["device"] or words.NO_VALUE, "title": context.name("device", row["device"] or "")},
        {"t": pressing, "class": "urgency stat" if row["priority"] == "stat" else "urgency"},
        text(stage),
        words.clock(row["since_local"]),
        words.minutes(row["age_min"]),
        words.value(row["target_min"], "min"),
    ]


def _left(row: Row) -> Any:
    """Minutes to the target or past it, and the length of a bar that ends at twice the target, in per cent."""
    if row["left_min"] is None:
        return {"t": text("live.no_target"), "class": "muted"}
    width = min(row["age_min"] / row["target_min"], 2.0) * 50 if row["target_min"] else 100.0
    length = words.short(abs(row["left_min"]))
    said = text("live.over", length=length) if row["left_min"] < 0 else length
    return {"t": said, "bar": round(width, 1), "class": f"due-{row['due']}"}


def _priority(row: Row) -> Any:
    told = words.group("priority", row["priority"] or words.NO_VALUE)
    return html.Strong(told) if row["priority"] == "stat" else told


def facilities(context: Context, frame: pl.DataFrame, label: str) -> html.Div:
    """A row a facility; what it does not tell is a dash with the reason."""

    def site(row: Row) -> dcc.Link:
        name = context.name("facility", row["facility"])
        href = context.state.href("/live", facility=(row["facility"],))
        return many(dcc.Link, row["facility"], href=href, title=name)

    def number(name: str) -> Any:
        def cell(row: Row) -> html.Span:
            if row[name] is None:
                return html.Span(words.NO_VALUE, title=text("live.not_told.hint"))
            kind = urgency(name, row[name]) if row[name] else "nil"
            mark = marked(f"{row['facility']} {name}", row[name])
            return many(html.Span, words.count(row[name]), className=kind, **mark)

        return cell

    columns = [
        Column(text("overview.facility"), site, is_text=True),
        *(Column(text(f"live.{name}"), number(name), hint=text(f"live.{name}.hint")) for name in _COUNTS),
        Column(text("live.next_min"), lambda row: words.value(row["next_min"], "min"), hint=text("live.next_min.hint")),
    ]
    return places(frame, columns, label=label, pressing=PRESSING)


def ages(context: Context, frame: pl.DataFrame, label: str) -> html.Div:
    """Unread exams of each priority as a bar of bands by age against target, with the numbers beside it."""
    most = max(frame["n"].to_list())
    names = [*(name for name, _, _ in BANDS), *(["n_no_target"] if frame["n_no_target"].sum() else [])]

    def heading(name: str) -> str:
        return _BANDS.get(name, name)

    def bands(row: Row) -> html.Div:
        parts = [html.Span(className=f"part {name}", style={"flexGrow": row[name]}) for name in names if row[name]]
        return html.Div(html.Div(parts, className="bands", style={"width": f"{row['n'] / most * 100:.1f}%"}),
                        className="bands-box", **silent())  # fmt: skip

    def number(name: str) -> Any:
        return lambda row: html.Span(
            [html.Span(className=f"dot {name}", **silent()), words.count(row[name])],
            className="" if row[name] else "nil", **marked(f"{row['priority']} {name}", row[name]),
        )  # fmt: skip

    columns = [
        Column(text("live.priority"), _priority, is_text=True),
        Column(text("live.n_unread"), lambda row: words.count(row["n"])),
        Column(text("live.spread"), bands, is_text=True),
        *(Column(text(f"live.{heading(name)}"), number(name), hint=text(f"live.{heading(name)}.hint"))
          for name in names),
        Column(text("live.oldest"), lambda row: words.value(row["oldest_min"], "min")),
    ]  # fmt: skip
    return table(frame, columns, label=label)


def matrix(context: Context, frame: pl.DataFrame, label: str) -> html.Div:
    """Facilities down, modalities across; in each cell who waits, who is in exam, what is unread and past target."""
    cells = {(row["facility"], row["modality"]): row for row in frame.iter_rows(named=True)}
    sites = foremost(frame.group_by("facility", maintain_order=True).agg(pl.col(*PRESSING).sum()), PRESSING)["facility"]
    kinds = sorted({modality for _, modality in cells}, key=lambda one: (one is None, one or ""))
    head = [
        html.Th(text("overview.facility"), scope="col"),
        *(html.Th(kind or words.NO_VALUE, scope="col", className="num") for kind in kinds),
    ]
    body = [
        many(html.Tr, [html.Th(site, scope="row", title=context.name("facility", site)),
                       *(_cell(context, cells.get((site, kind))) for kind in kinds)],
             className="beyond" if place >= MANY else None)
        for place, site in enumerate(sites)
    ]  # fmt: skip
    made = html.Table([html.Thead(html.Tr(head)), html.Tbody(body)], className="table matrix", **aria(label))
    return folded(made, len(body), 0, MANY)


def _cell(context: Context, row: Row | None) -> html.Td:
    if row is None:
        return many(html.Td, many(html.Span, "·", className="nil", **silent()), className="num")
    numbers = {name: row[f"n_{name}"] for name in ("waiting", "in_exam", "unread", "over")}
    counts = {name: words.count(n) for name, n in numbers.items()}
    parts: list[Any] = []
    for name in ("waiting", "in_exam", "unread"):
        parts += [" · "] if parts else []
        parts.append(many(html.Span, counts[name], className="" if numbers[name] else "nil"))
    over = text("live.cell.over", n=counts["over"]) if numbers["over"] else ""
    href = context.state.href("/live", facility=(row["facility"],), modality=(row["modality"] or "(none)",))
    told = [many(html.Span, parts), many(html.Small, over, className="over")]
    return many(
        html.Td, many(dcc.Link, told, href=href, title=text("live.cell", **counts), className="cell"),
        className="num", **marked(f"{row['facility']} {row['modality']}", tuple(numbers.values())),
    )  # fmt: skip
