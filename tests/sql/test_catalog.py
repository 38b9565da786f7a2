"""Headers are complete and mean what they say; a file that is not does not load."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from sql.catalog import BETTER, KINDS, Catalog, CatalogError, read_check, read_metric, read_model, signature
from sql.filters import KEYS
from sql.headers import NUMBERS, SQL
from tests.test_rooms import table_names

CATALOG = Catalog.load()
METRIC_FILE = SQL / "metrics" / "302_wait.sql"


@pytest.mark.parametrize("folder", NUMBERS)
def test_every_file_of_a_folder_is_in_the_catalog(folder: str) -> None:
    by_folder = {"metrics": CATALOG.metrics, "checks": CATALOG.checks}
    known = by_folder.get(folder, CATALOG.models)
    low, high = NUMBERS[folder]
    files = {path.stem.partition("_")[2]: int(path.stem[:3]) for path in (SQL / folder).glob("*.sql")}
    assert files
    assert files == {name: item.number for name, item in known.items() if low <= item.number <= high}


def test_numbers_are_given_once() -> None:
    numbers = [int(path.stem[:3]) for folder in NUMBERS for path in (SQL / folder).glob("*.sql")]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("metric_id", CATALOG.metrics)
def test_metric_reads_published_tables_and_shows_its_main_one(metric_id: str) -> None:
    metric = CATALOG.metrics[metric_id]
    read = table_names(metric.body)
    assert metric.table in read
    assert read <= CATALOG.tables.keys() | {"meta_snapshot"}


@pytest.mark.parametrize("metric_id", CATALOG.metrics)
def test_metric_reads_columns_that_its_tables_document(metric_id: str) -> None:
    """Every qualified column of a body is a column of the table behind its alias."""
    tree = sqlglot.parse_one(CATALOG.metrics[metric_id].body, read="duckdb")
    aliases = {t.alias_or_name: t.name for t in tree.find_all(exp.Table)}
    documented = {
        name: {c.name for c in CATALOG.models[name].columns} for name in aliases.values() if name in CATALOG.models
    }
    used = {(aliases[c.table], c.name) for c in tree.find_all(exp.Column) if aliases.get(c.table) in documented}
    assert used
    assert {(table, column) for table, column in used if column not in documented[table]} == set()


@pytest.mark.parametrize("metric_id", CATALOG.metrics)
def test_metric_words_are_known(metric_id: str) -> None:
    metric = CATALOG.metrics[metric_id]
    assert metric.kind in KINDS
    assert metric.better in BETTER
    assert metric.question.endswith("?")
    assert set(metric.filters) <= {*KEYS, "since", "until"}
    assert {"facility"} <= set(metric.groups)
    assert metric.min_n >= 1
    assert metric.unit == "share" or metric.kind != "ratio"
    assert metric.goal is None or metric.target != "none customary"


@pytest.mark.parametrize("table", CATALOG.tables)
def test_key_columns_exist(table: str) -> None:
    model = CATALOG.tables[table]
    assert {part.strip() for part in model.key.split(",")} <= {column.name for column in model.columns}


def written(folder: Path, name: str, text: str, kind: str = "metrics") -> Path:
    path = folder / kind / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


BREACHES = [
    ("-- nulls:", "-- nils:", "header lacks nulls; has unknown nils"),
    ("-- unit: min", "-- unit:", "leaves empty unit"),
    ("-- unit: min", "-- unit: min\n-- unit: h", "repeats unit"),
    ("-- kind: percentile", "-- kind: guess", "kind is one of percentile"),
    ("-- better: lower", "-- better: less", "better is one of lower"),
    ("-- statistic: p50", "-- statistic: p51", "statistic is one of p50"),
    ("-- groups: facility,", "-- groups: colour, facility,", "the body lacks colour"),
    ("e.wait_min AS value", "e.wait_min AS minutes", "the body lacks value"),
    ("-- kind: percentile\n-- statistic: p50", "-- kind: ratio\n-- statistic: value", "the body lacks numerator"),
]


@pytest.mark.parametrize(("old", "new", "told"), BREACHES)
def test_a_breach_names_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = METRIC_FILE.read_text("utf-8")
    assert old in text
    with pytest.raises(CatalogError, match=f"302_wait.sql: .*{told}"):
        read_metric(written(tmp_path, "302_wait.sql", text.replace(old, new)))


def test_a_ratio_says_in_words_what_it_divides(tmp_path: Path) -> None:
    text = (SQL / "metrics" / "331_reads.sql").read_text("utf-8").replace("-- denominator:", "-- goal: 1\n-- x:")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("-- x:"))
    with pytest.raises(CatalogError, match="lacks numerator or denominator"):
        read_metric(written(tmp_path, "331_reads.sql", text))


@pytest.mark.parametrize("name", ["202_wait.sql", "wait.sql", "400_wait.sql"])
def test_a_number_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CatalogError, match=f"{name}: number outside 300-399"):
        read_metric(written(tmp_path, name, METRIC_FILE.read_text("utf-8")))


@pytest.mark.parametrize(
    "line", ["-- column: a VARCHAR | note", "-- column: a VARCHAR - note", "-- column: a VARCHAR - |"]
)
def test_a_column_line_has_four_parts(tmp_path: Path, line: str) -> None:
    text = f"-- name: t\n-- grain: g\n-- key: a\n-- purpose: p\n{line}\nSELECT 1 AS a\n"
    with pytest.raises(CatalogError, match=r"299_t.sql: column is not"):
        read_model(written(tmp_path, "299_t.sql", text, "marts"))


def test_a_model_without_columns_and_a_check_without_purpose_do_not_load(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="lacks column lines"):
        read_model(
            written(tmp_path, "299_t.sql", "-- name: t\n-- grain: g\n-- key: a\n-- purpose: p\nSELECT 1\n", "marts")
        )
    with pytest.raises(CatalogError, match="header lacks purpose"):
        read_check(written(tmp_path, "499_t.sql", "-- name: t\nSELECT 1\n", "checks"))


def test_choices_name_their_own_denominators() -> None:
    told = {c.name: (c.numerator, c.denominator) for c in CATALOG.metric("link_rate").choices}
    assert told["studies"] == ("n_studies_with_order", "n_studies")
    assert CATALOG.metric("utilization").choices == (("value", "numerator", "denominator"),)
    assert CATALOG.metric("share_after_hours").choices == (("value", "numerator", ""),)
    assert CATALOG.metric("wait").statistics == ("p50", "p75", "p90", "p95", "mean")


def test_unknown_metric_names_the_known_ones() -> None:
    with pytest.raises(CatalogError, match="no metric 'speed'; known: order_to_exam, wait"):
        CATALOG.metric("speed")


def test_signature_follows_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = signature()
    text = METRIC_FILE.read_text("utf-8")
    path = written(tmp_path, "302_wait.sql", text)
    monkeypatch.setattr("sql.catalog.SQL", tmp_path)
    one = signature()
    path.write_text(text.replace("version: 1", "version: 2"), "utf-8")
    assert len({before, one, signature()}) == 3
