"""The leadership pack: same bytes, same numbers as the query layer, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.errors import PeriodError, UnreadableInputError
from etl.export import INDIVIDUALS, export_pack, groupings, month
from etl.faults import explain
from etl.home import Home
from etl.publish import publish
from etl.settings import Settings
from sql import query
from sql.cache import ResultCache
from sql.catalog import Catalog, Metric, Version
from sql.csv_text import BOM
from sql.definitions import definitions
from sql.filters import Filters
from sql.metric_macros import install
from sql.snapshot import Snapshot, open_snapshot
from tests.published import MONTH, Published
from tests.warehouse import SITE_TOML, Warehouse, exam

OCTOBER = Filters(since=date(2026, 10, 1), until=date(2026, 11, 1), compare="previous")


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def answers() -> ResultCache:
    """What the pack was answered: the same question is not asked of the engine again."""
    return ResultCache()


@pytest.fixture(scope="module")
def asked(published: Published, answers: ResultCache) -> Snapshot:
    return open_snapshot(published.snapshot, answers)


@pytest.fixture(scope="module")
def pack(published: Published, answers: ResultCache, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "deep" / "pack"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.export.open_snapshot", lambda path: open_snapshot(path, answers))
        export_pack(published.snapshot, MONTH, folder)
    return folder


def test_the_verb_makes_the_same_bytes(published: Published, pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADOPS_HOME", str(published.home.root))
    result = CliRunner().invoke(app, ["export", "--period", MONTH, "--json"])
    assert result.exit_code == 0, result.output
    assert contents(published.home.exports / MONTH) == contents(pack)
    assert [path.name for path in published.home.exports.iterdir()] == [MONTH]


def test_byte_order_mark_is_all_that_differs_in_the_same_folder(
    published: Published, pack: Path, tmp_path: Path
) -> None:
    plain = contents(pack)
    shutil.copytree(pack, tmp_path / "again")
    export_pack(published.snapshot, MONTH, tmp_path / "again", with_bom=True)
    marked = contents(tmp_path / "again")
    assert marked.pop("manifest.json") != plain.pop("manifest.json")
    assert marked == {name: BOM + data if name.endswith(".csv") else data for name, data in plain.items()}
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_manifest_lists_every_file_with_its_hash(published: Published, pack: Path) -> None:
    files = contents(pack)
    manifest = json.loads(files.pop("manifest.json"))
    assert {e["name"]: (e["bytes"], e["sha256"]) for e in manifest["files"]} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    tables = ("summary", "scorecard", "findings", "course", *Catalog.load().metrics)
    assert set(files) == {*(f"{name}.csv" for name in tables), f"radops_{MONTH}.xlsx", f"radops_{MONTH}.pdf"}
    snapshot = open_snapshot(published.snapshot)
    assert manifest["snapshot"]["id"] == snapshot.id
    assert manifest["snapshot"]["digest"] == snapshot.digest
    assert (manifest["since"], manifest["until"], manifest["is_complete"]) == ("2026-10-01", "2026-11-01", True)
    assert manifest["filters"] == OCTOBER.sentence()
    assert manifest["definitions"]["metrics"] == {m.id: m.version for m in Catalog.load().metrics.values()}


@pytest.mark.parametrize("metric_id", Catalog.load().metrics)
def test_files_have_the_numbers_of_the_query_layer(asked: Snapshot, pack: Path, metric_id: str) -> None:
    snapshot, metric = asked, Catalog.load().metric(metric_id)
    rows = table(pack / f"{metric_id}.csv")
    header = (pack / f"{metric_id}.csv").read_text("utf-8").split("\n")[0]
    assert header.startswith(",".join(query.SHAPE))
    expected = [
        (row, statistic)
        for groups in groupings(metric)
        for statistic in (metric.statistics if groups in ((), ("facility",)) else (metric.statistic,))
        for row in query.metric(snapshot, metric_id, groups=groups, filters=OCTOBER, statistic=statistic).to_dicts()
    ]
    assert len(rows) == len(expected)
    for written, (row, statistic) in zip(rows, expected, strict=True):
        assert written["statistic"] == statistic
        assert written["unit"] == metric.unit
        assert written["is_small"] == ("true" if row["n"] < metric.min_n else "false")
        for name in query.SHAPE:
            assert_same(written[name], row[name])


def assert_same(text: str, value: Any) -> None:
    if value is None:
        assert text == ""
    elif isinstance(value, float):
        assert float(text) == pytest.approx(value, rel=1e-11, abs=1e-11)
    else:
        assert text == str(value)


def test_summary_sets_each_facility_against_target_and_month_before(asked: Snapshot, pack: Path) -> None:
    snapshot = asked
    rows = {(row["metric"], row["facility"]): row for row in table(pack / "summary.csv")}
    facilities = set(query.rows(snapshot, "dim_facility")["facility"])
    assert {facility for metric, facility in rows if metric == "report_final"} == {"all", *facilities}
    for metric in Catalog.load().metrics.values():
        groups = ("facility",) if "facility" in metric.groups else ()
        filters = OCTOBER if metric.has_dates else OCTOBER.replace(compare="none")
        for row in query.compare(snapshot, metric.id, groups=groups, filters=filters).to_dicts():
            written = rows[metric.id, row["group_value"]]
            for name in ("value", "n", "previous", "delta", "verdict"):
                assert_same(written[name], row[name])
            assert_same(written["target"], metric.goal)
    assert rows["freshness", "all"]["value"] != ""
    assert rows["freshness", "all"]["previous"] == rows["freshness", "all"]["delta"] == ""


def test_no_person_is_singled_out(published: Published, pack: Path) -> None:
    for metric in Catalog.load().metrics:
        names = {name for row in table(pack / f"{metric}.csv") for name in row["group_name"].split(" | ")}
        assert not names & INDIVIDUALS
    labels = query.rows(open_snapshot(published.snapshot), "dim_radiologist")["radiologist"].to_list()
    text = b"".join(data for name, data in contents(pack).items() if name.endswith((".csv", ".json"))).decode()
    assert labels
    assert not [label for label in labels if label in text]


def test_month_without_data_is_empty_not_zero(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etl.export.definitions", one_of_each_kind)
    manifest = export_pack(published.snapshot, "2031-02", tmp_path / "pack")
    assert manifest["is_complete"] is False
    assert table(tmp_path / "pack" / "report_final.csv") == []
    rows = [row for row in table(tmp_path / "pack" / "summary.csv") if row["metric"] == "report_final"]
    assert rows
    assert all((row["value"], row["n"], row["is_small"]) == ("", "0", "true") for row in rows)


def one_of_each_kind(snapshot: Snapshot) -> dict[str, Metric]:
    """The first metric of each kind, for packs of which only some files are looked at."""
    found = {metric.kind: metric for metric in reversed(definitions(snapshot).values())}
    return {metric.id: metric for metric in (found | {"": definitions(snapshot)["report_final"]}).values()}


def test_formula_as_a_facility_is_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.export.definitions", one_of_each_kind)
    warehouse = Warehouse(tmp_path)
    (warehouse.site / "site.toml").write_text(SITE_TOML.replace('id = "NORTH"', 'id = "=1+1"'), "utf-8")
    warehouse.built(*exam("A1", "2026-03-02 09:00", "2026-03-02 09:30", facility="NGH", final="2026-03-02 10:00"))
    home = Home(tmp_path, Settings(home=tmp_path, key_file=warehouse.key_file))
    home.prepare()
    export_pack(publish(home).path, "2026-03", tmp_path / "pack")
    cells = {cell for path in tmp_path.glob("pack/*.csv") for row in table(path) for cell in row.values()}
    assert "'=1+1" in cells
    assert "=1+1" not in cells


@pytest.mark.parametrize(
    "period", ["2026-13", "2026-00", "2026-1", "26-01", "0000-01", "../x", "2026-01-01", "", "٢٠٢٦-٠١"]
)
def test_wrong_period_is_a_wrong_command_line(period: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADOPS_HOME", str(tmp_path / "home"))
    with pytest.raises(PeriodError):
        month(period)
    result = CliRunner().invoke(app, ["export", "--period", period])
    known = explain(result.exception) if result.exception else None
    assert known is not None
    assert known.exit_code == 2
    assert not (tmp_path / "home").exists()


def test_december_ends_with_the_year() -> None:
    assert (month("2026-12").since, month("2026-12").until) == (date(2026, 12, 1), date(2027, 1, 1))


def test_snapshot_of_another_version_is_told(published: Published, tmp_path: Path) -> None:
    old = tmp_path / "old.duckdb"
    old.write_bytes(published.snapshot.read_bytes())
    with duckdb.connect(str(old)) as con:
        con.execute("ALTER TABLE fct_exam RENAME COLUMN report_final_min TO something")
    with pytest.raises(UnreadableInputError, match="radops rebuild"):
        export_pack(old, MONTH, tmp_path / "pack")
    assert not (tmp_path / "pack").exists()


def test_what_was_redefined_since_the_month_before_is_said(published: Published, tmp_path: Path) -> None:
    """Wait has its second version in the month itself, reads had one long before."""
    metrics = {name: Catalog.load().metrics[name] for name in ("wait", "reads", "report_final")}
    for name, day in (("wait", date(2026, 10, 12)), ("reads", date(2026, 8, 1))):
        old = metrics[name]
        past = (Version("1", date(2026, 1, 1), "a", "first definition"), Version("2", day, "b", "from the door"))
        metrics[name] = replace(old, version="2", history=past)
    path = tmp_path / "other.duckdb"
    shutil.copyfile(published.snapshot, path)
    path.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch, duckdb.connect(str(path)) as con:
        other = replace(Catalog.load(), metrics=metrics)
        patch.setattr(Catalog, "load", lambda: other)
        install(con)
        con.execute("UPDATE meta_snapshot SET signature = 'other'")
    manifest = export_pack(path, MONTH, tmp_path / "pack")
    said = manifest["definitions"]
    assert said["signature"] == "other"
    ours = [line for line in said["redefined"] if line.split(":")[0] in ("wait", "reads")]
    assert ours == ["wait: version 2 since 2026-10-12, 1 before: from the door"]
    assert (said["metrics"]["wait"], said["changed"]["wait"]) == ("2", "2026-10-12")
    rows = table(tmp_path / "pack" / "summary.csv")
    versions = {row["metric"]: (row["version"], row["version_before"]) for row in rows}
    assert (versions["wait"], versions["reads"], versions["report_final"]) == (("2", "1"), ("2", "2"), ("1", "1"))
    assert {row["version"] for row in table(tmp_path / "pack" / "wait.csv")} == {"2"}
