"""How a change is shown: its sign, and a colour only where it is more than chance or small change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from app import words
from app.dom import many
from app.texts import text
from sql.written import clear_verdict, is_told


def kind(row: Mapping[str, Any], prefix: str = "") -> str:
    """better, worse or same, from a row of `sql.query.compare` whose columns may have a prefix.

    Where both values have intervals these must not overlap; where none is defined the change must be noteworthy."""
    found = clear_verdict(
        row[f"{prefix}verdict"], is_clear=row[f"{prefix}is_clear"], relative=row.get(f"{prefix}relative")
    )
    return found or "same"


def shown(row: Mapping[str, Any], unit: str, prefix: str = "") -> html.Span:
    """The change in words, coloured; not where it rounds to nothing."""
    delta = row[f"{prefix}delta"]
    colour = kind(row, prefix) if is_told(delta, unit) else "same"
    tips = {True: "table.clear", False: "table.unclear", None: "table.measured"}
    tip = text(tips[row[f"{prefix}is_clear"]]) if delta is not None else None
    return many(html.Span, words.delta(delta, unit), className=f"delta {colour}", title=tip)
