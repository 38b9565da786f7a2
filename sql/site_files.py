"""The files of a site folder that are tables: their columns, and the rules that their rows must keep.

One place for the night, for `radops site` and for the page that edits them. Rows are text as written, '' where empty.
A fault names its rule; whoever tells it has the words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Row = Mapping[str, str]
#: CSV files of a site folder and their columns.
CSV_FILES: dict[str, tuple[str, ...]] = {
    "devices.csv": (
        "device", "name", "facility", "modality", "station", "ae_title", "manufacturer", "model", "serial", "room",
    ),
    "staffing.csv": ("device", "weekday", "opens", "closes"),
    "calendar.csv": ("facility", "date", "kind"),
    "shifts.csv": ("shift", "weekday", "starts", "ends", "is_after_hours"),
    "targets.csv": (
        "metric", "facility", "modality", "priority", "patient_class", "target", "unit", "source", "valid_from",
        "valid_to",
    ),
    "procedures.csv": ("facility", "code", "text", "procedure", "decided_by", "valid_from"),
    "loinc.csv": ("loinc", "procedure", "name"),
    "fees.csv": ("charge_code", "wrvu", "valid_from", "source"),
}  # fmt: skip
#: Types of the columns that are not text.
TYPES: dict[str, str] = {
    "date": "DATE", "valid_from": "DATE", "valid_to": "DATE", "target": "DOUBLE", "wrvu": "DOUBLE",
    "is_after_hours": "BOOLEAN",
}  # fmt: skip
#: The facilities of site.toml as a table; `aliases` are parted by `;`.
FACILITIES = ("facility", "name", "zone", "kind", "aliases")
#: What can be put into the folder: name of the file and its columns, by which it is known.
PUT_FILES: dict[str, tuple[str, ...]] = {
    "facilities.csv": FACILITIES,
    **{name: CSV_FILES[name] for name in ("targets.csv", "staffing.csv", "calendar.csv", "shifts.csv")},
}
#: Rules without which a row would be read wrongly or not at all: the night stops for them. The others name something
#: that is not there, or say it twice: such a row has no effect, and only whoever writes it is told.
FATAL = frozenset({"missing", "number", "day", "days", "unit", "time", "times", "weekday", "overlap", "zone", "flag"})
#: Facility of what no facility carries.
UNMAPPED = "unmapped"
_UNITS = frozenset({"", "min", "minute", "minutes", "h", "hour", "hours", "d", "day", "days"})
_PRIORITIES = frozenset({"", "*", "s", "t", "a", "p", "r", "stat", "urgent", "routine"})
_CLASSES = frozenset({"", "*", "e", "i", "o", "emergency", "inpatient", "outpatient"})
_FLAGS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n", "1", "0"})
_CRITICAL = "critical_communication:"
_REQUIRED = {
    "facilities.csv": ("facility", "name", "zone"),
    "targets.csv": ("metric", "target"),
    "staffing.csv": ("device", "weekday", "opens", "closes"),
    "calendar.csv": ("facility", "date", "kind"),
    "shifts.csv": ("shift", "weekday", "starts", "ends", "is_after_hours"),
}


class Fault(NamedTuple):
    """What is wrong with a cell: its row from 0, column, rule, and what stands there."""

    row: int
    column: str
    rule: str
    value: str

    @property
    def is_fatal(self) -> bool:
        """Whether the night stops for it."""
        return self.rule in FATAL


@dataclass(frozen=True, slots=True)
class Known:
    """What rows may name; None where it is not known, and then not judged."""

    facilities: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    metrics: frozenset[str] | None = None


def faults(file: str, rows: Sequence[Row], known: Known | None = None) -> list[Fault]:
    """All faults of a file's rows, in the order of the rows; files without rules have none."""
    judge = _JUDGES.get(file)
    if judge is None:
        return []
    found = [fault for number, row in enumerate(rows) for fault in _of_row(file, judge, number, row, known or Known())]
    found += _TOGETHER[file](rows)
    order = {column: number for number, column in enumerate(PUT_FILES[file])}
    return sorted(dict.fromkeys(found), key=lambda fault: (fault.row, order[fault.column]))


def parts(text: str) -> list[str]:
    """The aliases of a cell."""
    return [part.strip() for part in text.split(";") if part.strip()]


def _of_row(file: str, judge: _Judge, number: int, row: Row, known: Known) -> Iterator[Fault]:
    missing = [column for column in _REQUIRED[file] if not row[column]]
    yield from (Fault(number, column, "missing", "") for column in missing)
    yield from (Fault(number, column, rule, row[column]) for column, rule in judge(row, known) if row[column])


_Judge = Callable[[Row, Known], Iterator[tuple[str, str]]]


