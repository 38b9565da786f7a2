"""One edition of the leadership pack as a readable page: its scorecard by theme, and its files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl
from dash import dcc, html

from app import changes, words
from app.cards import card, empty
from app.context import Context
from app.dom import aria
from app.editions import Damaged, Edition, content, editions, folder_of
from app.everywhere import everywhere
from app.icons import icon
from app.questions import Question
from app.tables import Column, Row, table
from app.texts import text
from sql import query
from sql.csv_text import BOM, neutral
from sql.filters import Filters
from sql.leadership import ALL, MEASURES, SCORECARD, THEMES, Measure
from sql.snapshot import Snapshot, SnapshotError
from sql.words import ENGLISH, speaking

#: File of an edition that holds the scorecard.
FILE, POINTS_FILE = "scorecard.csv", "findings.csv"
POINTS = ("side", "rank", "told", "measure", "facility", "facility_name", "unit", "value", "delta", "n")
SIDES = ("out_of_order", "good")
_NUMBERS = ("value", "target", "previous", "delta", "relative")


def shown(context: Context) -> Edition | None:
    """The edition that the address names, else the latest month that is over; None where there is none."""
    found = editions(folder_of(context.store)) if context.store is not None else []
    wanted = context.state.own.get("edition")
    if wanted is not None:
        return next((edition for edition in found if edition.key == wanted), None)
    usual = [edition for edition in found if not edition.is_masked] or found
    return next((edition for edition in usual if edition.is_complete), usual[0] if usual else None)


def scorecard(context: Context) -> pl.DataFrame:
    """The scorecard of the edition that is shown: columns `SCORECARD`; no rows where it cannot be told.

    Who may see all facilities reads the file, others are answered by the same snapshot, as far as they may see.
    Raises Damaged.
    """
    edition = shown(context)
    if edition is not None and context.person.facilities is None:
        return read(edition, FILE, SCORECARD)
    snapshot = None if edition is None else kept(context, edition)
    if edition is None or snapshot is None:
        return pl.DataFrame(schema=dict.fromkeys(SCORECARD, pl.String))
    asked = Filters(since=edition.since, until=edition.until, compare="previous")
    return query.scorecard(snapshot, asked.within(context.person.facilities))


def findings(context: Context) -> pl.DataFrame:
    """What the edition calls out of order and good: a row a point and place; no rows for who sees a part of it."""
    edition = shown(context)
    if edition is None or context.person.facilities is not None:
        return pl.DataFrame(schema=dict.fromkeys(POINTS, pl.String))
    return read(edition, POINTS_FILE, POINTS)


def read(edition: Edition, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """A table of an edition with its types; no rows, and these columns, in a pack that has none. Raises Damaged."""
    file = edition.file(name)
    if file is None:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    raw = content(edition, file).removeprefix(BOM)
    frame = pl.read_csv(io.BytesIO(raw), infer_schema=False)
    flags = [pl.col(name).replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
             for name in ("is_small", "is_clear") if name in frame.columns]  # fmt: skip
    return frame.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in _NUMBERS if name in frame.columns),
        *(pl.col(name).cast(pl.Int64) for name in ("n", "previous_n", "rank") if name in frame.columns), *flags,
        *(pl.col(name).map_elements(_plain, return_dtype=pl.String) for name in ("facility", "facility_name")),
    )  # fmt: skip


def kept(context: Context, edition: Edition) -> Snapshot | None:
    """The snapshot of an edition, where it is kept."""
    if context.store is None or edition.seq not in context.store.numbers():
        return None
    try:
        snapshot = context.store.at(edition.seq)
    except SnapshotError:  # it goes while we look
        return None
    return snapshot if snapshot.id == edition.snapshot else None


def _plain(told: str) -> str:
    """A text as it was before it was kept from being run as a formula."""
    return told[1:] if told.startswith("'") and neutral(told[1:]) == told else told


CARD = Question("reports.scorecard", scorecard)
FINDINGS = Question("reports.findings", findings)
QUESTIONS = (CARD, FINDINGS)


def section(context: Context, edition: Edition) -> list[Any]:
    """The edition: what it is, its scorecard, a table a theme."""
    try:
        frame, points = CARD.ask(context), FINDINGS.ask(context)
    except Damaged:
        return [_head(context, edition), html.P(text("reports.damaged"), className="note unsound")]
    if frame.is_empty():
        why = "reports.old" if context.person.facilities is None else "reports.gone"
        return [_head(context, edition), empty(text(why))]
    headline = [measure for measure in MEASURES if measure.is_headline]
    whole = everywhere(context.snapshot, "reports.all")
    themes = [
        html.Section([html.H2(text(f"reports.theme.{theme}")),
                      _table(frame, whole, [measure for measure in MEASURES if measure.theme == theme],
                             text(f"reports.theme.{theme}"))],
                     className="card theme", **aria(text(f"reports.theme.{theme}")))
        for theme in THEMES
    ]  # fmt: skip
    return [
        _head(context, edition),
        *([] if points.is_empty() else [_points(points, whole)]),
        card(context, CARD, _table(frame, whole, headline, CARD.title), wide=True),
        html.Div(themes, className="themes"),
    ]


def _head(context: Context, edition: Edition) -> html.Div:
    facts = text("reports.facts", filters=_filters(edition), through=words.instant(edition.data_through),
                 snapshot=edition.snapshot, exported=words.instant(edition.exported_at))  # fmt: skip
    notes = [
        (not edition.is_complete, "reports.partial"), (edition.is_masked, "reports.masked"),
        (context.person.facilities is not None, "reports.scoped"),
    ]  # fmt: skip
    return html.Div(
        [
            html.Div([html.H2(month(edition), className="edition-month"), *_take(context, edition)],
                     className="edition-title"),
            html.P(facts, className="sentence"),
            *(html.P(text(key), className="uncovered") for holds, key in notes if holds),
        ],
        className="edition-head",
    )  # fmt: skip


def _filters(edition: Edition) -> str:
    """The filters of an edition in words: in the language of the request where they are those of every pack."""
    usual = Filters(since=edition.since, until=edition.until, compare="previous")
    with speaking(ENGLISH):
        is_usual = usual.sentence() == edition.filters
    return usual.sentence() if is_usual else edition.filters


def month(edition: Edition) -> str:
    """The month of an edition in words, and whether it is masked."""
    told = words.month(edition.since)
    return f"{told}, {text('reports.is_masked')}" if edition.is_masked else told


def address(edition: Edition, name: str) -> str:
    """Where a file of an edition is downloaded."""
    return f"/pack/{edition.key}/{name}"


def take(edition: Edition, ending: str, label: str) -> Any:
    """A link that downloads the file of that kind; nothing where the edition has none."""
    file = edition.kind(ending)
    if file is None:
        return None
    return html.A([icon("download", 14), label], href=address(edition, file.name), className="take", download=file.name)


def _take(context: Context, edition: Edition) -> list[Any]:
    if context.person.facilities is not None:
        return []
    kinds = ((".pdf", "reports.pdf"), (".xlsx", "reports.xlsx"))
    return [link for ending, key in kinds if (link := take(edition, ending, text(key))) is not None]


def _table(frame: pl.DataFrame, whole: str, measures: list[Measure], label: str) -> html.Div:
    """Facilities down, `whole` for all of them, measures across; a measure that no facility has is left out."""
    cells = {(row["facility"], row["measure"]): row for row in frame.iter_rows(named=True)}
    known = {measure for (_, measure), row in cells.items() if row["value"] is not None or row["n"] is None}
    places = frame.select("facility", "facility_name").unique(maintain_order=True)

    def place(row: Row) -> Any:
        return html.Strong(whole) if row["facility"] == ALL else row["facility_name"]

    def number(measure: Measure, row: Row) -> Any:
        return _cell(cells.get((row["facility"], measure.name)))

    columns = [
        Column(text("reports.facility"), place, is_text=True),
        *(
            Column(words.said(m.label), partial(number, m), hint=_hint(cells.get((ALL, m.name))))
            for m in measures
            if m.name in known
        ),
    ]
    return table(places, columns, label=label)


def _points(frame: pl.DataFrame, whole: str) -> html.Section:
    """What is out of order and what is good, each with the places it holds for."""
    sides = [
        html.Div(
            [
                html.H2(text(f"reports.{side}")),
                html.Ul(_side(frame.filter(pl.col("side") == side), side, whole), className="points"),
            ]
        )
        for side in SIDES
    ]
    return html.Section(sides, className="brief")


def _side(frame: pl.DataFrame, side: str, whole: str) -> list[html.Li]:
    if frame.is_empty():
        return [html.Li(text(f"reports.{side}.none"), className="muted")]
    return [
        html.Li([html.Strong(_point(rows["told"][0])), _places(rows, whole)], className=f"point {side}")
        for _, rows in frame.group_by("rank", maintain_order=True)
    ]


def _point(told: str) -> str:
    """A point of the pack in the language of the request; one about a target names its measure behind a colon."""
    judged, colon, label = told.partition(": ")
    return f"{words.said(judged + ':')} {words.said(label)}" if colon else words.said(told)


def _places(rows: pl.DataFrame, whole: str) -> html.Div:
    """Name, value and change of each place of a point."""
    cells = [
        cell
        for row in rows.iter_rows(named=True)
        for cell in (
            html.Span(row["facility_name"] or whole),
            html.B(words.value(row["value"], row["unit"])),
            html.Span("" if row["delta"] is None else words.delta(row["delta"], row["unit"])),
        )
    ]
    return html.Div(cells, className="places")


def _hint(row: Row | None) -> str:
    if row is None:
        return ""
    target = "" if row["target"] is None else text("reports.target", target=words.value(row["target"], row["unit"]))
    return ". ".join(part for part in (words.said(row["title"]), target) if part)


def _cell(row: Row | None) -> Any:
    if row is None:
        return words.NO_VALUE
    if row["n"] is None:
        return html.Small(text("reports.is_masked"), className="muted")
    if row["value"] is None:
        return words.NO_VALUE
    is_few = bool(row["is_small"]) and row["n"] > 0
    change = "" if row["delta"] is None or is_few else changes.shown(row, row["unit"])
    return html.Div(
        [html.Span(words.value(row["value"], row["unit"])), html.Small(change),
         html.Small(text("reports.n", n=words.count(row["n"])), className="muted")],
        className="pair few" if is_few else "pair", title=text("reports.few") if is_few else None,
    )  # fmt: skip


def files(edition: Edition) -> html.Details:
    """Every file of an edition with its size and hash."""
    frame = pl.DataFrame([file._asdict() for file in edition.files])
    columns = [
        Column(text("reports.name"), lambda row: html.A(html.Code(row["name"]), href=address(edition, row["name"]),
                                                        download=row["name"]), is_text=True),
        Column(text("reports.size"), lambda row: text("reports.kb", n=words.count(max(row["size"] / 1000, 1)))),
        Column(text("reports.sha"), lambda row: html.Code(row["sha256"]), is_text=True),
    ]  # fmt: skip
    return html.Details(
        [html.Summary(text("reports.every")), table(frame, columns, label=text("reports.every"))], className="files"
    )


def link(context: Context, edition: Edition, label: str) -> dcc.Link:
    """A link that shows an edition here."""
    return dcc.Link(label, href=context.state.href("/reports", edition=edition.key))
