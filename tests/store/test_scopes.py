"""Snapshots of some facilities: their numbers are those of the whole one, and nothing of another one is in the file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from app import shell
from etl.build_digest import recount, stored
from etl.errors import SettingsError, UnreadableInputError
from etl.home import Home
from etl.log import Log
from etl.pipeline import publish_scopes
from etl.publish import current
from etl.scopes import Scope, chosen, home_of, load_scopes, publish_scope
from etl.store import marts, open_place, shelf
from sql import scoping
from sql.catalog import Catalog
from sql.snapshot import Store
from tests.published import Published
from tests.store.scopes_made import SCOPES, scoped_home

OWN = {"outpatient": ["SOUTH", "WEST"], "teaching": ["NORTH"]}
#: Numbers that the whole snapshot makes with rows of other facilities: of stretches of reading that go on there, by
#: what procedures usually take and weigh, of the forecast, and beside the network's rate.
ACROSS = {
    "reads_per_hour", "wrvu_per_hour", "local_minutes", "local_minutes_per_hour", "queue_by_hour", "forecast_volume",
    "forecast_error", "avoidable_repeats",
}  # fmt: skip
#: Columns that identify something of one facility.
IDENTIFYING = (
    ("fct_exam", "exam_key"), ("fct_exam", "accession"), ("fct_exam", "patient_key"), ("fct_exam", "study_key"),
    ("fct_read", "radiologist"), ("fct_room_stay", "mover_key"), ("fct_room_stay", "stay_key"),
    ("fct_appointment", "appointment_key"), ("dim_device", "device"), ("dim_device", "device_name"),
    ("dim_device", "station"), ("dim_facility", "facility"), ("dim_facility", "facility_name"),
    ("dim_facility_alias", "alias"), ("dq_system_flow", "sender"),
)  # fmt: skip


@pytest.fixture(params=list(OWN))
def both(request: pytest.FixtureRequest, scoped: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection to the whole snapshot (`w`) and that of a scope (`s`), and the scope's name."""
    whole, part = current(scoped), current(home_of(scoped, request.param))
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH '{whole}' AS w (READ_ONLY)")
        con.execute(f"ATTACH '{part}' AS s (READ_ONLY)")
        con.execute("CREATE TABLE own AS SELECT unnest(?) AS facility", [OWN[request.param]])
        yield con, request.param


Both = tuple[duckdb.DuckDBPyConnection, str]


