"""A snapshot answers with the definitions it was published under; a definition does not change without a version."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from sql import metric_macros, query, shape, versions
from sql.catalog import KINDS, Catalog, CatalogError, Metric, Version, read_metric
from sql.definitions import definitions, is_current
from sql.filters import Filters
from sql.headers import SQL
from sql.shape import Ask, statement
from sql.snapshot import Snapshot, open_snapshot
from sql.spread import spread
from tests.snapshots import exam_row, write_snapshot

THROUGH = datetime(2026, 3, 9)
MARCH = Filters(since=date(2026, 3, 1), until=date(2026, 4, 1), compare="previous")
ROWS = [exam_row(float(n), f"2026-03-0{n % 5 + 1} 10:00", wait_min=n + 100.0, facility="NW"[n % 2],
                 exam_key=f"E{n}") for n in range(20)]  # fmt: skip
#: report_final as it might be one day: another column, another headline statistic.
OTHER = replace(
    Catalog.load().metric("report_final"),
    body=Catalog.load().metric("report_final").body.replace("e.report_final_min AS value", "e.wait_min AS value"),
    statistic="p90", version="2", min_n=3,
    history=(*Catalog.load().metric("report_final").history, Version("2", date(2026, 3, 4), "abc", "from arrival")),
)  # fmt: skip


def published_under(path: Path, *changed: Metric, without: str = "") -> Snapshot:
    """The rows above in a snapshot published under a catalog with changed metrics."""
    metrics = Catalog.load().metrics | {metric.id: metric for metric in changed}
    other = replace(Catalog.load(), metrics={name: metric for name, metric in metrics.items() if name != without})
    write_snapshot(path, {"fct_exam": ROWS}, THROUGH)
    with pytest.MonkeyPatch.context() as patch, duckdb.connect(str(path)) as con:
        patch.setattr(Catalog, "load", lambda: other)
        metric_macros.install(con)
        con.execute("UPDATE meta_snapshot SET signature = ?", [metric_macros.signature()])
    return open_snapshot(path)


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return published_under(tmp_path_factory.mktemp("now") / "now.duckdb")


@pytest.fixture(scope="module")
def then(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return published_under(tmp_path_factory.mktemp("then") / "then.duckdb", OTHER, without="ai_readiness")


def test_a_snapshot_of_this_code_is_told_from_another(now: Snapshot, then: Snapshot) -> None:
    assert is_current(now)
    assert not is_current(then)


def test_definitions_come_back_from_the_snapshot_whole(then: Snapshot) -> None:
    expected = Catalog.load().metrics | {"report_final": OTHER}
    del expected["ai_readiness"]
    assert definitions(then) == expected
    assert list(definitions(then)) == list(expected)


def test_a_metric_that_the_snapshot_lacks_is_not_asked(then: Snapshot) -> None:
    with pytest.raises(CatalogError, match="no metric 'ai_readiness'; known: order_to_exam"):
        query.metric(then, "ai_readiness")


@pytest.mark.parametrize("groups", [(), ("facility",), ("weekday", "facility"), ("shift",)])
def test_every_answer_is_by_the_old_definition(now: Snapshot, then: Snapshot, groups: tuple[str, ...]) -> None:
    """The old report_final is today's wait at p90 on the same exams, in all questions."""
    asked = {"groups": groups, "filters": MARCH}
    wanted = {**asked, "statistic": "p90"}
    assert query.metric(then, "report_final", **asked).equals(query.metric(now, "wait", **wanted))
    assert not query.metric(then, "report_final", **asked).equals(query.metric(now, "report_final", **wanted))
    assert query.compare(then, "report_final", **asked).equals(query.compare(now, "wait", **wanted))
    by_week = query.trend(then, "report_final", period="week", **asked)
    assert by_week.equals(query.trend(now, "wait", period="week", **wanted))
    assert spread(then, "report_final", filters=MARCH).equals(spread(now, "wait", filters=MARCH))
    assert query.completeness(then, "report_final")["n"].to_list() == [20]


