"""The site folder as tables: types, aliases, missing and wrong files, and a signature that sees every change."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from etl.site import Site, SiteError, load_site
from etl.site_tables import load_site_tables, site_signature
from tests.warehouse import Warehouse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Warehouse(tmp_path).site


def test_aliases_are_folded_and_rows_are_typed(folder: Path) -> None:
    con = duckdb.connect()
    load_site_tables(con, load_site(folder))
    assert (
        con.execute("SELECT facility FROM facility_alias WHERE alias IN ('ngh', 'northgate', 'north')").fetchall()
        == [("NORTH",)] * 3
    )
    assert con.execute("SELECT typeof(target), typeof(valid_from), facility FROM site_targets LIMIT 1").fetchall() == [
        ("DOUBLE", "DATE", None)
    ]
    assert con.execute("SELECT is_after_hours FROM site_shifts WHERE shift = 'day'").fetchall() == [(False,)]


def test_a_missing_file_is_an_empty_table(folder: Path) -> None:
    (folder / "fees.csv").unlink()
    con = duckdb.connect()
    load_site_tables(con, load_site(folder))
    assert con.execute("SELECT count(*) FROM site_fees").fetchone() == (0,)


def test_without_a_folder_everything_is_empty_and_utc() -> None:
    con = duckdb.connect()
    load_site_tables(con, Site())
    assert con.execute("SELECT default_zone, (SELECT count(*) FROM site_devices) FROM site_zone").fetchone() == (
        "UTC",
        0,
    )


@pytest.mark.parametrize(("name", "content", "message"), [
    ("fees.csv", "charge_code,wrvu\nC1,1\n", "fees.csv: missing column valid_from"),
    ("fees.csv", "charge_code,wrvu,valid_from,source\nC1,much,,\n", "fees.csv: a value is not of its column's type"),
    ("calendar.csv", "facility,date,kind\nNORTH,2026-13-01,closed\n", "calendar.csv"),
])  # fmt: skip
def test_a_wrong_file_is_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(SiteError, match=message):
        load_site_tables(duckdb.connect(), load_site(folder))


def test_signature_changes_with_every_file_and_only_then(folder: Path) -> None:
    seen = {site_signature(load_site(folder))}
    assert site_signature(load_site(folder)) in seen
    for path in sorted(folder.iterdir()):
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
        seen.add(site_signature(load_site(folder)))
    assert len(seen) == 1 + len(list(folder.iterdir()))