def _facility(row: Row, _: Known) -> Iterator[tuple[str, str]]:
    if row["facility"].casefold() == UNMAPPED:
        yield "facility", "reserved"
    try:
        ZoneInfo(row["zone"] or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "zone", "zone"


def _target(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    metric = row["metric"]
    is_critical = metric.startswith(_CRITICAL) and len(metric) > len(_CRITICAL)
    if known.metrics is not None and metric not in known.metrics and not is_critical:
        yield "metric", "metric"
    if row["facility"] != "*" and _is_unknown(row["facility"], known.facilities):
        yield "facility", "facility"
    if not re.fullmatch(r"\*|[A-Z0-9]{2,16}", row["modality"]):
        yield "modality", "modality"
    yield from (
        (column, column)
        for column, words in (("priority", _PRIORITIES), ("patient_class", _CLASSES))
        if row[column].lower() not in words
    )
    if not is_number(row["target"]) or float(row["target"]) <= 0:
        yield "target", "number"
    if row["unit"] not in _UNITS:
        yield "unit", "unit"
    since, until = day_of(row["valid_from"]), day_of(row["valid_to"])
    yield from ((column, "day") for column, day in (("valid_from", since), ("valid_to", until)) if day is None)
    if since is not None and until is not None and until <= since:
        yield "valid_to", "days"


def _block(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    if _is_unknown(row["device"], known.devices):
        yield "device", "device"
    yield from _weekly(row, "opens", "closes")
    opens, closes = minute_of(row["opens"]), minute_of(row["closes"])
    if opens is not None and closes is not None and closes <= opens:
        yield "closes", "times"


def _shift(row: Row, _: Known) -> Iterator[tuple[str, str]]:
    yield from _weekly(row, "starts", "ends")
    if row["is_after_hours"].lower() not in _FLAGS:
        yield "is_after_hours", "flag"


def _weekly(row: Row, *times: str) -> Iterator[tuple[str, str]]:
    if not re.fullmatch("[1-7]+", row["weekday"]):
        yield "weekday", "weekday"
    yield from ((column, "time") for column in times if minute_of(row[column]) is None)


def _special_day(row: Row, known: Known) -> Iterator[tuple[str, str]]:
    if _is_unknown(row["facility"], known.facilities):
        yield "facility", "facility"
    if day_of(row["date"]) is None:
        yield "date", "day"
    if row["kind"] not in ("closed", "holiday"):
        yield "kind", "kind"


def _is_unknown(name: str, known: frozenset[str] | None) -> bool:
    return bool(name) and known is not None and name not in known


def is_number(text: str) -> bool:
    """Whether a text is a finite number as the engine reads it."""
    try:
        return isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def day_of(text: str) -> date | None:
    """A day written as 2026-01-31; None where it is none."""
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def minute_of(text: str) -> int | None:
    """Minute of the day of a time written as 07:30 or 24:00; None where it is none."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", text)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    return hour * 60 + minute if minute < 60 and hour * 60 + minute <= 1440 else None


def _twice(*columns: str) -> Callable[[Sequence[Row]], Iterator[Fault]]:
    """A judge of rows together: no two may have the same cells in these columns."""

    def judge(rows: Sequence[Row]) -> Iterator[Fault]:
        seen: set[tuple[str, ...]] = set()
        for number, row in enumerate(rows):
            key = tuple("" if row[column] == "*" else row[column].casefold() for column in columns)
            if key in seen and any(key):
                yield Fault(number, columns[0], "twice", row[columns[0]])
            seen.add(key)

    return judge


def _overlapping(rows: Sequence[Row]) -> Iterator[Fault]:
    """Blocks of a device that share a minute of a weekday: it would be staffed twice."""
    blocks: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for number, row in enumerate(rows):
        opens, closes = minute_of(row["opens"]), minute_of(row["closes"])
        if opens is None or closes is None:
            continue
        for weekday in dict.fromkeys(row["weekday"]):
            held = blocks[row["device"], weekday]
            if any(opens < end and closes > begin for begin, end, _ in held):
                yield Fault(number, "opens", "overlap", row["opens"])
            held.append((opens, closes, number))


def _aliases(rows: Sequence[Row]) -> Iterator[Fault]:
    """Names that two facilities carry: the first would get all."""
    owner: dict[str, int] = {}
    for number, row in enumerate(rows):
        for column, names in (("facility", [row["facility"]]), ("name", [row["name"]]),
                              ("aliases", parts(row["aliases"]))):  # fmt: skip
            for name in names:
                if name and owner.setdefault(name.casefold(), number) != number:
                    yield Fault(number, column, "alias", name)


_JUDGES: dict[str, _Judge] = {
    "facilities.csv": _facility, "targets.csv": _target, "staffing.csv": _block, "calendar.csv": _special_day,
    "shifts.csv": _shift,
}  # fmt: skip
_TOGETHER: dict[str, Callable[[Sequence[Row]], Iterator[Fault]]] = {
    "facilities.csv": _aliases,
    "targets.csv": _twice("metric", "facility", "modality", "priority", "patient_class", "valid_from"),
    "staffing.csv": _overlapping,
    "calendar.csv": _twice("facility", "date"),
    "shifts.csv": lambda _: iter(()),
}
