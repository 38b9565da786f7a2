"""The README says what is: its tables come from the code, its queries, scripts and commands run."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import fields
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from typer.core import TyperCommand

from etl.errors import EXIT_CODES
from etl.home import Home
from etl.readme import README, commands, filled
from etl.scopes import Scope, load_scopes
from etl.settings import Settings
from etl.site import Facility, Sender, load_site
from etl.sources import fhir, hl7
from sql import query
from sql.filters import Filters
from sql.snapshot import open_snapshot
from tests.conftest import REPO
from tests.published import Published

TEXT = README.read_text("utf-8")
SNAPSHOT = ".radops/demo/published/radops.duckdb"
#: Programs of the README's commands that are not ours; `make` is checked against the Makefile.
OTHERS = {"make", "export", "duckdb"}


@pytest.fixture(scope="module")
def snapshot(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: one process opens a file with one configuration, and the query layer's is stricter than a client's."""
    return Path(shutil.copy(published.snapshot, tmp_path_factory.mktemp("analyst") / "radops.duckdb"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def typed() -> list[list[str]]:
    """Commands of the README as words."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]
    return [shlex.split(line, comments=True) for line in lines]


def test_made_parts_are_current() -> None:
    assert filled(TEXT) == TEXT, "run: make docs"


def test_a_stale_part_is_seen() -> None:
    assert filled(TEXT.replace("| 14 |", "| 15 |")) == TEXT


def test_every_setting_verb_and_exit_code_is_named() -> None:
    assert [name for name in Settings.model_fields if f"`RADOPS_{name.upper()}`" not in TEXT] == []
    assert [name for name, _ in commands() if f"`radops {name}" not in TEXT] == []
    assert [code for code in EXIT_CODES if f"| {code} |" not in TEXT] == []


def test_every_key_of_the_site_is_named_and_the_example_loads(tmp_path: Path) -> None:
    example, scopes = blocks("toml")
    (tmp_path / "site.toml").write_text(example, "utf-8")
    site = load_site(tmp_path)
    assert site.facility_of("ngh") is site.facilities[0]
    keys = {field.name for kind in (Facility, Sender) for field in fields(kind)} - {"is_mapped"}
    assert [key for key in keys if not re.search(rf"^{key} = ", example, re.MULTILINE)] == []
    facility = '\n[[facility]]\nid = "{0}"\nname = "{0}"\nzone = "UTC"\n'
    (tmp_path / "site.toml").write_text(example + facility.format("WEST") + facility.format("SOUTH"), "utf-8")
    (tmp_path / "scopes.toml").write_text(scopes, "utf-8")
    home = Home(tmp_path, Settings(home=tmp_path, site=tmp_path))
    assert load_scopes(home) == {"west": Scope("west", ("SOUTH", "WEST"), has_people=False)}


def test_every_kind_of_message_that_is_read_is_named() -> None:
    (section,) = re.findall(r"^## What is read$(.*?)^## ", TEXT, re.DOTALL | re.MULTILINE)
    assert [kind for kind in (*hl7.HANDLERS, *fhir.HANDLERS) if not re.search(rf"\b{kind}\b", section)] == []


def test_what_a_home_holds_is_named(published: Published) -> None:
    made = {path.name for path in published.home.root.iterdir()}
    assert made
    assert [name for name in made if f"`{name}`" not in TEXT and f"`{name}/" not in TEXT] == []


@pytest.mark.parametrize("words", [words for words in typed() if words[0] == "radops"], ids=" ".join)
def test_commands_parse(words: list[str]) -> None:
    known = dict(commands())
    verb = next(name for name in (" ".join(words[1:3]), words[1]) if name in known)
    assert isinstance(known[verb], TyperCommand)
    known[verb].make_context(verb, words[1 + len(verb.split()) :])


def test_other_commands_are_known() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text("utf-8"), re.MULTILINE))
    for words in typed():
        assert words[0] in {"radops", *OTHERS}
        assert words[0] != "make" or words[1] in targets


def test_linked_files_exist() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
    assert links
    assert [link for link in links if not (REPO / link).exists()] == []


def test_queries_are_numbered() -> None:
    numbers = re.findall(r"^\*\*(\d+)\. ", TEXT, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) >= 10
    assert len(blocks("sql")) >= len(numbers) + 5  # and five for a sceptic


@pytest.mark.parametrize("number", range(1, len(blocks("sql")) + 1))
def test_queries_give_sane_answers(snapshot: Path, number: int) -> None:
    with duckdb.connect(str(snapshot), read_only=True) as con:
        answer = con.sql(blocks("sql")[number - 1]).pl()
    assert answer.height > 0
    for name in answer.columns:
        assert answer[name].null_count() < answer.height, name
        if answer[name].dtype.is_numeric() and name != "median_days" and not name.endswith("_part"):
            assert answer[name].min() >= 0, name
        if name.startswith("percent"):
            assert answer[name].max() <= 100, name


def test_the_sceptics_hour_is_the_metrics_at_its_own_bridge(snapshot: Path) -> None:
    (asked,) = [block for block in blocks("sql") if "bridged_min" in block]
    with duckdb.connect(str(snapshot), read_only=True) as con:
        rows = {row[0]: row for row in con.sql(asked).fetchall()}
        metric = con.sql("SELECT n, value FROM metrics.reads_per_hour()").fetchall()
    assert [(rows[30][1], rows[30][3])] == [(n, pytest.approx(value, abs=0.02)) for n, value in metric]
    assert rows[15][3] > rows[30][3] > rows[60][3]


def test_first_query_has_the_numbers_of_the_query_layer(published: Published, snapshot: Path) -> None:
    with duckdb.connect(str(snapshot), read_only=True) as con:
        answer = con.sql(blocks("sql")[0]).pl()
    filters = Filters(since=date(2026, 10, 5), until=date(2026, 11, 2))
    asked = query.metric(open_snapshot(published.snapshot), "report_final", groups=("facility",), filters=filters)
    assert dict(asked.select("group_value", "value").iter_rows()) == dict(
        answer.select("facility", "median_min").iter_rows()
    )


def test_the_parts_of_a_change_are_those_of_the_query_layer(published: Published, snapshot: Path) -> None:
    (asked,) = [block for block in blocks("sql") if "mix_part" in block]
    with duckdb.connect(str(snapshot), read_only=True) as con:
        answer = con.sql(asked).pl()
    filters = Filters(since=date(2026, 10, 1), until=date(2026, 11, 1), compare="previous")
    parts = query.attribution(open_snapshot(published.snapshot), "report_final", by=("modality",), filters=filters,
                              statistic="mean")  # fmt: skip
    ours = {name: (mix, rate) for name, mix, rate in parts.select("group_value", "mix", "rate").iter_rows()}
    assert parts.height == answer.height > 3
    for name, mix, rate in answer.select("modality", "mix_part", "rate_part").iter_rows():
        assert (mix, rate) == (pytest.approx(ours[name][0], abs=1e-9), pytest.approx(ours[name][1], abs=1e-9))


def test_scripts_run(snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / SNAPSHOT
    link.parent.mkdir(parents=True)
    link.symlink_to(snapshot)
    monkeypatch.chdir(tmp_path)
    said: dict[str, object] = {}
    for script in blocks("python"):
        if "spark.read" in script:  # of marts as Parquet: tests/store/test_marts.py
            continue
        exec(compile(script, "README.md", "exec"), said)  # noqa: S102 - our own text
        said["engine"].dispose()  # each is a program of its own
    assert sum(row.n for row in said["volumes"]) > 0
    assert {row["group_name"] for row in said["turnaround"]} == {"facility"}
    assert isinstance(said["weekly"], pl.DataFrame)
    assert said["weekly"].height > 0


def test_through_sqlalchemy_a_snapshot_cannot_be_written(snapshot: Path) -> None:
    engine = create_engine(f"duckdb:///{snapshot}", connect_args={"read_only": True})
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="read-only"):
        connection.execute(text("DELETE FROM fct_exam"))
    engine.dispose()
