"""The page Reports: what was exported, byte for byte, to those who may see all of it, and nothing by another name."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from plotly.utils import PlotlyJSONEncoder

from app import answers, words
from app.context import Context
from app.editions import MANIFEST, editions, state_of
from app.gate import Gate
from app.guard import Person
from app.pages.reports import last_whole_month
from app.sections import edition as section
from app.server import create_app
from app.state import State
from app.views import Views
from sql import query
from sql.filters import Filters
from sql.leadership import MEASURES
from sql.snapshot import Store
from tests.app.conftest import LOCAL
from tests.published import MONTH, Published

EAST = Person("east", facilities=("EAST",))
SECRET = b"nobody may read this"
OCTOBER = Filters(since=date(2026, 10, 1), until=date(2026, 11, 1), compare="previous")


@pytest.fixture
def home(tmp_path: Path, published: Published, report_pack: Path) -> Path:
    """A home of its own with one edition, a file in it that no manifest lists, and a secret beside."""
    (tmp_path / "published").symlink_to(published.home.published)
    shutil.copytree(report_pack, tmp_path / "exports" / MONTH)
    (tmp_path / "exports" / MONTH / "unlisted.csv").write_bytes(SECRET)
    (tmp_path / "exports" / "loose.csv").write_bytes(SECRET)
    (tmp_path / "intake.duckdb").write_bytes(SECRET)
    return tmp_path


def client_of(home: Path, person: Person = LOCAL) -> FlaskClient:
    return create_app(home / "published", sign=lambda _: person).server.test_client()


def page(home: Path, search: str = "", person: Person = LOCAL) -> str:
    """The page as it is sent."""
    answer = answers.page(Store(home / "published"), person, "/reports", search, "light")
    return json.dumps(answer.page, cls=PlotlyJSONEncoder, ensure_ascii=False)


def context_of(home: Path, person: Person = LOCAL) -> Context:
    store = Store(home / "published")
    snapshot = store.current()
    return Context(snapshot, State.read("", snapshot.data_through), person, store=store)


def manifest(home: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((home / "exports" / MONTH / MANIFEST).read_text("utf-8"))
    return told


def test_every_file_is_downloaded_as_it_was_written(home: Path) -> None:
    client, told = client_of(home), manifest(home)
    assert len(told["files"]) > 20
    for entry in told["files"]:
        answer = client.get(f"/pack/{MONTH}/{entry['name']}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.data).hexdigest() == entry["sha256"]
        assert len(answer.data) == entry["bytes"]
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="radops_2026-10')
        assert answer.headers["X-Radops-Snapshot"] == told["snapshot"]["id"]
    raw = client.get(f"/pack/{MONTH}/{MANIFEST}").data
    assert raw == (home / "exports" / MONTH / MANIFEST).read_bytes()
    assert client.get(f"/pack/{MONTH}/radops_{MONTH}.pdf").mimetype == "application/pdf"


#: What comes behind /pack/.
PATHS = (
    f"{MONTH}/unlisted.csv", f"{MONTH}/..%2floose.csv", f"{MONTH}/..%2f..%2fintake.duckdb", f"{MONTH}/../loose.csv",
    "../intake.duckdb", "..%2f/intake.duckdb", "../exports/loose.csv", ".%2f/loose.csv", "%2e%2e/intake.duckdb",
    f"{MONTH}%2f..%2f{MONTH}/summary.csv", f"./{MONTH}/unlisted.csv", f"{MONTH}/summary.csv%00.pdf",
    f"{MONTH}/%2fetc%2fpasswd", f"{MONTH}/..\\loose.csv", f"{MONTH}x/summary.csv", f"{MONTH}/SUMMARY.CSV",
    f"{MONTH}/", f"{MONTH}", "", "%00/summary.csv",
)  # fmt: skip


def test_no_address_leads_elsewhere(home: Path) -> None:
    client = client_of(home)
    for path in PATHS:
        answer = client.get(f"/pack/{path}")
        # What no route takes is the frame of the dashboard, which says itself that there is no such page.
        assert answer.status_code in (404, 308) or answer.mimetype == "text/html", path
        assert SECRET not in answer.data, path


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (MONTH, "unlisted.csv"), (MONTH, "../loose.csv"), (MONTH, "../../intake.duckdb"), ("..", "intake.duckdb"),
        ("../exports", "loose.csv"), (".", "loose.csv"), ("", "loose.csv"), (f"{MONTH}/../{MONTH}", "summary.csv"),
        (f"./{MONTH}", "summary.csv"), (MONTH, "./summary.csv"), (MONTH, "/etc/passwd"), (MONTH, ""), ("\0", "\0"),
    ],
)  # fmt: skip
def test_no_name_leads_elsewhere(home: Path, key: str, name: str) -> None:
    assert answers.pack_file(Store(home / "published"), LOCAL, key, name) is None


@pytest.mark.parametrize(
    "hurt",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-1] + b"?"),
        lambda file: file.write_bytes(file.read_bytes() + b"\n"),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.unlink(),
        lambda file: (file.unlink(), file.symlink_to(file.with_name("unlisted.csv"))),
    ],
)
def test_a_file_that_is_not_what_was_exported_is_not_handed_out(home: Path, hurt: Callable[[Path], object]) -> None:
    hurt(home / "exports" / MONTH / "scorecard.csv")
    client = client_of(home)
    for path in (f"/pack/{MONTH}/scorecard.csv", "/csv/reports.scorecard.csv"):
        answer = client.get(path)
        assert (answer.status_code, answer.data) == (409, b"scorecard.csv is not what was exported\n")
    assert "not what was exported" in page(home)


@pytest.mark.parametrize(
    "change",
    [
        {"files": [{"name": name, "bytes": len(SECRET), "sha256": hashlib.sha256(SECRET).hexdigest()}]}
        for name in ("../loose.csv", "/etc/passwd", "a/b", ".hidden", "", "x\r\nSet-Cookie: a=b", 'x"; y', "..")
    ]
    + [{"files": None}, {"period": "../.."}, {"period": '2026-10"'}, {"since": "then"}, {"snapshot": {"id": "x"}},
       {"snapshot": None}, {"files": [{}]}],
)  # fmt: skip
def test_a_manifest_that_is_none_is_passed_over(home: Path, change: dict[str, Any]) -> None:
    told = manifest(home) | change
    (home / "exports" / MONTH / MANIFEST).write_text(json.dumps(told), "utf-8")
    assert editions(home / "exports") == []
    store = Store(home / "published")
    for name in ("summary.csv", MANIFEST, *(str(item.get("name")) for item in change.get("files") or ())):
        assert answers.pack_file(store, LOCAL, MONTH, name) is None
    assert "No edition yet" in page(home)


def test_links_and_hidden_folders_are_no_editions(home: Path) -> None:
    exports = home / "exports"
    os.rename(exports / MONTH, home / "elsewhere")
    (exports / MONTH).symlink_to(home / "elsewhere")
    shutil.copytree(home / "elsewhere", exports / ".2026-10.tmp")
    (exports / "2026-09").mkdir()
    (exports / "2026-09" / MANIFEST).symlink_to(home / "elsewhere" / MANIFEST)
    (exports / "2026-08").mkdir()
    (exports / "2026-08" / MANIFEST).write_text("[]", "utf-8")
    assert editions(exports) == []
    assert editions(home / "nowhere") == []


def test_the_page_has_the_numbers_of_the_file_and_of_the_snapshot(home: Path) -> None:
    read = section.scorecard(context_of(home))
    asked = query.scorecard(Store(home / "published").current(), OCTOBER)
    assert read.columns == asked.columns
    for mine, theirs in zip(read.to_dicts(), asked.to_dicts(), strict=True):
        for name, told in theirs.items():
            assert mine[name] == (pytest.approx(told, rel=1e-11) if isinstance(told, float) else told), name
    shown = page(home)
    for row in (row for row in read.to_dicts() if row["value"] is not None):
        assert f'"{words.value(row["value"], row["unit"])}"' in shown
    for measure in MEASURES:
        known = read.filter(measure=measure.name)["value"].drop_nulls().len() > 0
        assert (f'"{measure.label}"' in shown) == known
    told = section.findings(context_of(home))
    assert not told.is_empty()
    assert all(f'"{words}"' in shown for words in told["told"])


def test_the_page_says_what_the_edition_is_and_offers_its_files(home: Path) -> None:
    shown, (edition,) = page(home), editions(home / "exports")
    assert "October 2026" in shown
    for part in (edition.snapshot, edition.digest, edition.filters, words.instant(edition.data_through)):
        assert part in shown
    for file in edition.files:
        assert f'"/pack/{MONTH}/{file.name}"' in shown
        assert file.sha256 in shown
    assert "no such edition" in page(home, "?edition=2031-01")


def test_who_sees_a_part_gets_no_pack_and_no_number_of_the_others(home: Path) -> None:
    client, told = client_of(home, EAST), manifest(home)
    nothing = client.get("/pack/2031-01/summary.csv")
    for name in (*(entry["name"] for entry in told["files"]), MANIFEST):
        answer = client.get(f"/pack/{MONTH}/{name}")
        assert (answer.status_code, answer.data) == (nothing.status_code, nothing.data) == (404, b"not found\n")
    shown = page(home, person=EAST)
    names = query.rows(Store(home / "published").current(), "dim_facility")
    others = {row["facility_name"] for row in names.to_dicts() if row["facility"] != "EAST"}
    assert not [name for name in others if name in shown]
    assert "/pack/" not in shown
    rows = list(csv.DictReader(io.StringIO(client.get("/csv/reports.scorecard.csv").get_data(as_text=True))))
    assert {row["facility"] for row in rows} == {"all", "EAST"}
    by_measure = {(row["measure"], row["facility"]): (row["value"], row["n"]) for row in rows}
    assert all(by_measure[m.name, "all"] == by_measure[m.name, "EAST"] for m in MEASURES if m.metric == "volume")
    assert client.get("/csv/reports.findings.csv").get_data(as_text=True).count("\r\n") == 1


def test_who_sees_a_part_is_told_where_the_snapshot_is_gone(home: Path) -> None:
    told = manifest(home)
    told["snapshot"]["id"] = "000099-0123456789ab"
    (home / "exports" / MONTH / MANIFEST).write_text(json.dumps(told), "utf-8")
    assert "not kept any more" in page(home, person=EAST)
    assert "Report (PDF)" in page(home)  # its files are there for who sees all


def test_a_pack_of_before_there_was_a_scorecard_has_its_files(home: Path) -> None:
    told = manifest(home)
    told["files"] = [entry for entry in told["files"] if entry["name"] not in ("scorecard.csv", "findings.csv")]
    (home / "exports" / MONTH / MANIFEST).write_text(json.dumps(told), "utf-8")
    shown = page(home)
    assert "before packs had a scorecard" in shown
    assert f"/pack/{MONTH}/summary.csv" in shown


def test_a_masked_edition_is_told_and_is_not_shown_first(home: Path) -> None:
    told = manifest(home) | {"small_cells": "masked"}
    shutil.copytree(home / "exports" / MONTH, home / "exports" / f"{MONTH}-masked")
    (home / "exports" / f"{MONTH}-masked" / MANIFEST).write_text(json.dumps(told), "utf-8")
    assert [edition.is_masked for edition in editions(home / "exports")] == [True, False]
    assert "small numbers are masked" not in page(home)
    shown = page(home, f"?edition={MONTH}-masked")
    assert "small numbers are masked" in shown
    assert '"October 2026, masked"' in shown


def test_a_view_is_made_anew_when_an_edition_comes(home: Path) -> None:
    store = Store(home / "published")
    views = Views(store, Gate(1, 1, 5))
    os.rename(home / "exports", home / "later")
    before = state_of(store)
    empty = views.view(LOCAL, "/reports", "", "light", {})
    assert b"No edition yet" in empty.raw()
    assert b"radops export --period" in empty.raw()
    os.rename(home / "later", home / "exports")
    assert state_of(store) != before
    assert b"October 2026" in views.view(LOCAL, "/reports", "", "light", {}).raw()


def test_the_empty_page_says_how_to_make_the_first_edition(home: Path) -> None:
    shutil.rmtree(home / "exports")
    through = Store(home / "published").current().data_through.date()
    assert f"radops export --period {last_whole_month(through)}" in page(home)
    assert "radops export" not in page(home, person=EAST)


@pytest.mark.parametrize(
    ("through", "month"),
    [(date(2026, 11, 1), "2026-10"), (date(2026, 11, 30), "2026-10"), (date(2026, 1, 15), "2025-12")],
)
def test_the_last_month_that_is_over(through: date, month: str) -> None:
    assert last_whole_month(through) == month


def test_names_that_a_spreadsheet_would_run_are_read_as_they_were() -> None:
    assert section._plain("'=1+1") == "=1+1"
    assert section._plain("'s-Hertogenbosch") == "'s-Hertogenbosch"
