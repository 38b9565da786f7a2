"""Facilities beside their peers: by hand, and planted cases that a fair comparison must tell apart."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sql.asked import answer_key
from sql.benchmark import BENCHMARK, benchmark
from sql.cases import compared
from sql.catalog import PERCENTILES, Catalog
from sql.filters import Filters
from sql.ordered import percentile_of
from sql.query import QueryError, metric
from sql.snapshot import Snapshot
from sql.strata import stratified
from sql.units import columns_of, units_bundle, units_statement
from tests.snapshots import exam_row, snapshot_of

THROUGH = datetime(2026, 4, 15, 12)
FAST, SLOW = [float(n) for n in range(10, 60)], [float(n) for n in range(210, 310, 2)]


def exams(facility: str, modality: str, values: list[float], add: float = 0.0, n: int = 1) -> list[dict[str, Any]]:
    """Exams one a day, so that no day is unlike the others."""
    day = datetime(2026, 1, 1, 10)
    return [
        exam_row(value + add, str(day + timedelta(days=number)), facility=facility, modality=modality)
        for _ in range(n)
        for number, value in enumerate(values)
    ]


def of(folder: Path, *rows: list[dict[str, Any]]) -> Snapshot:
    return snapshot_of(folder, THROUGH, fct_exam=[row for part in rows for row in part])


def by_facility(snapshot: Snapshot, metric_id: str = "report_final", **asked: Any) -> dict[str, dict[str, Any]]:
    return {row["group_value"]: row for row in benchmark(snapshot, metric_id, **asked).to_dicts()}


def test_another_mix_is_no_other_rate(tmp_path: Path) -> None:
    """NORTH has mostly MR, SOUTH mostly CT; each takes as long at both."""
    north = exams("NORTH", "MR", SLOW, n=4) + exams("NORTH", "CT", FAST)
    snapshot = of(tmp_path, north, exams("SOUTH", "CT", FAST, n=4) + exams("SOUTH", "MR", SLOW))
    for statistic in ("mean", "p50", "p90"):
        found = by_facility(snapshot, statistic=statistic)
        crude = [found[f]["value"] for f in ("NORTH", "SOUTH")]
        assert crude[0] > crude[1] + 20
        for row in found.values():
            assert row["observed"] == pytest.approx(row["expected"])
            assert (row["ratio"], row["limit"]) == (pytest.approx(1), None)
            assert row["z"] is None or row["z"] == pytest.approx(0, abs=1e-9)  # none where all of a stratum are alike
            assert row["standardized"] == pytest.approx(row["network"], rel=0.01)


def test_a_percentile_is_weighted_to_the_network_s_mix(tmp_path: Path) -> None:
    """CT and MR are 5 to 2 in the network, 1 to 1 at NORTH and 4 to 1 at SOUTH."""
    north = exams("NORTH", "MR", SLOW) + exams("NORTH", "CT", FAST)
    snapshot = of(tmp_path, north, exams("SOUTH", "CT", FAST, n=4) + exams("SOUTH", "MR", SLOW))
    for row in by_facility(snapshot, statistic="p50").values():
        assert row["network"] < 60
        assert row["standardized"] == pytest.approx(row["network"], abs=1)


def test_the_factor_of_dispersion_by_hand(tmp_path: Path) -> None:
    """NORTH's exams take 20 min on one day and 40 on another, as SOUTH's do on one: each day's squared z is 19.5."""
    days = [exam_row(value, f"2026-03-{day:02d}", facility=facility) for facility, day, value in (
        ("NORTH", 2, 20.0), ("NORTH", 3, 40.0), ("SOUTH", 2, 20.0), ("SOUTH", 2, 40.0)) for _ in range(10)]  # fmt: skip
    found = by_facility(of(tmp_path, days), statistic="mean")
    assert found["NORTH"]["dispersion"] == pytest.approx(39.0)
    assert found["SOUTH"]["dispersion"] == 1.0


