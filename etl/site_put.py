"""Site files that are put in force: checked by the rules of the night, swapped in whole, the old one kept."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from etl.durable import sync, write_synced
from etl.errors import SettingsError, UnreadableInputError
from etl.home import Home
from etl.site import OPTIONAL_COLUMNS, SiteError, load_site
from etl.site_tables import read_rows
from etl.site_toml import facility_rows, with_facilities
from etl.site_words import told_fault
from sql.csv_text import plain
from sql.site_files import CSV_FILES, PUT_FILES, Fault, Known, faults

#: Folder within the site folder that keeps what was replaced.
BEFORE = "before"
FACILITIES = "facilities.csv"
SITE = "site.toml"
Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """What a file would change of the site: rows new, changed and gone, of how many."""

    file: str
    rows: int
    new: int
    changed: int
    gone: int

    @property
    def is_none(self) -> bool:
        return not (self.new or self.changed or self.gone)

    def told(self) -> dict[str, Any]:
        return asdict(self)


def check_folder(home: Home) -> dict[str, int]:
    """Rows of each file in the folder. Raises SettingsError naming every fault."""
    from etl.scopes import load_scopes  # noqa: PLC0415 - it needs what publishes

    site = home.load_site()
    load_scopes(home)
    found = {name: _in_place(home, name) for name in PUT_FILES}
    known = _known(home, found[FACILITIES])
    wrong = [
        f"{SITE if name == FACILITIES else name}, {_told(name, fault)}"
        for name, rows in found.items()
        for fault in faults(name, rows, known)
    ]
    if wrong:
        raise SettingsError(f"{site.folder}: {'; '.join(wrong)}")
    return {SITE if name == FACILITIES else name: len(rows) for name, rows in found.items()}


def check(home: Home, path: Path) -> tuple[Change, Rows]:
    """What a file would change, and its rows. Raises UnreadableInputError naming every fault."""
    name, rows = _read(path)
    before = _in_place(home, name)
    facilities = rows if name == FACILITIES else _in_place(home, FACILITIES)
    if name == FACILITIES:  # one that the file does not name stays
        named = {row["facility"] for row in rows}
        rows = [*rows, *(row for row in before if row["facility"] not in named)]
    if wrong := faults(name, rows, _known(home, facilities)):
        raise UnreadableInputError(f"{path}: {'; '.join(_told(name, fault) for fault in wrong)}")
    return _change(name, before, rows), rows


def put(home: Home, path: Path, over: str = "") -> Change:
    """Put a file in force with the next build; the replaced one is kept in `before`. The caller holds the lock.

    With `over`, only where the file in place still says what has this digest (`sql.site_rows.digest`). Raises
    UnreadableInputError; then nothing is written.
    """
    from sql.site_rows import digest  # noqa: PLC0415 - needs the catalog

    change, rows = check(home, path)
    if over and over != digest(change.file, _in_place(home, change.file)):
        raise UnreadableInputError(
            f"{path}: {change.file} was changed after this file was made from it; make the change again on the page"
        )
    if change.is_none:
        return change
    target = home.site / (SITE if change.file == FACILITIES else change.file)
    old = target.read_bytes() if target.is_file() else b""
    try:
        new = with_facilities(old.decode("utf-8"), rows) if change.file == FACILITIES else _csv(change.file, rows)
    except SiteError as error:
        raise UnreadableInputError(f"{path}: {error}") from error
    _swap(target, old, new.encode("utf-8"))
    return change


def _swap(target: Path, old: bytes, new: bytes) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if old:
        kept = target.parent / BEFORE
        kept.mkdir(exist_ok=True)
        write_synced(kept / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{target.name}", old)
        sync(kept)
    temporary = target.with_suffix(".new")
    write_synced(temporary, new)
    os.replace(temporary, target)
    sync(target.parent)


def _read(path: Path) -> tuple[str, Rows]:
    """Name in the site folder, known by the columns, and rows of a file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = set(next(csv.reader(file), ()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(f"{path} cannot be read as CSV in UTF-8") from error
    name = next((name for name, columns in PUT_FILES.items() if set(columns) == header), None)
    if name is None:
        told = "; ".join(f"{name}: {', '.join(columns)}" for name, columns in PUT_FILES.items())
        raise UnreadableInputError(f"{path} has not the columns of a site file ({told})")
    try:
        rows = read_rows(path, PUT_FILES[name])
    except SiteError as error:
        raise UnreadableInputError(str(error)) from error
    return name, [{column: plain(cell) for column, cell in row.items()} for row in rows]


def _in_place(home: Home, name: str) -> Rows:
    """Rows of a file of the folder as it is now. Raises SettingsError."""
    path = home.site / (SITE if name == FACILITIES else name)
    try:
        if name == FACILITIES:
            load_site(home.site)
            return facility_rows(path.read_text("utf-8"))
        return read_rows(path, CSV_FILES[name]) if path.is_file() else []
    except SiteError as error:
        raise SettingsError(str(error)) from error


def _known(home: Home, facilities: Rows) -> Known:
    from sql.catalog import Catalog  # noqa: PLC0415 - takes longer to load than the rest

    path = home.site / "devices.csv"
    devices = read_rows(path, CSV_FILES["devices.csv"]) if path.is_file() else []
    return Known(
        frozenset(row["facility"] for row in facilities), frozenset(row["device"] for row in devices),
        frozenset(Catalog.load().metrics),
    )  # fmt: skip


def _change(name: str, before: Rows, after: Rows) -> Change:
    from sql.site_rows import difference  # noqa: PLC0415

    what = difference(name, before, after)["what"].to_list()
    return Change(name, len(after), *(what.count(kind) for kind in ("new", "changed", "gone")))


def _csv(name: str, rows: Rows) -> str:
    text = io.StringIO()
    columns = [c for c in PUT_FILES[name] if c not in OPTIONAL_COLUMNS or any(row[c] for row in rows)]
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _told(name: str, fault: Fault) -> str:
    """A fault by its line, of facilities by their number."""
    told = told_fault(fault)
    return told.replace(f"line {fault.row + 2}", f"facility {fault.row + 1}") if name == FACILITIES else told