def texts_of(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Every text column of the scope's tables."""
    found = con.execute(
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_catalog = 's' AND table_schema = 'main' AND data_type = 'VARCHAR'
               AND table_name NOT LIKE 'meta%'"""
    )
    return found.fetchall()


def foreign(con: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """By column, what the whole snapshot has of other facilities only."""
    return {
        f"{table}.{column}": {
            row[0]
            for row in con.execute(
                f"""SELECT {column} FROM w.{table} WHERE facility NOT IN (FROM own) AND {column} IS NOT NULL
                    EXCEPT SELECT {column} FROM w.{table} WHERE facility IN (FROM own)"""
            ).fetchall()
        }
        for table, column in IDENTIFYING
    }


def test_no_cell_tells_of_another_facility(both: Both) -> None:
    con, _ = both
    others = foreign(con)
    assert len(others["dim_facility.facility"]) >= 2
    assert len(others["fct_exam.exam_key"]) > 50
    con.execute("CREATE TABLE foreign_value AS SELECT unnest(?) AS v", [sorted(set().union(*others.values()))])
    found = {
        f"{table}.{column}"
        for table, column in texts_of(con)
        if con.execute(f'SELECT count(*) FROM s.{table} WHERE "{column}" IN (FROM foreign_value)').fetchall()[0][0]
    }
    assert found == set()


def test_no_byte_tells_of_another_facility(both: Both, scoped: Home) -> None:
    """Longer names only: `WEST` is also a part of a ward's name. What the engine packs cannot be found; the rest is."""
    con, name = both
    whole, part = current(scoped), current(home_of(scoped, name))
    assert whole is not None
    assert part is not None
    data, all_data = part.read_bytes(), whole.read_bytes()
    names = {text for values in foreign(con).values() for text in sorted(values)[:20] if len(text) > 6}
    plain = {text for text in names if text.encode() in all_data}
    assert len(plain) > 100, "the test would find nothing"
    assert {text for text in plain if text.encode() in data} == set()
    assert not part.with_name(f"{part.name}.wal").exists()


def test_every_table_has_all_rows_of_its_facilities_and_no_others(both: Both) -> None:
    con, _ = both
    tables = [row[0] for row in con.execute("SELECT table_name FROM w.meta_table").fetchall()]
    of_facility = [
        row[0]
        for row in con.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_catalog = 's' AND column_name = 'facility'"
        ).fetchall()
        if row[0] in tables and row[0] not in scoping.DERIVED
    ]
    assert len(of_facility) > 30
    for table in of_facility:
        mine = f"FROM {{}}.{table} WHERE facility IN (FROM own)"
        counts = [con.execute(f"SELECT count(*) {mine.format(side)}").fetchall()[0][0] for side in ("w", "s")]
        assert counts[0] == counts[1], table
        others = con.execute(
            f"SELECT count(*) FROM s.{table} WHERE facility IS NOT NULL AND facility NOT IN (FROM own)"
        ).fetchall()[0][0]
        assert others == 0, table
    assert con.execute("SELECT count(*) FROM s.fct_report_version").fetchall()[0][0] > 0
    for table, column in (("fct_report_version", "exam_key"), ("dim_staffing", "device"), ("fct_slot_day", "device")):
        parent = "fct_exam" if column == "exam_key" else "dim_device"
        strangers = f"SELECT count(*) FROM s.{table} WHERE {column} NOT IN (SELECT {column} FROM s.{parent})"
        assert con.execute(strangers).fetchall() == [(0,)], table


def test_numbers_are_those_of_the_whole(both: Both, scoped: Home) -> None:
    _, name = both
    whole, part = current(scoped), current(home_of(scoped, name))
    different, told = set(), 0
    with duckdb.connect(str(whole), read_only=True) as w, duckdb.connect(str(part), read_only=True) as s:
        for metric in Catalog.load().metrics.values():
            assert "facility" in metric.groups, metric.id
            how = f"groups := ['facility'], period := 'month', facility := {OWN[name]!r}"
            asked = f"FROM metrics.{metric.id}({how}) ORDER BY ALL"
            answers = [repr(side.execute(asked).fetchall()) for side in (w, s)]
            told += answers[0] != "[]"
            if answers[0] != answers[1]:
                different.add(metric.id)
    assert told > 40
    assert different <= ACROSS
    assert {"reads_per_hour", "local_minutes", "forecast_volume"} <= different


def test_a_repeat_tells_that_there_was_one_elsewhere_and_not_which(both: Both) -> None:
    con, _ = both
    elsewhere = con.execute(
        """SELECT count(*), count(prior_exam_key), count(*) FILTER (WHERE kind = 'repeat') FROM s.fct_repeat
           WHERE prior_facility = 'elsewhere'"""
    ).fetchall()[0]
    expected = con.execute(
        "SELECT count(*) FROM w.fct_repeat WHERE facility IN (FROM own) AND prior_facility NOT IN (FROM own)"
    ).fetchall()[0][0]
    assert elsewhere == (expected, 0, 0)
    assert expected > 0


def test_people_are_told_only_where_the_scope_says_so(both: Both) -> None:
    con, name = both
    told = {
        f"{table}.{column}"
        for table, column in texts_of(con)
        if column in scoping.PEOPLE and con.execute(f"SELECT count({column}) FROM s.{table}").fetchall()[0][0]
    }
    assert bool(told) == (name == "teaching")
    n_readers = con.execute("SELECT count(*) FROM s.dim_radiologist").fetchall()[0][0]
    assert bool(n_readers) == (name == "teaching")


def test_a_scope_says_what_it_is_and_can_be_proven(both: Both, scoped: Home) -> None:
    con, name = both
    rows = con.execute(
        """SELECT m.name, m.facilities, m.whole, v.snapshot_id, v.seq, w.snapshot_id, w.seq
           FROM s.meta_scope m, s.meta_snapshot v, w.meta_snapshot w"""
    ).fetchall()
    (told,) = rows
    assert told[:3] == (name, OWN[name], told[5])
    assert told[4] == told[6]
    assert told[3] != told[5]
    part = current(home_of(scoped, name))
    with duckdb.connect(str(part), read_only=True) as s:
        s.execute("SET TimeZone = 'UTC'")
        assert recount(s, list(stored(s))) == stored(s)
    store = Store(home_of(scoped, name).published)
    assert store.current().id == told[3]
    label = {"outpatient": "Outpatient group", "teaching": "teaching"}[name]
    assert scoping.told(store.current()) == (name, tuple(OWN[name]), label)
    assert f"Only {label}" in str(shell.status(store.current())), "each page says that it is not of all facilities"
    assert scoping.told(Store(scoped.published).current()) is None
    assert "Only" not in str(shell.status(Store(scoped.published).current()))


def test_the_same_scope_of_the_same_snapshot_is_not_published_again(scoped: Home) -> None:
    scopes = load_scopes(scoped)
    assert not publish_scope(scoped, scopes["teaching"]).is_new
    with pytest.raises(UnreadableInputError, match="of other facilities"):
        publish_scope(scoped, Scope("teaching", ("EAST",), has_people=True))


def test_every_table_of_the_catalog_has_a_rule() -> None:
    tables = Catalog.load().tables
    assert len(tables) > 50
    for table, model in tables.items():
        scoping.rule_of(table, [column.name for column in model.columns])
    assert scoping.RULES.keys() <= tables.keys()


@pytest.mark.parametrize("columns", [["exam_key", "n"], ["facility", "prior_facility"], ["n"]])
def test_a_table_without_a_rule_is_refused(columns: list[str]) -> None:
    with pytest.raises(scoping.ScopingError, match="fct_new has no rule"):
        scoping.rule_of("fct_new", columns)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[scope.a]\nfacilities = ['NOWHERE']", "no facility NOWHERE"),
        ("[scope.a]\nfacilities = []", "a list of their ids"),
        ("[scope.a]\nfacilities = ['NORTH']\nreaders = true", "has the keys"),
        ("[scope.a]\nfacilities = ['NORTH']\nlabel = 7", "label is a text"),
        ("[scope.'../a']\nfacilities = ['NORTH']", "small letters"),
        ("scope = ", "scopes.toml"),
        ("[scope.a]\nfacilities = ['NORTH']", "no scope b in"),
    ],
)
def test_a_wrong_scope_is_told(published: Published, tmp_path: Path, text: str, said: str) -> None:
    shutil.copytree(published.home.site, tmp_path / "site")
    (tmp_path / "site" / "scopes.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=said):
        chosen(scoped_home(published, tmp_path), ["b"])


def test_publish_makes_scopes_and_puts_them_to_places_of_their_own(published: Published, tmp_path: Path) -> None:
    shutil.copytree(published.home.root, tmp_path / "home", symlinks=True)
    shutil.copytree(published.home.site, tmp_path / "site")
    (tmp_path / "site" / "scopes.toml").write_text(SCOPES, "utf-8")
    home = scoped_home(published, tmp_path)
    home = replace(
        home,
        settings=home.settings.model_copy(
            update={"publish_to": str(tmp_path / "place"), "parquet_to": str(tmp_path / "marts")}
        ),
    )
    facts = publish_scopes(home, Log(home.log, is_quiet=True), ["outpatient"])
    manifest = shelf.newest(open_place(str(tmp_path / "place")).below("scopes/outpatient"))
    whole = shelf.newest(open_place(str(tmp_path / "place")))
    assert manifest is not None
    assert whole is not None
    assert manifest.snapshot_id == facts["scope outpatient"]["snapshot"]
    assert whole.snapshot_id == facts["publish"]["snapshot"]
    assert manifest.digest != whole.digest
    told = marts.newest(open_place(str(tmp_path / "marts")).below("scopes/outpatient"))
    assert told is not None
    assert (told.snapshot_id, told.digest) == (manifest.snapshot_id, manifest.digest)
    assert {mart.path.partition("/")[0] for mart in told.marts.values()} == {manifest.snapshot_id}