def test_an_old_snapshot_folds_rows_as_it_did(now: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fold, finish = shape.KINDS["percentile"]
    monkeypatch.setitem(shape.KINDS, "percentile", (fold.replace("list_sort", "list_reverse_sort"), finish))
    old = published_under(tmp_path / "old.duckdb")
    monkeypatch.undo()
    assert not is_current(old)
    assert query.metric(old, "wait", statistic="p90")["value"].to_list() == [pytest.approx(101.9)]
    assert query.metric(now, "wait", statistic="p90")["value"].to_list() == [pytest.approx(117.1)]


def test_what_did_not_change_answers_the_same(now: Snapshot, then: Snapshot) -> None:
    for metric_id, metric in definitions(then).items():
        if metric_id != "report_final":
            for statistic in metric.statistics:
                ours, theirs = (query.metric(s, metric_id, groups=metric.groups[:1], statistic=statistic)
                                for s in (now, then))  # fmt: skip
                assert ours.equals(theirs), metric_id


@pytest.mark.parametrize("scope", [(), ("N",), ("N", "W"), ("other",)])
@pytest.mark.parametrize("facility", [(), ("N",), ("W",)])
def test_a_scope_holds_for_old_definitions(
    now: Snapshot, then: Snapshot, scope: tuple[str, ...], facility: tuple[str, ...]
) -> None:
    filters = MARCH.replace(facility=facility).within(scope)
    theirs = query.metric(then, "wait", groups=("facility",), filters=filters)
    assert theirs.equals(query.metric(now, "wait", groups=("facility",), filters=filters))
    assert set(theirs["group_value"]) <= set(scope)


def test_every_metric_is_what_its_last_version_says() -> None:
    assert versions.unrecorded(Catalog.load().metrics.values()) == [], "run: python -m sql.versions"


#: Digest of how each kind folds rows to a number. Where one changes, raise the versions of the metrics of that kind,
#: unless the numbers stay (as where counts are summed as DOUBLE, `sql.engine`, or NULL is no more among the least).
FOLDS = {
    "percentile": "89afde10dcf1", "ratio": "797d6dc3914e", "rate": "a7a124a35cd3", "sum": "233cfd441175",
    "last": "938ea742be51", "max": "20439aa4a3ef", "forecast": "a240afa44cf0",
}  # fmt: skip


def test_how_rows_are_folded_is_part_of_the_definition() -> None:
    plain = Ask((), "''", "''", "NULL", "NULL", "NULL", "NULL", "'value'", "TRUE", has_shift=False, order="1")
    wait = replace(Catalog.load().metric("wait"), body="SELECT 1 AS value")
    choice = Catalog.load().metric("reads").choices[:1]
    found = {kind: versions.text_digest(statement(replace(wait, kind=kind, choices=choice), plain)) for kind in KINDS}
    assert found == FOLDS


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    (tmp_path / "metrics").mkdir()
    return Path(shutil.copy(SQL / "metrics" / "302_wait.sql", tmp_path / "metrics"))


def test_another_body_needs_another_version(copied: Path) -> None:
    text = copied.read_text("utf-8")
    copied.write_text(text.replace("FROM fct_exam e", "FROM  fct_exam e -- all\n"), "utf-8")
    assert versions.unrecorded([read_metric(copied)]) == []
    for old, new in (
        ("WHERE e.is_countable", "WHERE TRUE"),
        ("unit: min", "unit: h"),
        ("statistic: p50", "statistic: p90"),
    ):
        copied.write_text(text.replace(old, new), "utf-8")
        assert versions.unrecorded([read_metric(copied)]) == ["wait"]
    versions.record(copied, "counts what does not count", date(2026, 12, 1))
    changed = read_metric(copied)
    assert versions.unrecorded([changed]) == []
    assert (changed.version, changed.changed) == ("2", date(2026, 12, 1))
    assert [past.what for past in changed.history] == ["first definition", "counts what does not count"]
    assert [changed.version_on(date(*day)) for day in ((2020, 1, 1), (2026, 11, 30), (2026, 12, 1))] == ["1", "1", "2"]


def test_other_sql_of_the_same_numbers_keeps_its_version(copied: Path) -> None:
    copied.write_text(
        copied.read_text("utf-8").replace("WHERE e.is_countable", "WHERE e.is_countable AND TRUE"), "utf-8"
    )
    before = read_metric(copied)
    versions.restate(copied)
    after = read_metric(copied)
    assert versions.unrecorded([before]) == ["wait"]
    assert versions.unrecorded([after]) == []
    assert (after.version, after.changed) == (before.version, before.changed)


def test_a_new_metric_gets_its_first_version(copied: Path) -> None:
    text = "".join(line for line in copied.read_text("utf-8").splitlines(keepends=True) if "history" not in line)
    copied.write_text(text, "utf-8")
    assert read_metric(copied).changed is None
    versions.record(copied, versions.FIRST, date(2026, 12, 1))
    assert [past[:2] for past in read_metric(copied).history] == [("1", date(2026, 12, 1))]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("version: 1", "version: 2", "history tells versions 1, the version is 2"),
        ("history: 1 |", "history: 2 |", "history tells versions 2"),
        ("history: 1 | 2026", "history: 1 | 20x6", "history is not"),
        ("| first definition", "", "history is not"),
    ],
)
def test_a_wrong_history_does_not_load(copied: Path, old: str, new: str, told: str) -> None:
    copied.write_text(copied.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(CatalogError, match=told):
        read_metric(copied)
