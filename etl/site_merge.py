"""Rows put into a CSV file of the site folder: what was there stays, a row of the same key is replaced."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from etl.procedure_names import rows
from etl.site import CSV_FILES

Key = Callable[[Mapping[str, str]], object]


def merge(folder: Path, name: str, new: Iterable[Mapping[str, str]], key: Key) -> int:
    """Put rows into `folder/name`, whole or not at all; returns how many were not there before."""
    path, columns = folder / name, CSV_FILES[name]
    before = [{column: row.get(column) or "" for column in columns} for row in rows(path)] if path.is_file() else []
    added = [{column: row.get(column) or "" for column in columns} for row in new]
    merged = {key(row): row for row in before} | {key(row): row for row in added}
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(merged.values())
    temporary = path.with_suffix(".new")
    temporary.write_text(text.getvalue(), "utf-8")
    os.replace(temporary, path)
    known = {tuple(row.values()) for row in before}
    return sum(tuple(row.values()) not in known for row in added)
