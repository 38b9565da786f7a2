"""Texts of ways that all pages share: what a click on a mark does, tables behind charts, the sheet of keys."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "cross.period": "Click or drag: period · Escape: all · Shift-click: exams",
    "cross.group": "Click: only this, again: all · Shift-click: exams",
    "cross.exams": "Click: its exams",
    "cross.cell": "Keep the page to this, again for all; with Shift: its exams",
    "cross.only": "Only {name}",
    "cross.all": "show all",
    "cross.exams.now": "exams",
    "cross.table": "As a table",
    "cross.mark": "Mark",
    "cross.told": "What it says",
    "cross.ways": "Ways",
    "cross.way.only": "only this",
    "cross.way.exams": "exams",
}
