"""A masked pack: no small count in it, and nobody who tries all that could be gets one back."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.export import export_pack
from etl.pack_mask import EARLIER, SMALL, View, decide, masked, small_cells
from sql.catalog import Catalog, Metric
from sql.definitions import definitions
from sql.leadership import ALL, MEASURES
from tests.published import MONTH, Published

Told = dict[str, dict[str, int]]  # kind of count -> place -> count
KNOWN = Catalog.load().metrics


def view(metric: str, is_cases: bool = True, month: str = "this", **counts: int) -> View:
    return View(metric, month, is_cases, {**counts, ALL: sum(counts.values())})


def published_of(seen: list[View], hidden: dict[str, set[str]]) -> list[tuple[View, dict[str, int]]]:
    """Each view with what a masked pack tells of it."""
    return [(each, {place: count for place, count in each.counts.items() if place not in hidden.get(each.metric, ())})
            for each in seen]  # fmt: skip


def possible(each: View, told: dict[str, int]) -> dict[str, set[int]]:
    """By brute force: what each masked place may be, given what is told and that all add up."""
    places = [place for place in each.counts if place not in told and place != ALL]
    if ALL not in told:
        return {place: set(range(each.counts[ALL] + 12)) for place in places}
    rest = told[ALL] - sum(count for place, count in told.items() if place != ALL)
    found: dict[str, set[int]] = {place: set() for place in places}
    for counts in itertools.product(range(rest + 1), repeat=max(len(places) - 1, 0)):
        if places and sum(counts) <= rest:
            for place, count in zip(places, (*counts, rest - sum(counts)), strict=True):
                found[place].add(count)
    return found


def check(seen: list[View]) -> dict[str, set[str]]:
    hidden = decide(seen)
    for each, told in published_of(seen, hidden):
        assert not [count for count in told.values() if count in SMALL]
        may_be = possible(each, told)
        for place, count in each.counts.items():
            if place != ALL and count in SMALL:
                assert len(may_be[place]) > 10, (place, may_be[place])
                assert count in may_be[place]
        rest = sum(count for place, count in each.counts.items() if place not in told and place != ALL)
        assert ALL not in told or rest not in SMALL
    return hidden


COUNTS = st.lists(st.one_of(st.integers(0, 14), st.integers(11, 30)), min_size=1, max_size=4)


@given(COUNTS, st.data())
def test_brute_force_finds_no_small_count(cases: list[int], data: st.DataObject) -> None:
    """Cases, hits and misses of one metric, and the cases of the month before."""
    places = [f"F{number}" for number in range(len(cases))]
    hits = [data.draw(st.integers(0, count)) for count in cases]
    before = [data.draw(st.integers(0, 30)) for _ in cases]
    misses = [count - hit for count, hit in zip(cases, hits, strict=True)]
    kinds = ((cases, True, "this"), (hits, False, "this"), (misses, False, "this"), (before, True, "before"))
    check([view("m", is_cases, month, **dict(zip(places, counts, strict=True))) for counts, is_cases, month in kinds])


def test_a_second_place_hides_the_first_and_a_third_a_small_sum() -> None:
    assert (min(SMALL), max(SMALL)) == (1, 10)
    assert check([view("m", A=10, B=30, C=40)]) == {"m": {"A", "B"}}
    assert check([view("m", A=11, B=30, C=40)]) == {}
    assert check([view("m", A=4, B=30, C=40)]) == {"m": {"A", "B"}}
    assert check([view("m", A=4, B=3, C=20, D=40)]) == {"m": {"A", "B", "C"}}
    assert check([view("m", A=4, B=0, C=20)]) == {"m": {"A", "B", "C"}}
    assert check([view("m", A=40, B=0, C=20)]) == {}
    assert check([view("m", A=4)]) == {"m": {"A", ALL}}
    assert check([view("m", A=4, B=3)]) == {"m": {"A", "B", ALL}}
    assert check([view("m", A=50, B=60), view("m", False, A=3, B=55)]) == {"m": {"A", "B"}}


def test_another_metric_does_not_tell_what_one_hides() -> None:
    """Both count the same exams; the complement of the first must not stand in the second, nor the other way round."""
    one, same = view("one", A=4, B=30, C=40), view("two", A=0, B=30, C=40)
    hidden = check([one, same])
    assert hidden == {"one": {"A", "B"}, "two": {"A", "B"}}
    apart = check([one, view("two", A=400, B=300, C=500)])  # other things are counted
    assert apart == {"one": {"A", "B"}}


@given(COUNTS, st.data())
def test_brute_force_over_two_metrics_of_the_same_cases(cases: list[int], data: st.DataObject) -> None:
    """Who takes the equal counts of another metric for those that are masked finds no small one either."""
    places = [f"F{number}" for number in range(len(cases))]
    other = [count if data.draw(st.booleans()) else data.draw(st.integers(0, 40)) for count in cases]
    one, two = (view(name, **dict(zip(places, counts, strict=True))) for name, counts in (("a", cases), ("b", other)))
    hidden = check([one, two])
    for mine, theirs in ((one, two), (two, one)):
        told = {place: count for place, count in mine.counts.items() if place not in hidden.get(mine.metric, ())}
        if ALL not in told:
            continue
        borrowed = {place: theirs.counts[place] for place in places
                    if place not in told and place not in hidden.get(theirs.metric, ())
                    and theirs.counts[place] == mine.counts[place]}  # fmt: skip
        small = [place for place in places if mine.counts[place] in SMALL]
        assert not set(small) & borrowed.keys()
        may_be = possible(mine, told | borrowed)
        assert all(len(may_be[place]) > 10 for place in small)


@pytest.fixture(scope="module")
def packs(published: Published, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The pack as it is, and masked."""

    def of_the_report(snapshot: Any) -> dict[str, Metric]:
        known = definitions(snapshot)
        return {measure.metric: known[measure.metric] for measure in MEASURES}

    root = tmp_path_factory.mktemp("masked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("etl.export.definitions", of_the_report)
        for name, is_masked in (("plain", False), ("masked", True)):
            export_pack(published.snapshot, MONTH, root / name, is_masked=is_masked)
    return root / "plain", root / "masked"


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))