def test_what_is_slower_at_the_same_mix_is_beyond_chance(tmp_path: Path) -> None:
    snapshot = of(tmp_path, *(exams(f, m, v, 120 if f == "NORTH" else 0, n=2) for f in ("EAST", "NORTH", "SOUTH")
                              for m, v in (("CT", FAST), ("MR", SLOW))))  # fmt: skip
    for statistic in ("mean", "p90"):
        found = by_facility(snapshot, statistic=statistic)
        assert (found["NORTH"]["limit"], found["NORTH"]["verdict"]) == ("99.8 %", "worse")
        assert found["SOUTH"]["verdict"] in (None, "better")
        assert found["NORTH"]["ratio_lower"] > 1 > found["SOUTH"]["ratio"]
        assert found["NORTH"]["standardized"] == pytest.approx(found["NORTH"]["value"])  # its mix is the network's


def test_observed_and_expected_by_hand(tmp_path: Path) -> None:
    """CT 30 and 10 exams of 20 and 40 min, mean 25; MR only NORTH's: it has no peers and is left out."""
    snapshot = of(tmp_path, exams("NORTH", "CT", [20.0] * 30), exams("NORTH", "MR", [100.0] * 20),
                  exams("SOUTH", "CT", [40.0] * 10))  # fmt: skip
    found = by_facility(snapshot, statistic="mean")
    north, south = found["NORTH"], found["SOUTH"]
    assert tuple(benchmark(snapshot, "report_final").columns) == tuple(BENCHMARK)
    assert (north["observed"], north["expected"], north["share_alone"]) == (600.0, 750.0, 0.4)
    assert (south["observed"], south["expected"], south["share_alone"]) == (400.0, 250.0, 0.0)
    assert north["network"] == pytest.approx(50.0)
    assert (north["standardized"], south["standardized"]) == (pytest.approx(40.0), pytest.approx(80.0))
    variance = 30 * 0.25 * (30 * 25 + 10 * 225) / 39  # cases × share of the others × variance of the stratum
    assert north["z"] == pytest.approx(-150 / variance**0.5)
    assert south["z"] == pytest.approx(150 / (10 * 0.75 * 3000 / 39) ** 0.5)


def test_days_that_differ_widen_the_limits(tmp_path: Path) -> None:
    """One night of NORTH was bad, the others usual: 30 exams of one day are no 30 proofs."""
    usual = exams("NORTH", "CT", FAST, n=3) + exams("SOUTH", "CT", FAST, n=4)
    bad = [exam_row(90.0, "2026-03-20 02:00", facility="NORTH")] * 30
    row = by_facility(of(tmp_path, usual, bad), statistic="mean")["NORTH"]
    assert row["dispersion"] > 2
    assert row["z"] * row["dispersion"] ** 0.5 > 3.1 > row["z"]


def test_the_filter_of_a_facility_leaves_its_peers_and_the_scope_does_not(tmp_path: Path) -> None:
    snapshot = of(tmp_path, *(exams(f, "CT", FAST) for f in ("EAST", "NORTH", "SOUTH")))
    assert set(by_facility(snapshot, filters=Filters(facility=("NORTH",)))) == {"EAST", "NORTH", "SOUTH"}
    assert set(by_facility(snapshot, filters=Filters().within(["NORTH", "SOUTH"]))) == {"NORTH", "SOUTH"}
    assert benchmark(snapshot, "report_final", filters=Filters().within(["NORTH"])).rows() == []


def test_a_mix_that_is_not_there_cannot_be_weighted(tmp_path: Path) -> None:
    snapshot = of(tmp_path, exams("NORTH", "CT", FAST), exams("NORTH", "MR", SLOW, n=3), exams("SOUTH", "CT", FAST))
    south = by_facility(snapshot, statistic="p90")["SOUTH"]
    assert south["share_uncovered"] == pytest.approx(0.6)
    assert (south["standardized"], south["standardized_lower"]) == (None, None)
    assert south["value"] == metric(snapshot, "report_final", filters=Filters(facility=("SOUTH",)), statistic="p90"
                                    )["value"][0]  # fmt: skip


