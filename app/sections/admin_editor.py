"""The element in which `assets/admin.js` makes a table to write in: rows in force, texts, choices."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import available_timezones

from dash import html

from app.context import Context
from app.dom import data
from app.site_edit import known
from app.texts import text, texts
from sql import query
from sql.rows import RowsError
from sql.site_files import PUT_FILES
from sql.site_rows import digest

_SAID = "admin.js."
#: Words that a cell may hold, where they do not depend on the site.
_WORDS = {
    "priority": ("stat", "urgent", "routine"), "patient_class": ("emergency", "inpatient", "outpatient"),
    "unit": ("min", "h", "d"),
}  # fmt: skip


def editor(context: Context, name: str) -> html.Div:
    """A button that opens the table of `name` (facilities, targets, staffing, calendar); or why there is none."""
    file = f"{name}.csv"
    if context.person.facilities is not None:
        return html.Div(text("admin.scoped"), className="note")
    try:
        rows = query.in_force(context.snapshot, file)
    except RowsError:
        return html.Div(text("admin.older"), className="note")
    config = {
        "file": file, "columns": PUT_FILES[file], "rows": rows, "digest": digest(file, rows),
        "titles": {column: text(f"admin.column.{column}") for column in PUT_FILES[file]},
        "choices": {column: _choices(context, file, column) for column in PUT_FILES[file]},
        "canRemove": file != "facilities.csv", "title": text(f"admin.change.{name}"),
        "texts": {key.removeprefix(_SAID): said for key, said in texts().items() if key.startswith(_SAID)},
    }  # fmt: skip
    return html.Div(className="site-app", id={"kind": "site", "file": name}, **data("config", json.dumps(config)))


def _choices(context: Context, file: str, column: str) -> list[str]:
    """What a cell may hold, to be proposed while it is written; empty where anything may stand."""
    if column in _WORDS:
        return list(_WORDS[column])
    found: dict[tuple[str, str], Any] = {
        ("calendar.csv", "kind"): lambda: ["closed", "holiday"],
        ("facilities.csv", "zone"): lambda: sorted(zone for zone in available_timezones() if "/" in zone),
        ("targets.csv", "metric"): lambda: [
            metric.id for metric in context.definitions.values() if metric.unit == "min"
        ],
    }
    if (file, column) in found:
        return list(found[file, column]())
    if file != "facilities.csv" and column in ("facility", "device"):
        return sorted((known(context).devices if column == "device" else known(context).facilities) or ())
    if column == "modality":
        seen = query.rows(context.snapshot, "dim_device", columns=("modality",), limit=100_000)["modality"]
        return sorted(seen.drop_nulls().unique().to_list())
    return []
