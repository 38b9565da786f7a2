"""Frames as CSV: the leadership pack and every download of the app are written here, so that they agree to the byte.

RFC 4180 (CRLF, quotes where needed), UTF-8, ISO 8601 dates. Text that a spreadsheet would run as a formula gets an
apostrophe before it; numbers stay numbers, a missing value is an empty cell.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

BOM = b"\xef\xbb\xbf"
#: First signs that start a formula in Excel, LibreOffice or Google Sheets, with their full-width forms.
FORMULA_SIGNS = frozenset("=+-@＝＋－＠")
#: Signs that a spreadsheet drops before it looks for a formula, or that move what follows into another cell.
SKIPPED = "".join(map(chr, range(33))) + "\x7f\x85\xa0\u2007\u202f\u200b\u2060\ufeff"
#: Digits of a float: one less than a sum taken in another order may change.
DIGITS = 12


def to_csv(frame: pl.DataFrame, *, units: Mapping[str, str] | None = None, with_bom: bool = False) -> bytes:
    """The frame as a CSV file with a header line. `units` (column -> unit, `-` for none) go into the header:
    `value [min]`. Columns that end in `_at` are UTC and say so with a `Z`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([neutral(_header(name, (units or {}).get(name, "-"))) for name in frame.columns])
    cells = [list(map(_writer(name, kind), frame[name].to_list())) for name, kind in frame.schema.items()]
    writer.writerows(zip(*cells, strict=True))
    return (BOM if with_bom else b"") + text.getvalue().encode("utf-8")


def neutral(text: str) -> str:
    """`text` as a cell that no spreadsheet runs: an apostrophe before what would start a formula."""
    first = text.lstrip(SKIPPED)[:1]
    return f"'{text}" if first in FORMULA_SIGNS or text[:1] in tuple("\t\r\n") else text


def plain(text: str) -> str:
    """A cell as it was before `neutral` guarded it, without outer blanks."""
    cell = text.strip()
    return cell[1:] if cell.startswith("'") and neutral(cell[1:]) == cell else cell


def number(value: float) -> str:
    """A float in at most `DIGITS` significant digits, whole numbers without a point; what is no number is empty."""
    if not math.isfinite(value):
        return ""
    text = format(value, f".{DIGITS}g")
    return "0" if text == "-0" else text


def _header(name: str, unit: str) -> str:
    return name if unit == "-" else f"{name} [{unit}]"


def _writer(name: str, kind: pl.DataType) -> Callable[[Any], str]:
    """How a column's values are written; the first rule that holds is taken."""
    rules: tuple[tuple[bool, Callable[[Any], str]], ...] = (
        (kind.is_float(), number),
        (kind.is_integer() or kind.is_decimal(), str),
        (kind == pl.Boolean, lambda value: "true" if value else "false"),
        (kind == pl.Datetime and name.endswith("_at"), _utc),
        (kind == pl.Datetime, datetime.isoformat),
        (kind.is_temporal(), str),
        (kind.is_nested(), lambda value: neutral(json.dumps(value, ensure_ascii=False, default=str))),
        (True, lambda value: neutral(str(value))),
    )
    chosen = next(write for holds, write in rules if holds)
    return lambda value: "" if value is None else chosen(value)


def _utc(value: datetime) -> str:
    """An instant as ISO 8601 with `Z`; without a zone it is UTC already."""
    moment = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z"