@pytest.mark.parametrize(("metric_id", "p"), [("report_final", None), ("report_final", 0.9), ("within_target", None)])
def test_the_order_of_rows_does_not_matter(tmp_path: Path, metric_id: str, p: float | None) -> None:
    """To the last bit, whichever thread of the engine comes first."""
    parts = [exams(f, m, [n / 7 for n in of]) for f, m in (("NORTH", "CT"), ("SOUTH", "MR"), ("SOUTH", "CT"))
             for of in (FAST, SLOW)]  # fmt: skip
    asked, snapshot, chance = Catalog.load().metric(metric_id), of(tmp_path, *parts), np.random.default_rng(3)
    bundle = units_bundle(asked, ("facility", "modality"), Filters(), asked.statistic)
    statement, params = units_statement(bundle)
    rows = snapshot.execute(statement, params).to_dicts()
    schema = pa.RecordBatchReader.from_stream(snapshot.execute(statement, params)).schema
    found = []
    for _ in range(5):
        chance.shuffle(rows)
        for row in rows:
            order = chance.permutation(len(row["day"]))
            row.update({name: [row[name][k] for k in order] for name in ("day", *columns_of(asked))})
        found.append(compared(asked, p, pa.Table.from_pylist(rows, schema)))
    assert all(frame.equals(found[0]) for frame in found)
    assert found[0]["dispersion"].null_count() == 0


def test_lists_of_one_row_are_in_one_order() -> None:
    """Whichever threads of the engine gather them: each value tells its day."""
    with duckdb.connect() as con:
        con.execute("SET threads = 4")
        lists = con.execute(
            """SELECT n % 3 AS g, list(CAST(n % 28 AS DOUBLE)) AS v,
                      list(DATE '2026-01-01' + CAST(n % 28 AS INT)) AS day
               FROM range(1_000_000) r(n) GROUP BY g"""
        ).to_arrow_table()
    found = pl.DataFrame(lists)
    assert found.explode("v", "day").select((pl.col("day").dt.day() == pl.col("v") + 1).all()).item()


def test_the_network_is_told_of_the_cases(tmp_path: Path) -> None:
    """Where a facility is asked for; the same as of a question of its own."""
    rows = [*exams("NORTH", "CT", FAST), exam_row(None), exam_row(-3.0), *exams("SOUTH", "MR", SLOW)]
    for statistic in ("mean", "p50", "p90"):
        for name in ("here", "alone"):
            (tmp_path / statistic / name).mkdir(parents=True)
        snapshot = of(tmp_path / statistic / "here", rows)
        benchmark(snapshot, "report_final", filters=Filters(facility=("NORTH",)), statistic=statistic)
        alone = of(tmp_path / statistic / "alone", rows)
        for groups in ((), ("facility",)):
            kept = snapshot.kept(answer_key("report_final", groups, "all", statistic, Filters()))
            assert kept is not None
            assert kept.equals(metric(alone, "report_final", groups=groups, statistic=statistic))


def test_cases_are_beyond_the_percentile_that_is_told(tmp_path: Path) -> None:
    values = [(n * 37 % 101) / 3 for n in range(1, 80)]
    snapshot = of(tmp_path, exams("NORTH", "CT", values))
    for name, p in PERCENTILES.items():
        if p is not None:
            assert percentile_of(np.array(values), p) == metric(snapshot, "report_final", statistic=name)["value"][0]


@pytest.mark.parametrize("asked", [("reads", {}), ("freshness", {}), ("wait", {"strata": ("facility",)}),
                                   ("wait", {"strata": ("moon",)})])  # fmt: skip
def test_what_has_no_case_mix_is_refused(tmp_path: Path, asked: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(QueryError):
        benchmark(of(tmp_path, exams("NORTH", "CT", FAST)), asked[0], **asked[1])


def test_small_strata_go_together_with_their_likes() -> None:
    """A|x has enough; A|y and A|z have together; B|x has not, nor has B: it stands with the rest, alone."""
    keys = [("A", "x")] * 5 + [("A", "y")] * 3 + [("A", "z")] * 2 + [("B", "x")] * 2
    frame = pl.DataFrame({"a": [k[0] for k in keys], "b": [k[1] for k in keys], "cases": [1.0] * len(keys)})
    found = stratified(frame, ["a", "b"], "cases", 5).group_by("stratum", "is_pooled").len().sort("stratum")
    assert found.rows() == [("0", True, 2), ("1 | A", True, 5), ("2 | A | x", False, 5)]


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.integers(1, 9)), min_size=1, max_size=30))
def test_every_stratum_but_the_last_has_enough(rows: list[tuple[str, str, int]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String, "cases": pl.Float64}, orient="row")
    found = stratified(frame, ["a", "b"], "cases", 10)
    assert found["stratum"].null_count() == 0
    sizes = found.group_by("stratum").agg(pl.col("cases").sum())
    assert all(size >= 10 for stratum, size in sizes.iter_rows() if stratum != "0")
