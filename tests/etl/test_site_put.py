"""Site files put in force: what is refused and where, what is written, what is kept, and what is left as it was."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from etl.errors import SettingsError, UnreadableInputError
from etl.faults import explain
from etl.home import Home
from etl.settings import Settings
from etl.site import SiteError, load_site
from etl.site_put import check, check_folder, put
from etl.site_toml import facility_rows, with_facilities
from etl.site_words import WORDS
from sql import site_files
from sql.site_files import PUT_FILES, Fault, Known, faults
from sql.site_rows import difference, digest, spelt
from tests.warehouse import SITE_TOML, Warehouse, exam

TARGET = dict.fromkeys(PUT_FILES["targets.csv"], "") | {"metric": "report_final", "target": "60"}
BLOCK = {"device": "N-CT1", "weekday": "12345", "opens": "08:00", "closes": "12:00"}
DAY = {"facility": "NORTH", "date": "2026-12-25", "kind": "closed"}
SHIFT = {"shift": "day", "weekday": "1", "starts": "22:00", "ends": "06:00", "is_after_hours": "true"}
PLACE = {"facility": "NORTH", "name": "Northgate", "zone": "America/New_York", "kind": "", "aliases": "NGH"}
KNOWN = Known(frozenset({"NORTH", "WEST"}), frozenset({"N-CT1"}), frozenset({"report_final"}))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, Settings(home=tmp_path, key_file=Warehouse(tmp_path).key_file))


def written(folder: Path, name: str, *rows: dict[str, str]) -> Path:
    path = folder / f"given {name}"
    columns = PUT_FILES[name]
    path.write_text(
        "\n".join([",".join(columns), *(",".join(row[c] for c in columns) for row in rows)]) + "\n", "utf-8"
    )
    return path


@pytest.mark.parametrize(("file", "row", "column", "value", "rule"), [
    ("targets.csv", TARGET, "metric", "", "missing"),
    ("targets.csv", TARGET, "metric", "report_fnal", "metric"),
    ("targets.csv", TARGET, "facility", "NROTH", "facility"),
    ("targets.csv", TARGET, "modality", "ct", "modality"),
    ("targets.csv", TARGET, "priority", "soon", "priority"),
    ("targets.csv", TARGET, "patient_class", "dog", "patient_class"),
    ("targets.csv", TARGET, "target", "1 h", "number"),
    ("targets.csv", TARGET, "target", "0", "number"),
    ("targets.csv", TARGET, "target", "inf", "number"),
    ("targets.csv", TARGET, "unit", "weeks", "unit"),
    ("targets.csv", TARGET, "unit", "H", "unit"),
    ("targets.csv", TARGET, "valid_from", "1.2.2026", "day"),
    ("targets.csv", TARGET, "valid_to", "2026-02-30", "day"),
    ("targets.csv", TARGET | {"valid_from": "2026-02-01"}, "valid_to", "2026-02-01", "days"),
    ("staffing.csv", BLOCK, "device", "N-CT9", "device"),
    ("staffing.csv", BLOCK, "weekday", "Mon", "weekday"),
    ("staffing.csv", BLOCK, "opens", "8", "time"),
    ("staffing.csv", BLOCK, "closes", "24:01", "time"),
    ("staffing.csv", BLOCK, "closes", "08:00", "times"),
    ("calendar.csv", DAY, "facility", "EAST", "facility"),
    ("calendar.csv", DAY, "date", "2026-13-01", "day"),
    ("calendar.csv", DAY, "kind", "open", "kind"),
    ("shifts.csv", SHIFT, "ends", "25:00", "time"),
    ("shifts.csv", SHIFT, "is_after_hours", "perhaps", "flag"),
    ("facilities.csv", PLACE, "zone", "America/Nowhere", "zone"),
    ("facilities.csv", PLACE, "facility", "Unmapped", "reserved"),
])  # fmt: skip
def test_a_cell_that_breaks_a_rule_is_named(file: str, row: dict[str, str], column: str, value: str, rule: str) -> None:
    assert faults(file, [row], KNOWN) == []
    assert faults(file, [row, {**row, **_other(file), column: value}], KNOWN) == [Fault(1, column, rule, value)]


def _other(file: str) -> dict[str, str]:
    """So that the second row does not say the first one again."""
    return {"targets.csv": {"modality": "CT"}, "staffing.csv": {"weekday": "6"}, "calendar.csv": {"facility": "WEST"},
            "facilities.csv": {"facility": "WEST", "name": "West", "aliases": ""}}.get(file, {})  # fmt: skip


@pytest.mark.parametrize(("file", "rows", "fault"), [
    ("targets.csv", [TARGET, {**TARGET, "facility": "*", "target": "90"}], Fault(1, "metric", "twice", "report_final")),
    ("staffing.csv", [BLOCK, {**BLOCK, "weekday": "5", "opens": "11:59", "closes": "13:00"}],
     Fault(1, "opens", "overlap", "11:59")),
    ("calendar.csv", [DAY, {**DAY, "kind": "holiday"}], Fault(1, "facility", "twice", "NORTH")),
    ("facilities.csv", [PLACE, {**PLACE, "facility": "WEST", "name": "West", "aliases": "W; ngh"}],
     Fault(1, "aliases", "alias", "ngh")),
])  # fmt: skip
def test_rows_that_do_not_go_together_are_named(file: str, rows: list[dict[str, str]], fault: Fault) -> None:
    assert faults(file, rows, KNOWN) == [fault]
    assert faults("staffing.csv", [BLOCK, {**BLOCK, "opens": "12:00", "closes": "24:00"}], KNOWN) == []


def test_every_rule_has_words_and_the_critical_category_is_a_metric() -> None:
    rules = {word for word in WORDS if word not in site_files.FATAL} | site_files.FATAL
    assert rules == set(WORDS)
    assert faults("targets.csv", [{**TARGET, "metric": "critical_communication:1"}], KNOWN) == []
    assert [f.rule for f in faults("targets.csv", [{**TARGET, "metric": "critical_communication:"}], KNOWN)] == [
        "metric"
    ]


def test_the_spelling_is_that_of_the_build() -> None:
    said = {**TARGET, "facility": "*", "priority": "S", "patient_class": "E", "target": "1", "unit": "h"}
    same = {**TARGET, "priority": "stat", "patient_class": "emergency", "target": "60.0", "unit": "min"}
    assert digest("targets.csv", [said]) == digest("targets.csv", [same]) != digest("targets.csv", [TARGET])
    assert difference("targets.csv", [said], [same]).is_empty()
    apart = [{**BLOCK, "weekday": day, "opens": "8:00"} for day in "54321"]
    assert digest("staffing.csv", apart) == digest("staffing.csv", [BLOCK])
    assert spelt("staffing.csv", [{**BLOCK, "closes": "24:00"}])["blocks"].to_list() == ["08:00-24:00"] * 5
    made = difference("staffing.csv", [BLOCK], [{**BLOCK, "weekday": "1236", "closes": "13:00"}])
    assert made["what"].to_list() == ["changed"] * 3 + ["gone"] * 2 + ["new"]


def test_the_night_stops_for_what_it_would_read_wrongly_and_goes_on_for_what_has_no_effect(home: Home) -> None:
    house = Warehouse(home.root)
    house.built(*exam("A1", "2026-03-02 15:00", "2026-03-02 15:30"))
    written(home.site, "targets.csv", {**TARGET, "facility": "NROTH"}).rename(home.site / "targets.csv")
    house.build()
    written(home.site, "targets.csv", TARGET, {**TARGET, "unit": "weeks"}).rename(home.site / "targets.csv")
    with pytest.raises(SiteError, match=r"targets\.csv, line 3, unit: 'weeks' is no unit") as told:
        house.build()
    assert isinstance(explain(told.value), SettingsError)


def test_a_file_is_put_whole_and_the_old_one_kept(home: Home, tmp_path: Path) -> None:
    old = (home.site / "targets.csv").read_bytes()
    path = written(
        tmp_path, "targets.csv", {**TARGET, "source": "'=ours"}, {**TARGET, "modality": "CT", "target": "30"}
    )
    change, _ = check(home, path)
    assert (change.file, change.rows, change.new, change.changed, change.gone) == ("targets.csv", 2, 1, 1, 3)
    assert (home.site / "targets.csv").read_bytes() == old
    assert put(home, path) == change
    assert (home.site / "targets.csv").read_text("utf-8").splitlines()[1] == "report_final,,,,,60,,=ours,,"
    (kept,) = (home.site / "before").iterdir()
    assert kept.read_bytes() == old
    assert kept.name.endswith("-targets.csv")
    assert put(home, path).is_none
    assert len(list((home.site / "before").iterdir())) == 1


def test_what_is_wrong_is_told_whole_and_nothing_is_written(home: Home, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in home.site.iterdir()}
    path = written(tmp_path, "staffing.csv", {**BLOCK, "opens": "x"}, {**BLOCK, "device": "N-CT9"})
    with pytest.raises(
        UnreadableInputError, match=r"line 2, opens: 'x' is no time.*line 3, device: 'N-CT9' is no device"
    ):
        put(home, path)
    path.write_text("device,weekday\nN-CT1,1\n", "utf-8")
    with pytest.raises(UnreadableInputError, match="has not the columns of a site file"):
        put(home, path)
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        put(home, tmp_path / "none.csv")
    assert {path.name: path.read_bytes() for path in home.site.iterdir()} == before


def test_a_file_made_from_another_state_is_refused(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, "calendar.csv", DAY)
    with pytest.raises(UnreadableInputError, match=r"calendar\.csv was changed after this file was made"):
        put(home, path, over="0" * 12)
    in_place = [{"facility": "NORTH", "date": "2026-03-05", "kind": "closed"}]
    assert put(home, path, over=digest("calendar.csv", in_place)).new == 1


def test_the_folder_is_checked_as_it_is(home: Home) -> None:
    assert check_folder(home) == {
        "site.toml": 2, "targets.csv": 4, "staffing.csv": 3, "calendar.csv": 1, "shifts.csv": 2,
    }  # fmt: skip
    written(home.site, "calendar.csv", {**DAY, "facility": "EAST"}).rename(home.site / "calendar.csv")
    with pytest.raises(SettingsError, match=r"calendar\.csv, line 2, facility: 'EAST' is no facility"):
        check_folder(home)
    shutil.rmtree(home.site)
    with pytest.raises(SettingsError, match=r"site\.toml: not found"):
        check_folder(home)


WRITTEN = """# ours
[site]
name = "test"  # stays

