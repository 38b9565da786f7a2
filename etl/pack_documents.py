"""What a person opens of a pack: the workbook and the printed report, from the tables that are in its CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from etl import pack_words as words
from etl.pack_pdf import PAPERS, to_pdf
from etl.pack_report import Told, document
from etl.pack_xlsx import to_xlsx
from sql import scoping
from sql.definitions import definitions
from sql.filters import Filters
from sql.rows import rows
from sql.snapshot import Snapshot
from sql.unfinished import data_from, last_day


def documents(
    tables: Mapping[str, pl.DataFrame], snapshot: Snapshot, filters: Filters, head: Mapping[str, Any]
) -> dict[str, bytes]:
    """The workbook and the report of a month by file name; `head` is the manifest without its files.

    The only time in them is the snapshot's, so the same tables give the same bytes.
    """
    before = filters.before()
    if filters.since is None or filters.until is None or before is None or before.since is None:
        raise ValueError("a report is of a month beside the one before")
    scope = scope_of(snapshot)
    told = ({"Facilities": words.everywhere(scope)} if scope else {}) | _about(head)
    report = Told(
        tables["scorecard"], tables["findings"], tables["course"], definitions(snapshot), filters.since, filters.until,
        before.since, data_from(snapshot), snapshot.data_through, last_day(snapshot), tuple(told.items()),
        head["small_cells"] == "masked", scope,
    )  # fmt: skip
    about = pl.DataFrame({"about": list(told), "told": list(told.values())})
    name = f"radops_{head['period']}" + ("_masked" if head["small_cells"] == "masked" else "")
    created = snapshot.built_at
    return {
        f"{name}.xlsx": to_xlsx(
            {**tables, "about": about}, title=words.title(filters.since, report.scope), created=created
        ),
        f"{name}.pdf": to_pdf(document(report) | {"paper": paper(snapshot)}, created=created),
    }


def scope_of(snapshot: Snapshot) -> str:
    """What people call the facilities of a snapshot that is of some only; empty for one of all."""
    told = scoping.told(snapshot)
    return "" if told is None else told.label


def paper(snapshot: Snapshot) -> str:
    """The sheet of the report as Typst names it: by the setting that the snapshot was published under, so that the same
    snapshot gives the same bytes."""
    if not snapshot.columns("meta_setting"):
        return PAPERS["a4"]
    found = rows(snapshot, "meta_setting", columns=("value",), where={"name": "RADOPS_PAPER"})["value"].to_list()
    return PAPERS.get(found[0] if found else "", PAPERS["a4"])


def _about(head: Mapping[str, Any]) -> dict[str, str]:
    """Where the numbers come from, in words."""
    snapshot, defined = head["snapshot"], head["definitions"]
    through = datetime.fromisoformat(snapshot["data_through"].removesuffix("Z"))
    return {
        "Period": head["filters"],
        "Snapshot": snapshot["id"],
        "Digest of its data": snapshot["digest"],
        "Data through": words.instant(through),
        "Definitions": defined["signature"],
        "Redefined since the month before was reported": "; ".join(defined["redefined"]) or "none",
        "Small cells": words.SMALL_CELLS[head["small_cells"]],
        "Made by": head["product"],
    }
