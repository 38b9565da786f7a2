"""A person's changes of the site's rows: checked by the rules of the night, foretold, and made into the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from app import words
from app.context import Context
from app.texts import text
from sql import query
from sql.csv_text import to_csv
from sql.site_files import PUT_FILES, Known, Row, faults

#: Rows of a file at most.
MAX_ROWS = 5_000
FILES = tuple(name for name in PUT_FILES if name != "shifts.csv")


class Told(NamedTuple):
    """What the page says of changed rows: marked cells, sentences, and a table of numbers in force and with them."""

    faults: list[dict[str, Any]]
    is_changed: bool
    said: list[str]
    columns: list[str]
    rows: list[list[str]]


def read(file: str, sent: Any) -> list[dict[str, str]]:
    """Rows as a browser sent them, each cell as text without outer blanks. Raises ValueError."""
    if file not in FILES or not isinstance(sent, list) or len(sent) > MAX_ROWS:
        raise ValueError("no rows of a site file")
    if not all(isinstance(row, dict) for row in sent):
        raise ValueError("a row is an object")
    return [{column: str(row.get(column) or "").strip()[:1000] for column in PUT_FILES[file]} for row in sent]


def known(context: Context) -> Known:
    """What rows may name, as the snapshot has it, whatever is filtered."""
    facilities = query.rows(context.snapshot, "dim_facility", columns=("facility",), limit=100_000)["facility"]
    devices = query.rows(context.snapshot, "dim_device", columns=("device",), where={"is_listed": True},
                         limit=100_000)["device"]  # fmt: skip
    return Known(
        frozenset(facilities) - {"unmapped"}, frozenset(devices), frozenset(context.definitions),
    )  # fmt: skip


def checked(context: Context, file: str, rows: Sequence[Row]) -> Told:
    """The faults of rows, else what they change; empty rows are none."""
    kept = [(number, row) for number, row in enumerate(rows) if any(row.values())]
    of = known(context)
    found = faults(file, [row for _, row in kept], Known(None, of.devices, of.metrics) if _is_of_places(file) else of)
    if found:
        told = [{"row": kept[fault.row][0], "column": fault.column,
                 "told": text(f"admin.fault.{fault.rule}", value=fault.value)} for fault in found]  # fmt: skip
        return Told(told, is_changed=True, said=[], columns=[], rows=[])
    proposed = [row for _, row in kept]
    change = query.site_difference(file, query.in_force(context.snapshot, file), proposed)
    if change.is_empty():
        return Told([], is_changed=False, said=[text("admin.same")], columns=[], rows=[])
    counts = {kind: change.filter(pl.col("what") == kind).height for kind in ("new", "changed", "gone")}
    said, columns, table = _FORETOLD[file](context, proposed, change)
    return Told([], True, [text("admin.changes", **counts), *said], columns, table)


def file_of(context: Context, file: str, rows: Sequence[Row]) -> bytes | None:
    """The changed file as `radops site put` takes it; None while a cell is wrong."""
    if checked(context, file, rows).faults:
        return None
    columns = PUT_FILES[file]
    made = [[row[column] for column in columns] for row in rows if any(row.values())]
    return to_csv(pl.DataFrame(made, schema=dict.fromkeys(columns, pl.String), orient="row"))


def _is_of_places(file: str) -> bool:
    """The facilities themselves: a new one is not known yet."""
    return file == "facilities.csv"


Foretold = tuple[list[str], list[str], list[list[str]]]


_COUNTED = ("n_before", "n_after", "missed_before", "missed_after")


def _targets(context: Context, proposed: Sequence[Row], _: pl.DataFrame) -> Foretold:
    reports = query.target_preview(context.snapshot, proposed, context.filters)
    critical = query.critical_preview(context.snapshot, proposed, context.filters)
    sentence, said, table = _sentence(context), list[str](), list[list[str]]()
    for made, key, label in ((reports, "moved", ""), (critical, "critical", "admin.targets.critical.of")):
        rows = {row["group_value"]: _filled(row) for row in made.iter_rows(named=True)}
        if all(row["n_before"] == row["n_after"] and row["missed_before"] == row["missed_after"]
               for row in rows.values()):  # fmt: skip
            continue
        n_before, n_after, before, after = (words.count(int(rows["all"][name] or 0)) for name in _COUNTED)
        said.append(text(f"admin.targets.{key}", n=n_after, sentence=sentence, after=after, before=before))
        if n_before != n_after and not label:
            said.append(text("admin.targets.n", n=n_after, before=n_before))
        table += [_judged(context, group, row, label) for group, row in rows.items()]
    if not said:
        return [text("admin.targets.same", sentence=sentence)], [], []
    columns = [text("admin.name"), text("admin.past"), text("admin.past"), text("admin.within"), text("admin.within")]
    return said, columns, table


def _judged(context: Context, group: str, row: Mapping[str, Any], label: str) -> list[str]:
    """How many are past their target in a place, and the share that is not: in force and with the rows proposed."""
    place = _place(context, "facility", group)
    return [text(label, place=place) if label else place, *(words.count(int(row[name] or 0)) for name in _COUNTED[2:]),
            *(words.value(row[name], "share") for name in ("share_before", "share_after"))]  # fmt: skip


def _hours(context: Context, staffing: Sequence[Row] | None, days: Sequence[Row] | None) -> Foretold:
    made = query.staffing_preview(context.snapshot, staffing, days, context.filters)
    moved = made.filter((pl.col("staffed_before").fill_null(0) - pl.col("staffed_after").fill_null(0)).abs() > 1e-6)
    sentence = _sentence(context)
    if moved.is_empty():
        return [text("admin.hours.same", sentence=sentence)], [], []
    names = ("staffed_before", "staffed_after", "share_before", "share_after")

    def cells(row: dict[str, Any]) -> list[str]:
        return [
            *(text("admin.h", n=words.decimal(row[name] or 0.0)) for name in names[:2]),
            *(words.value(row[n], "share") for n in names[2:]),
        ]

    whole = cells(made.filter(pl.col("group_value") == "all").row(0, named=True))
    said = text("admin.hours.moved", sentence=sentence, before=whole[0], after=whole[1], share_before=whole[2],
                share_after=whole[3])  # fmt: skip
    columns = [
        text("admin.device"),
        text("admin.staffed"),
        text("admin.staffed"),
        text("admin.busy"),
        text("admin.busy"),
    ]
    table = [[_place(context, "device", row["group_value"]), *cells(row)] for row in moved.iter_rows(named=True)]
    return [said], columns, table


def _facilities(context: Context, proposed: Sequence[Row], _: pl.DataFrame) -> Foretold:
    before = {row["facility"]: row for row in query.in_force(context.snapshot, "facilities.csv")}
    said = [
        text("admin.facilities.zone", name=row["name"])
        for row in proposed
        if row["facility"] in before and before[row["facility"]]["zone"] != row["zone"]
    ]
    said += [
        text("admin.facilities.named", n=words.count(row["n_messages"]), senders=row["n_senders"], name=row["facility"])
        for row in query.alias_preview(context.snapshot, proposed).iter_rows(named=True)
    ]
    return said or [text("admin.facilities.same")], [], []


_FORETOLD: dict[str, Callable[[Context, Sequence[Row], pl.DataFrame], Foretold]] = {
    "facilities.csv": _facilities,
    "targets.csv": _targets,
    "staffing.csv": lambda context, rows, _: _hours(context, rows, None),
    "calendar.csv": lambda context, rows, _: _hours(context, None, rows),
}


def _sentence(context: Context) -> str:
    """The filters in words, to stand within a sentence."""
    told = context.filters.replace(compare="none").sentence(named=words.group).rstrip(".")
    return told[:1].lower() + told[1:]


def _filled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: 0 if value is None and name.startswith(("n_", "missed_")) else value for name, value in row.items()}


def _place(context: Context, group: str, value: str) -> str:
    return text("admin.all") if value == "all" else context.name(group, value)