[[facility]]  # the first
id = "NORTH"
name = "Northgate"   # as on the door
zone = "America/New_York"
aliases = [
    "NGH",   # HIS
    "[odd]",
]

[[ facility ]]
zone = "America/Chicago"
id = 'WEST'
name = "West \\"side\\""

[[sender]]
app = "RIS"
status = { AR = "arrived" }
"""


def test_facilities_change_where_they_stand_and_the_rest_stays() -> None:
    rows = facility_rows(WRITTEN)
    assert rows[0]["aliases"] == "NGH; [odd]"
    assert with_facilities(WRITTEN, rows) == WRITTEN
    rows[0] |= {"name": 'North \\ "gate"', "aliases": "NGH; NCT01"}
    rows[1] |= {"kind": "outpatient"}
    rows.append({"facility": "EAST", "name": "Ost", "zone": "Europe/Berlin", "kind": "", "aliases": ""})
    made = with_facilities(WRITTEN, rows)
    assert facility_rows(made) == rows
    lines = made.splitlines()
    assert lines[6] == 'name = "North \\\\ \\"gate\\""   # as on the door'
    assert lines[8] == 'aliases = ["NGH", "NCT01"]'
    for kept in ("# ours", 'name = "test"  # stays', "[[facility]]  # the first", "id = 'WEST'",
                 'status = { AR = "arrived" }'):  # fmt: skip
        assert kept in lines
    assert lines[-3:] == ['id = "EAST"', 'name = "Ost"', 'zone = "Europe/Berlin"']
    assert with_facilities(made, rows) == made


def test_a_way_of_writing_that_cannot_be_changed_is_refused() -> None:
    inline = 'facility = [{ id = "NORTH", name = "N", zone = "UTC" }]\n'
    with pytest.raises(SiteError, match="by hand"):
        with_facilities(inline, [{**PLACE, "name": "Other"}])


def test_a_facility_is_put_into_site_toml(home: Home, tmp_path: Path) -> None:
    path = written(tmp_path, "facilities.csv", {**PLACE, "name": "Northgate Hospital", "aliases": "NGH; NOR"})
    change = put(home, path)
    assert (change.rows, change.new, change.changed, change.gone) == (2, 0, 1, 0)
    site = load_site(home.site)
    assert [(f.name, f.aliases) for f in site.facilities] == [
        ("Northgate Hospital", ("NGH", "NOR")), ("Westlake", ()),
    ]  # fmt: skip
    (kept,) = (home.site / "before").iterdir()
    assert kept.read_text("utf-8") == SITE_TOML


def test_days_and_times_are_read_as_the_engine_reads_them() -> None:
    assert site_files.day_of("2026-1-5") == date(2026, 1, 5)
    assert [site_files.minute_of(text) for text in ("0:00", "07:30", "24:00", "24:30", "7.30")] == [
        0, 450, 1440, None, None,
    ]  # fmt: skip
