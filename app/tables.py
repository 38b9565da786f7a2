"""Tables from frames: a list of columns says how each is written; rows may lead to exams. Nothing is calculated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from dash import dcc, html

from app import changes, words
from app.dom import aria, many
from app.texts import text

Row = Mapping[str, Any]
#: Rows of facilities, devices or senders that stand open, and those that a page has at all: a network has hundreds.
MANY, MOST = 25, 100


@dataclass(frozen=True, slots=True)
class Column:
    """One column: heading, and how a row's cell is written; `is_text` cells stand left, numbers right."""

    label: str
    cell: Callable[[Row], Any]
    is_text: bool = False
    sort: str = ""  # name under which the page sorts by it
    hint: str = ""


def change(label: str, unit: str, prefix: str = "") -> Column:
    """A column of changes since the earlier period."""
    return Column(label, lambda row: changes.shown(row, unit, prefix))


def bar(label: str, name: str, unit: str, full: float, mark: float | None = None) -> Column:
    """A column of values with a bar behind; `full` is the value of the whole width, `mark` a target on it."""

    def cell(row: Row) -> Any:
        value = row[name]
        if value is None:
            return words.NO_VALUE
        width = 0.0 if full <= 0 else min(value / full, 1.0) * 100
        marks = [] if mark is None else [_piece("bar-mark", "left", mark / full * 100)]
        filled = many(html.Span, [_piece("bar-fill", "width", width), *marks], className="bar")
        told = many(html.Span, words.value(value, unit), className="bar-text")
        return many(html.Div, [told, filled], className="bar-cell")

    return Column(label, cell)


def _piece(name: str, way: str, percent: float) -> html.Span:
    """A piece of a bar: how wide it is or where it stands."""
    return many(html.Span, None, className=name, style={way: f"{percent:.1f}%"})


def table(  # noqa: PLR0913 - one table with named parts
    frame: pl.DataFrame,
    columns: Sequence[Column],
    *,
    label: str,
    limit: int = 0,
    fold: int = 0,
    sort_href: Callable[[str], str] | None = None,
    faint: Callable[[Row], bool] | None = None,
) -> html.Div:
    """A table of a frame's rows in their order, the first `limit` where it is given; `label` names it for readers.

    `faint` rows (too few exams for a firm number) are greyed out. Rows beyond `fold` are there at a click.
    """
    shown = frame.head(limit) if limit else frame
    head = html.Thead(html.Tr([_heading(column, sort_href) for column in columns]))
    body = [
        many(
            html.Tr,
            [many(html.Td, column.cell(row), className=None if column.is_text else "num") for column in columns],
            className=_kind(is_faint=faint is not None and faint(row), is_beyond=bool(fold) and place >= fold),
        )
        for place, row in enumerate(shown.iter_rows(named=True))
    ]
    made = html.Table([head, html.Tbody(body)], className="table", **aria(label))
    return folded(made, shown.height, frame.height - shown.height, fold)


def folded(made: html.Table, height: int, left: int, fold: int) -> html.Div:
    """A table of `height` rows in its frame, with how many are `left` out, and the way to those beyond `fold`."""
    more: list[Any] = []
    if fold and height > fold:
        named = text("table.first" if left > 0 else "table.all", n=words.count(height))
        more.append(html.Details(html.Summary(named), className="fold"))
    return html.Div(
        [html.Div(made, className="table-scroll", tabIndex=0), *more, *left_out(left)],
        className="folding" if fold else None,
    )


def left_out(n: int) -> list[html.Div]:
    """That so many rows are in the CSV file alone; nothing where there are none."""
    return [html.Div(text("table.more", n=words.count(n)), className="more")] if n > 0 else []


def places(
    frame: pl.DataFrame,
    columns: Sequence[Column],
    *,
    label: str,
    pressing: Sequence[str | pl.Expr] = (),
    faint: Callable[[Row], bool] | None = None,
) -> html.Div:
    """A table of facilities, devices or senders, of which those beyond MANY are folded; `foremost` says which."""
    return table(foremost(frame, pressing), columns, label=label, limit=MOST, fold=MANY, faint=faint)


def foremost(frame: pl.DataFrame, pressing: Sequence[str | pl.Expr]) -> pl.DataFrame:
    """Rows in their order; where they are more than MANY, the largest values of `pressing` first."""
    if not pressing or frame.height <= MANY:
        return frame
    return frame.sort(pressing, descending=True, nulls_last=True, maintain_order=True)


def _kind(*, is_faint: bool, is_beyond: bool) -> str | None:
    return " ".join(["faint"] * is_faint + ["beyond"] * is_beyond) or None


def _heading(column: Column, sort_href: Callable[[str], str] | None) -> html.Th:
    inner: Any = column.label
    if column.sort and sort_href is not None:
        inner = many(dcc.Link, column.label, href=sort_href(column.sort), title=text("table.sort"))
    kind = None if column.is_text else "num"
    return many(html.Th, inner, className=kind, scope="col", title=column.hint or None)
