"""The pack as one workbook: the sheets are the pack's tables, numbers are numbers, dates are dates, text stays text."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from sql.csv_text import FORMULA_SIGNS, SKIPPED, number

#: Columns whose values are in the unit of their row or, where all rows have one unit, of the header.
MEASURED = frozenset({"value", "lower", "upper", "target", "previous", "delta"})
#: Number format of a unit. What is not listed has decimals.
FORMATS = {"share": "0.0%", "exams": "#,##0", "reads": "#,##0", "images": "#,##0", "min": "#,##0.0"}
DECIMALS, WHOLE, DAY = "#,##0.00", "#,##0", "yyyy-mm-dd"
#: Characters that a column is wide at least and at most.
NARROW, WIDE = 8, 46
#: Longest name of a sheet that Excel opens.
NAME_LENGTH = 31
_HEAD = {"bold": True, "font_color": "#ffffff", "bg_color": "#1c6a96", "valign": "vcenter", "text_wrap": False}


def to_xlsx(tables: Mapping[str, pl.DataFrame], *, title: str, created: datetime) -> bytes:
    """A workbook with a sheet a table, in their order; `created` is the only time in the file, so the same tables give
    the same bytes.

    Each sheet has a frozen header with filters. Where all rows of a table have one unit, its header says it.
    """
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        book.set_properties({"title": title, "author": "radops", "created": created})
        formats = _Formats(book)
        for name, frame in tables.items():
            _sheet(book.add_worksheet(name[:NAME_LENGTH]), frame, formats)
    return target.getvalue()


class _Formats:
    """The cell formats of one workbook, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[str, Format] = {}
        self.head = book.add_format(_HEAD)
        self.quoted = book.add_format({"quote_prefix": True})

    def of(self, pattern: str) -> Format:
        """The format of a number pattern."""
        if pattern not in self._made:
            self._made[pattern] = self._book.add_format({"num_format": pattern})
        return self._made[pattern]


def _sheet(sheet: Worksheet, frame: pl.DataFrame, formats: _Formats) -> None:
    units = frame["unit"].to_list() if "unit" in frame.columns else []
    unit = units[0] if len(set(units)) == 1 else ""
    for place, name in enumerate(frame.columns):
        heading = f"{name} [{unit}]" if unit and name in MEASURED else name
        sheet.write_string(0, place, heading, formats.head)
        values = frame[name].to_list()
        write = _writer(sheet, name, frame.schema[name], formats)
        for row, value in enumerate(values):
            if value is not None:
                write(row + 1, place, value, units[row] if units else "")
        longest = max((len(_shown(value)) for value in values), default=0)
        sheet.set_column(place, place, min(max(len(heading) + 3, longest + 1, NARROW), WIDE))
    sheet.set_row(0, 20)
    sheet.freeze_panes(1, 0)
    if frame.columns:
        sheet.autofilter(0, 0, max(frame.height, 1), frame.width - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


Write = Callable[[int, int, Any, str], None]


def _writer(sheet: Worksheet, name: str, kind: pl.DataType, formats: _Formats) -> Write:
    """How a column's cells are written: row, column, value, unit of the row."""

    def in_unit(row: int, place: int, value: Any, unit: str) -> None:
        if math.isfinite(value):
            pattern = FORMATS.get(unit, DECIMALS) if name in MEASURED else WHOLE if value == int(value) else DECIMALS
            sheet.write_number(row, place, float(number(float(value))), formats.of(pattern))

    def counted(row: int, place: int, value: Any, unit: str) -> None:
        sheet.write_number(row, place, value, formats.of(WHOLE))

    def truth(row: int, place: int, value: Any, unit: str) -> None:
        sheet.write_boolean(row, place, value)

    def day(row: int, place: int, value: Any, unit: str) -> None:
        sheet.write_datetime(row, place, value, formats.of(DAY))

    def text(row: int, place: int, value: Any, unit: str) -> None:
        told = str(value)
        is_formula = told.lstrip(SKIPPED)[:1] in FORMULA_SIGNS
        sheet.write_string(row, place, told, formats.quoted if is_formula else None)

    rules: tuple[tuple[bool, Write], ...] = (
        (kind.is_float(), in_unit), (kind.is_integer(), counted), (kind == pl.Boolean, truth), (kind == pl.Date, day),
        (True, text),
    )  # fmt: skip
    return next(write for holds, write in rules if holds)


def _shown(value: Any) -> str:
    """About what a cell shows, for the width of its column."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return value.isoformat() if isinstance(value, date) else str(value)
