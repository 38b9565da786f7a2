"""The rows of the site's files as a snapshot has them in force, in one spelling, and the difference between two sets.

The spelling is that of the models that the build reads the files by, so a row says the same however it is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb
import polars as pl

from sql.engine import SETTINGS, SOUND
from sql.rederive import literal_rows, with_list
from sql.rows import MAX_ROWS, rows
from sql.site_files import PUT_FILES, TYPES, Row, parts
from sql.snapshot import Snapshot

#: By what a row of a file is the same row: what else differs is a change of it.
KEYS: dict[str, tuple[str, ...]] = {
    "facilities.csv": ("facility",),
    "targets.csv": ("metric", "facility", "modality", "priority", "patient_class", "valid_from"),
    "staffing.csv": ("device", "weekday"),
    "calendar.csv": ("facility", "date"),
    "shifts.csv": ("shift", "weekday", "starts"),
}
#: Weekdays as the build counts them.
WEEKDAYS = "SELECT CAST(unnest(range(1, 8)) AS INTEGER) AS weekday"
#: Statement of a file's rows in one spelling, over the model that the build reads it by.
_SPELT: dict[str, tuple[str, str]] = {
    "targets.csv": ("target", "SELECT metric, facility, modality, priority, patient_class, target_min, source, "
                    "valid_from, valid_to FROM target"),
    "staffing.csv": ("staffing", "SELECT device, weekday, string_agg(strftime(TIMESTAMP '2000-01-01' + to_minutes("
                     "opens_minute), '%H:%M') || '-' || CASE closes_minute WHEN 1440 THEN '24:00' ELSE strftime("
                     "TIMESTAMP '2000-01-01' + to_minutes(closes_minute), '%H:%M') END, ' ' "
                     "ORDER BY opens_minute, closes_minute)"
                     " AS blocks FROM staffing GROUP BY device, weekday"),
}  # fmt: skip


def typed(file: str) -> dict[str, str]:
    """Columns of a file with their SQL types."""
    return {column: TYPES.get(column, "VARCHAR") for column in PUT_FILES[file]}


def given(file: str, proposed: Sequence[Row]) -> dict[str, str]:
    """Name of a file's table in the build and the SQL of these rows, and what its model reads beside it."""
    table = f"site_{file.partition('.')[0]}"
    made = {table: literal_rows(typed(file), proposed)}
    return {"iso_weekday": WEEKDAYS, **made} if file == "staffing.csv" else made


def spelt(file: str, proposed: Sequence[Row]) -> pl.DataFrame:
    """Rows of a file in one spelling, as text and sorted. They must have no fatal fault."""
    if file == "facilities.csv":
        told = [{**row, "aliases": "; ".join(sorted(parts(row["aliases"]), key=str.casefold))} for row in proposed]
        return pl.DataFrame(told, schema=dict.fromkeys(PUT_FILES[file], pl.String())).sort("facility")
    model, select = _SPELT.get(file, ("", f"SELECT * FROM site_{file.partition('.')[0]}"))
    with duckdb.connect(":memory:", config=SETTINGS) as con:
        con.execute(SOUND)
        sql = f"{with_list(given(file, proposed), [model] if model else [])} SELECT * FROM ({select}) ORDER BY ALL"
        found = pl.DataFrame(con.execute(sql).to_arrow_table())
    return found.with_columns(pl.all().cast(pl.String).fill_null(""))


def digest(file: str, proposed: Sequence[Row]) -> str:
    """Twelve hex digits that change with what the rows say, whatever their spelling and order."""
    told = "\n".join("\t".join(row) for row in sorted(spelt(file, proposed).unique().iter_rows()))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def difference(file: str, before: Sequence[Row], after: Sequence[Row]) -> pl.DataFrame:
    """What differs: `what` (new, changed, gone), `key` (what it is about), `was` and `is` ('' where there is none)."""
    then, now = (_by_key(file, spelt(file, side).iter_rows(named=True)) for side in (before, after))
    schema = dict.fromkeys(("what", "key", "was", "is"), pl.String())
    found = [
        (
            "new" if key not in then else "gone" if key not in now else "changed",
            key,
            then.get(key, ""),
            now.get(key, ""),
        )
        for key in dict.fromkeys([*then, *now])
        if then.get(key) != now.get(key)
    ]
    return pl.DataFrame(found, schema=schema, orient="row")


def _by_key(file: str, spelt_rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    keys = KEYS[file]
    told: dict[str, list[str]] = {}
    for row in spelt_rows:
        name = " · ".join(row[key] for key in keys if row[key])
        told.setdefault(name, []).append(" · ".join(row[column] for column in row if column not in keys))
    return {name: " | ".join(sorted(values)) for name, values in told.items()}


def in_force(snapshot: Snapshot, file: str) -> list[dict[str, str]]:
    """Rows of a file as the snapshot was built with them. Raises RowsError for a snapshot that lacks their table."""
    return [{column: _text(value) for column, value in row.items()} for row in _READ[file](snapshot).to_dicts()]


def _facilities(snapshot: Snapshot) -> pl.DataFrame:
    aliases = rows(snapshot, "dim_facility_alias", order_by=("facility", "alias"), limit=MAX_ROWS)
    carried = aliases.group_by("facility").agg(pl.col("alias").str.join("; ").alias("aliases"))
    found = rows(snapshot, "dim_facility", order_by=("facility",), limit=MAX_ROWS).filter(
        pl.col("facility") != "unmapped"
    )
    return found.select("facility", pl.col("facility_name").alias("name"), "zone", "kind").join(
        carried, on="facility", how="left", maintain_order="left"
    )


def _targets(snapshot: Snapshot) -> pl.DataFrame:
    order = ("metric", "facility", "modality", "patient_class", "target", "priority", "valid_from")
    found = rows(snapshot, "dim_target", order_by=order, limit=MAX_ROWS)
    return found.select(PUT_FILES["targets.csv"])


def _staffing(snapshot: Snapshot) -> pl.DataFrame:
    return snapshot.execute(
        """SELECT s.device, string_agg(CAST(s.weekday AS VARCHAR), '' ORDER BY s.weekday) AS weekday, s.opens, s.closes
        FROM dim_staffing s GROUP BY s.device, s.opens, s.closes ORDER BY s.device, weekday, s.opens"""
    )


def _special_days(snapshot: Snapshot) -> pl.DataFrame:
    found = rows(snapshot, "dim_special_day", order_by=("day", "facility"), limit=MAX_ROWS)
    return found.select("facility", pl.col("day").alias("date"), "kind")


_READ = {
    "facilities.csv": _facilities, "targets.csv": _targets, "staffing.csv": _staffing, "calendar.csv": _special_days,
}  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