def test_files_hold_no_small_count_and_tell_who_is_masked(packs: tuple[Path, Path]) -> None:
    plain, made = packs
    told = json.loads((made / "manifest.json").read_text("utf-8"))
    assert told["small_cells"] == "masked"
    assert json.loads((plain / "manifest.json").read_text("utf-8"))["small_cells"] == "as they are"
    assert told["masked"]
    tables = [path for path in sorted(made.glob("*.csv")) if path.stem not in ("findings",)]
    n_small = 0
    for path in tables:
        for row in rows(path):
            metric = KNOWN[row.get("metric") or path.stem]
            place = row.get("facility") or row["group_value"]
            if place in told["masked"].get(metric.id, ()):
                assert path.stem in ("summary", "scorecard")
                assert row["is_masked"] == "true"
                assert {row[name] for name in ("value", "n", "previous", "previous_n", "delta", "is_small")} == {""}
                continue
            for value, n in (("value", "n"), ("previous", "previous_n")):
                if row.get(n):
                    assert int(row[n]) not in SMALL
                    if metric.kind == "ratio" and row[value]:
                        hits = round(float(row[value]) * int(row[n]))
                        assert hits not in SMALL
                        assert int(row[n]) - hits not in SMALL
            assert row.get("group_name", ALL) in (ALL, "facility")
    for row in rows(plain / "scorecard.csv"):
        n_small += row["n"].isdigit() and int(row["n"]) in SMALL
    assert n_small > 0  # there was something to mask


def test_what_is_not_masked_is_as_it_was(packs: tuple[Path, Path]) -> None:
    plain, made = packs
    before = {(row["facility"], row["measure"]): row for row in rows(plain / "scorecard.csv")}
    kept = [row for row in rows(made / "scorecard.csv") if row["is_masked"] == "false"]
    assert kept
    for row in kept:
        row.pop("is_masked")
        was = before[row["facility"], row["measure"]]
        earlier = {} if row["facility"] == ALL else dict.fromkeys(EARLIER, "")  # its own edition masks others
        assert row == was | earlier


def test_workbook_report_and_findings_are_masked_too(packs: tuple[Path, Path]) -> None:
    plain, made = packs
    told = json.loads((made / "manifest.json").read_text("utf-8"))["masked"]
    sheet = openpyxl.load_workbook(made / f"radops_{MONTH}_masked.xlsx")["scorecard"]
    head = [cell.value for cell in sheet[1]]
    cells = [dict(zip(head, (cell.value for cell in row), strict=True)) for row in sheet.iter_rows(min_row=2)]
    assert [str(row["n"] or "") for row in cells] == [
        row["n"] if row["n"] != "0" else "" for row in rows(made / "scorecard.csv")]  # fmt: skip
    text = " ".join(" ".join(page.extract_text().split()) for page in
                    pypdf.PdfReader(made / f"radops_{MONTH}_masked.pdf").pages)  # fmt: skip
    assert "Counts of 1 to 10 are masked" in text
    hidden = [row for row in rows(made / "scorecard.csv") if row["is_masked"] == "true"]
    assert text.count(" masked") >= len(hidden)
    for row in rows(made / "findings.csv"):
        metric = next(measure.metric for measure in MEASURES if measure.name == row["measure"])
        assert row["facility"] not in told.get(metric, ())
    assert {row["facility"] for row in rows(made / "course.csv")} <= {ALL}
    assert not (plain / f"radops_{MONTH}_masked.pdf").exists()


def test_the_manifest_says_when_nothing_is_masked() -> None:
    assert small_cells(None) == {"small_cells": "as they are"}
    assert small_cells({}) == {"small_cells": "masked", "masked": {}}


def test_tables_without_small_counts_stay_and_finer_groups_go() -> None:
    shape = {"group_name": ["all", "facility", "facility", "modality"], "group_value": ["all", "A", "B", "CT"],
             "n": [200, 100, 100, 3], "numerator": [1.0] * 4, "denominator": [1.0] * 4, "value": [0.5] * 4,
             "statistic": ["value"] * 4}  # fmt: skip
    made, hidden = masked({"within_target": pl.DataFrame(shape)}, {"within_target": KNOWN["within_target"]})
    assert hidden == {}
    assert made["within_target"]["group_value"].to_list() == ["all", "A", "B"]
    shape["n"] = [109, 100, 9, 3]
    made, hidden = masked({"within_target": pl.DataFrame(shape)}, {"within_target": KNOWN["within_target"]})
    assert hidden == {"within_target": ["A", "B"]}
    assert made["within_target"]["group_value"].to_list() == ["all"]
