"""The page Admin: what it shows, what it refuses, and the whole way from a written cell to the numbers it foretold."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from app import words
from app.context import Context
from app.guard import Person
from app.pages import admin
from app.sections.admin_editor import editor
from app.server import create_app
from app.site_edit import FILES
from app.state import State
from app.texts import TEXTS
from sql import query
from sql.filters import Filters
from sql.site_files import FATAL, PUT_FILES, minute_of
from sql.site_rows import digest
from sql.snapshot import Store
from tests.app.conftest import LOCAL, Apart, radops
from tests.app.watching import LOADED, Watched
from tests.conftest import REPO

EAST = Person("east", facilities=("EAST",), sees_readers=True)


@pytest.fixture(scope="module")
def client(home: Path) -> FlaskClient:
    return create_app(home / "published").server.test_client()


def asked(client: FlaskClient, path: str, file: str, rows: list[dict[str, str]], search: str = "") -> Any:
    return client.post(f"/site/{path}", json={"file": file, "rows": rows, "search": search})


def in_force(context: Context, name: str) -> list[dict[str, str]]:
    return query.in_force(context.snapshot, f"{name}.csv")


def shorter(rows: list[dict[str, str]], target: str = "15") -> list[dict[str, str]]:
    """Targets with another one for emergency stat reports."""
    return [row | {"target": target} if (row["metric"], row["priority"]) == ("report_final", "stat") else row
            for row in rows]  # fmt: skip


def test_facilities_are_shown_with_what_is_known_of_them(context: Context) -> None:
    found = {row["facility"]: row for row in query.facilities_known(context.snapshot).iter_rows(named=True)}
    exams = query.counts(context.snapshot, "fct_exam", by=("facility",), where={"is_countable": True})
    assert {name: row["n_exams"] for name, row in found.items()} == dict(exams.select("facility", "n").iter_rows())
    hours = {row["device"]: row for row in in_force(context, "staffing")}
    assert found["EAST"]["n_devices"] >= found["EAST"]["n_staffed"] > 0
    assert sum(row["n_staffed"] for row in found.values()) == len(hours)
    minutes = [
        len(row["weekday"]) * ((minute_of(row["closes"]) or 0) - (minute_of(row["opens"]) or 0))
        for row in in_force(context, "staffing")
    ]
    assert sum(row["staffed_h"] for row in found.values()) == pytest.approx(sum(minutes) / 60)
    assert all(row["senders"] and row["last_at"] <= context.snapshot.data_through for row in found.values())


def test_shifts_are_stretches_of_the_week(context: Context) -> None:
    spans = query.shift_spans(context.snapshot)
    assert ("day", False, 1, "07:30", "17:00") in spans.rows()
    assert ("night", True, 7, "23:00", "24:00") in spans.rows()


def test_targets_that_held_are_those_of_the_exams(context: Context) -> None:
    held = query.targets_held(context.snapshot, Filters(facility=("NORTH",)))
    stat = held.filter(priority="stat", patient_class="emergency")
    assert stat["target_min"].to_list() == [60.0]
    of_stat = Filters(facility=("NORTH",), priority=("stat",), patient_class=("emergency",))
    exams = query.rows(context.snapshot, "fct_exam", filters=of_stat, where={"is_countable": True}, limit=100_000)
    assert stat["n"][0] == exams.height


def test_the_editor_has_the_rows_in_force_and_a_scoped_person_has_none(context: Context) -> None:
    for name in ("facilities", "targets", "staffing", "calendar"):
        made: Any = editor(context, name)
        config = json.loads(made.to_plotly_json()["props"]["data-config"])
        assert config["rows"] == in_force(context, name)
        assert config["digest"] == digest(f"{name}.csv", config["rows"])
        scoped = Context(context.snapshot, context.state, EAST)
        assert "Only who may see all" in str(editor(scoped, name).children)
    own = Context(context.snapshot, context.state, EAST)
    assert set(admin.admin_places.PLACES.ask(own)["facility"]) == {"EAST"}


def test_routes_are_for_who_sees_all_facilities(home: Path, context: Context) -> None:
    scoped = create_app(home / "published", sign=lambda _: EAST).server.test_client()
    for path in ("check", "file"):
        assert asked(scoped, path, "targets.csv", in_force(context, "targets")).status_code == 403


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b'{"file": "fees.csv", "rows": []}', b'{"file": "targets.csv", "rows": 3}',
     b'{"file": "targets.csv", "rows": [3]}', b"x" * 2_100_000],
)  # fmt: skip
def test_what_is_no_rows_is_refused(client: FlaskClient, body: bytes) -> None:
    assert client.post("/site/check", data=body, content_type="application/json").status_code == 400


def test_every_rule_has_words_on_the_page() -> None:
    told = {key.removeprefix("admin.fault.") for key in TEXTS if key.startswith("admin.fault.")}
    assert told >= FATAL
    assert {f"admin.column.{column}" for file in FILES for column in PUT_FILES[file]} <= TEXTS.keys()


def test_a_wrong_cell_is_told_and_gives_no_file(client: FlaskClient, context: Context) -> None:
    rows = [{}, *in_force(context, "targets")]  # a row that is gone keeps its number
    rows[2] |= {"unit": "weeks", "facility": "NROTH"}
    told = asked(client, "check", "targets.csv", rows).json
    assert [(fault["row"], fault["column"]) for fault in told["faults"]] == [(2, "facility"), (2, "unit")]
    assert told["faults"][1]["told"] == "weeks is no unit: min, h or d"
    assert asked(client, "file", "targets.csv", rows).status_code == 409


def test_what_is_the_same_is_no_change(client: FlaskClient, context: Context) -> None:
    for file in FILES:
        told = asked(client, "check", file, query.in_force(context.snapshot, file)).json
        assert (told["faults"], told["is_changed"]) == ([], False)


def test_numbers_are_foretold_by_the_query(client: FlaskClient, context: Context) -> None:
    rows = shorter(in_force(context, "targets"))
    told = asked(client, "check", "targets.csv", rows).json
    foretold = {row["group_value"]: row for row in query.target_preview(
        context.snapshot, rows, context.filters).iter_rows(named=True)}  # fmt: skip
    whole = foretold["all"]
    assert whole["missed_after"] > whole["missed_before"]
    assert told["said"][0] == "Against what is in force: 0 new, 1 changed, 0 gone."
    after, before = f"{whole['missed_after']:,}", f"{whole['missed_before']:,}"
    assert f"{after} would be past their target instead of {before}" in told["said"][1]
    assert told["rows"][0][1:3] == [before, after]
    hours = in_force(context, "staffing")
    used = query.metric(context.snapshot, "utilization", groups=("device",), filters=context.filters)["group_value"]
    device = next(name for name in used if name.startswith("N-"))
    longer = [row | {"closes": "23:30"} if row["device"] == device else row for row in hours]
    told = asked(client, "check", "staffing.csv", longer, "?facility=NORTH").json
    assert [row[0] for row in told["rows"]] == ["all", context.name("device", device)]
    whole = query.staffing_preview(context.snapshot, longer, None, context.filters.replace(facility=("NORTH",)))
    after = whole.filter(group_value="all")["staffed_after"][0]
    assert told["said"][1].startswith("Staffed time from ")
    assert f", at NORTH: {words.decimal(after)}\u202fh instead of " in told["said"][1]


def test_facilities_tell_what_a_change_does_and_does_not(client: FlaskClient, context: Context) -> None:
    rows = in_force(context, "facilities")
    named = [row | {"name": "Other"} if row["facility"] == "EAST" else row for row in rows]
    told = asked(client, "check", "facilities.csv", named).json
    assert told["said"][1:] == ["Names and kinds change how facilities are called, and no number."]
    moved = [row | {"zone": "Europe/Berlin"} if row["facility"] == "EAST" else row for row in rows]
    told = asked(client, "check", "facilities.csv", moved).json
    assert "read from now on" in told["said"][1]


def write(page: Page, column: str, row: int, text: str) -> None:
    page.locator(f'[data-row="{row}"][data-column="{column}"]').fill(text)


def test_from_a_cell_to_the_numbers(apart: Apart, tmp_path: Path) -> None:
    own, seen = apart
    page = seen.open("/admin?show=targets&period=all", "admin")
    file, command, foretold = changed_in_the_browser(page, tmp_path)
    words = command.split()
    assert words[:4] == ["radops", "site", "put", "--over"]
    radops(own, *words[1:5], str(file))
    radops(own, "build")
    radops(own, "publish")
    snapshot = Store(own / "published").current()
    assert snapshot.seq == 2
    made = query.metric(snapshot, "within_target", groups=("facility",))
    missed = {row["group_value"]: row["denominator"] - row["numerator"] for row in made.iter_rows(named=True)}
    names = dict(query.rows(snapshot, "dim_facility", columns=("facility_name", "facility")).iter_rows())
    assert {names[place]: n for place, n in foretold.items() if place != "all"} == missed
    assert foretold["all"] == sum(missed.values())
    expect(page.locator("#snapshot-id")).to_contain_text("000002", timeout=LOADED)
    stated = page.locator("section", has=page.get_by_role("heading", name="Targets as stated"))
    expect(stated.locator("tbody").first).to_contain_text("15 min", timeout=LOADED)
    expect(stated.locator("tbody").first).to_contain_text("Eastfield Community Hospital · CT")
    page.locator(".site-open").click()
    expect(page.locator(".site-said")).to_have_text("Nothing is changed yet.")  # what was written is in force
    refused = subprocess.run(
        [sys.executable, "-m", "etl.cli", *words[1:5], str(file)], cwd=REPO, capture_output=True, text=True,
        check=False, env={"RADOPS_HOME": str(own), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert refused.returncode == 11
    assert "was changed after this file was made" in refused.stderr


def changed_in_the_browser(page: Page, folder: Path) -> tuple[Path, str, dict[str, int]]:
    """The downloaded file, the command beside it, and exams past their target by facility as foretold."""
    page.locator(".site-open").click()
    cells = page.locator("input[data-column]")
    expect(cells.first).to_be_visible()
    n_rows = page.locator(".site-table tbody tr").count()
    values = page.locator(".site-table tbody tr").evaluate_all(
        "rows => rows.map(row => Object.fromEntries([...row.querySelectorAll('input')]"
        ".map(one => [one.dataset.column, one.value])))"
    )
    stat = next(n for n, row in enumerate(values) if (row["metric"], row["priority"]) == ("report_final", "stat"))
    write(page, "target", stat, "15 min")
    fault = page.locator(".site-fault")
    expect(fault).to_have_text("15 min is no number above 0", timeout=LOADED)
    wrong = page.locator(f'[data-row="{stat}"][data-column="target"]')
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Download targets.csv")).to_be_disabled()
    write(page, "target", stat, "15")
    page.get_by_role("button", name="Add a row").click()
    for column, text in (("metric", "report_final"), ("facility", "EAST"), ("modality", "CT"), ("target", "0.5"),
                         ("unit", "h"), ("source", "=ours")):  # fmt: skip
        write(page, column, n_rows, text)
    expect(page.locator(".site-said")).to_contain_text("1 new, 1 changed, 0 gone", timeout=LOADED)
    page.reload()
    page.wait_for_selector(".site-numbers tbody tr", timeout=LOADED)  # kept in this browser, open and checked again
    expect(page.locator(".site-said")).to_contain_text("1 new, 1 changed, 0 gone")
    said = page.locator(".site-said").inner_text()
    rows = page.locator(".site-numbers tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(one => one.textContent))"
    )
    foretold = {row[0]: int(row[2].replace(",", "")) for row in rows}
    assert re.search(rf"{rows[0][2]} would be past their target instead of {rows[0][1]}", said)
    assert foretold["all"] > int(rows[0][1].replace(",", ""))
    with page.expect_download(timeout=LOADED) as given:
        page.get_by_role("button", name="Download targets.csv").click()
    file = folder / given.value.suggested_filename
    given.value.save_as(file)
    written = list(csv.DictReader(io.StringIO(file.read_text("utf-8"), newline="")))
    assert written[-1]["source"] == "'=ours"  # no spreadsheet runs it; put takes it off again
    return file, page.locator(".site-then code").inner_text(), foretold


def test_a_row_goes_and_comes_back_by_the_keyboard(watched: Watched) -> None:
    page = watched.open("/admin?show=hours", "admin")
    card = page.locator("section", has=page.get_by_role("heading", name="Special days"))
    card.locator(".site-open").focus()
    page.keyboard.press("Enter")
    gone = card.get_by_role("button", name="Remove row 1", exact=True)
    gone.focus()
    page.keyboard.press("Enter")
    expect(card.locator(".site-said")).to_contain_text("0 new, 0 changed, 1 gone", timeout=LOADED)
    back = card.get_by_role("button", name="Put row 1 back")
    expect(back).to_be_focused()
    page.keyboard.press("Enter")
    expect(card.locator(".site-said")).to_have_text("Nothing is changed yet.")
    expect(card.get_by_role("button", name="Download calendar.csv")).to_be_disabled()


def test_a_snapshot_of_an_earlier_version_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from sql.rows import RowsError  # noqa: PLC0415

    def lacking(*_: object) -> None:
        raise RowsError("no table")

    monkeypatch.setattr("sql.query.in_force", lacking)
    snapshot = store.current()
    made = editor(Context(snapshot, State.read("", snapshot.data_through), LOCAL), "calendar")
    assert "version that did not keep these rows" in str(made.children)
