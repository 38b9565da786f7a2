"""Control charts: by hand, beside a plain recomputation for every metric, and the same in any client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sql.catalog import PERCENTILES, Catalog, Metric
from sql.filters import Filters
from sql.query import QueryError, control, trend
from sql.snapshot import Snapshot, open_snapshot
from tests.published import Published
from tests.snapshots import exam_row, snapshot_of
from tests.truth.recompute_control import Chart

MONDAY = datetime(2026, 1, 5, 10)
METRICS = Catalog.load().metrics
ADDED = ["center", "low", "high", "widened", "signal", "run_since"]


@pytest.fixture(scope="module")
def network(published: Published) -> Iterator[Snapshot]:
    opened = open_snapshot(published.snapshot)
    yield opened
    opened.close()


def behind(
    snapshot: Snapshot, asked: Metric, groups: Sequence[str], by_day: bool
) -> dict[str, dict[date, list[float]]]:
    """Values of a percentile metric by group and period."""
    found: dict[str, dict[date, list[float]]] = {}
    for row in snapshot.execute(asked.body).iter_rows(named=True):
        if row["value"] is not None and row["value"] >= 0:
            day = row["period_local"].date()
            start = day if by_day else day - timedelta(days=day.weekday())
            name = " | ".join(row[g] or "(none)" for g in groups) or "all"
            found.setdefault(name, {}).setdefault(start, []).append(row["value"])
    return found


def recomputed(snapshot: Snapshot, asked: Metric, frame: pl.DataFrame, period: str, groups: Sequence[str],
               statistic: str) -> list[tuple[Any, ...]]:  # fmt: skip
    p = PERCENTILES[statistic] if asked.kind == "percentile" else None
    kind = "share" if asked.kind == "ratio" else "individuals" if p is None else "quantile"
    values = behind(snapshot, asked, groups, period == "day") if p is not None else {}
    told = {}
    for (name,), part in frame.sort("period_start").group_by(["group_value"]):
        points = part.to_dicts()
        chart = Chart(points, kind, period == "day", p or 0.5, values.get(str(name), {}))
        told |= {(name, x["period_start"]): tuple(t) for x, t in zip(points, chart.told(), strict=True)}
    return [told[row["group_value"], row["period_start"]] for row in frame.iter_rows(named=True)]


@pytest.mark.parametrize("metric_id", METRICS)
def test_every_metric_is_charted_as_recomputed_and_as_in_any_client(network: Snapshot, metric_id: str) -> None:
    asked = METRICS[metric_id]
    for statistic in dict.fromkeys((asked.statistic, *(s for s in ("p90", "mean") if s in asked.statistics))):
        for groups, period in (((), "week"), (("facility",), "week"), ((), "day")):
            asking: dict[str, Any] = {"groups": groups, "period": period, "statistic": statistic}
            frame = control(network, metric_id, **asking)
            course = trend(network, metric_id, **asking)
            assert_frame_equal(frame.select(course.columns), course, check_exact=False, rel_tol=1e-9)
            expected = recomputed(network, asked, course, period, groups, statistic)
            for row, wanted in zip(frame.select(ADDED).rows(), expected, strict=True):
                assert row[:4] == tuple(None if x is None else pytest.approx(x, rel=1e-9, abs=1e-9) for x in wanted[:4])
                assert row[4:] == wanted[4:]
            told = network.execute(
                f"FROM control.{metric_id}(groups := {list(groups)}, period := '{period}', statistic := '{statistic}')"
            )
            assert_frame_equal(told, frame, check_exact=False, rel_tol=1e-9)


def weekly(path: Path, minutes: Sequence[Sequence[float]]) -> Snapshot:
    """Exams of one group: the times to report of each week."""
    rows = [
        exam_row(value, f"{MONDAY + timedelta(weeks=week):%Y-%m-%d %H:%M}", report_final_min=value)
        for week, values in enumerate(minutes) for value in values
    ]  # fmt: skip
    return snapshot_of(path, MONDAY + timedelta(weeks=len(minutes)), fct_exam=rows)


def test_individuals_by_the_moving_range(tmp_path: Path) -> None:
    """Means 10 and 12 in turn: center 11, each moving range 2, sigma 2/1.128, limits 11 ± 5.319."""
    frame = control(weekly(tmp_path, [[10.0], [12.0]] * 5), "report_final", statistic="mean")
    assert frame["chart"].to_list() == ["individuals"] * 10
    assert (
        frame.select("center", "low", "high", "widened").rows()
        == [pytest.approx((11, 11 - 6 / 1.128, 11 + 6 / 1.128, 1))] * 10
    )
    assert frame["signal"].to_list() == [None] * 10


def test_a_point_outside_and_a_limit_at_zero(tmp_path: Path) -> None:
    """15 weeks of 1 minute, then 20: mean 35/16, mean range 19/15; only the last is outside, no limit is below 0."""
    frame = control(weekly(tmp_path, [[1.0]] * 15 + [[20.0]]), "report_final", statistic="mean")
    assert frame["high"][0] == pytest.approx(35 / 16 + 3 * 19 / 15 / 1.128)
    assert frame["low"].to_list() == [0.0] * 16
    assert frame["signal"].to_list()[-1] == "outside"


def test_eight_on_one_side_are_a_run_with_its_begin(tmp_path: Path) -> None:
    """Seven weeks below the center, one on it, then eight above: only the last one is the eighth."""
    means = [8.0, 9.0] * 3 + [8.0, 10.0] + [11.0, 12.0, 11.0, 12.0, 11.0, 12.0, 11.0, 12.0]
    means[7] = sum(means[:7] + means[8:]) / 15  # exactly the mean of all
    frame = control(weekly(tmp_path, [[m] for m in means]), "report_final", statistic="mean")
    assert frame["signal"].to_list() == [None] * 15 + ["run"]
    assert frame["run_since"].to_list()[-1] == date(2026, 3, 2)


def test_seven_points_or_too_few_exams_are_not_judged(tmp_path: Path) -> None:
    short = control(weekly(tmp_path, [[1.0], [2.0]] * 3 + [[1.0]]), "report_final", statistic="mean")
    assert short["center"].null_count() == 7
    (tmp_path / "few").mkdir()
    few = control(weekly(tmp_path / "few", [[float(n) for n in range(9)]] * 10), "report_final")
    assert few["center"].null_count() == 10
    (tmp_path / "enough").mkdir()
    enough = control(weekly(tmp_path / "enough", [[float(n) for n in range(10)]] * 10), "report_final")
    assert enough["center"].null_count() == 0


def test_a_median_between_two_humps_is_no_signal_but_a_new_hump_is(tmp_path: Path) -> None:
    """Half of the reports come at once, half the next day: the median is either. Then all come the next day."""
    humps = [[30.0 + n % 7 for n in range(20 + week % 2)] + [1200.0 + n for n in range(20 + (week + 1) % 2)]
             for week in range(16)]  # fmt: skip
    calm = control(weekly(tmp_path, humps), "report_final")
    assert (max(calm["value"]) > 1000, min(calm["value"]) < 100) == (True, True)
    assert calm["signal"].null_count() == 16
    (tmp_path / "late").mkdir()
    late = control(
        weekly(tmp_path / "late", [*humps, [1300.0 + n for n in range(40)]]), "report_final", statistic="p50"
    )
    assert late["signal"].to_list()[-1] == "outside"
    assert "outside" not in late["signal"].to_list()[:-1]


def test_each_weekday_is_compared_with_its_like(tmp_path: Path) -> None:
    """Weekends take ten times as long: no signal. A Wednesday as slow as a Sunday is one."""
    days = [100.0 + n % 3 if n % 7 > 4 else 10.0 + n % 3 for n in range(42)]
    rows = [exam_row(value, f"{MONDAY + timedelta(days=n):%Y-%m-%d %H:%M}") for n, value in enumerate(days)]
    calm = snapshot_of(tmp_path, MONDAY + timedelta(days=42), fct_exam=rows)
    frame = control(calm, "report_final", period="day", statistic="mean")
    assert frame["signal"].null_count() == 42
    assert frame["center"][5] == pytest.approx(sum(days[5::7]) / 6)
    rows[30]["report_final_min"] = 100.0
    (tmp_path / "slow").mkdir()
    slow = snapshot_of(tmp_path / "slow", MONDAY + timedelta(days=42), fct_exam=rows)
    assert control(slow, "report_final", period="day", statistic="mean")["signal"][30] == "outside"


def test_an_unfinished_week_is_not_judged(tmp_path: Path) -> None:
    snapshot = weekly(tmp_path, [[10.0], [12.0]] * 5)
    cut = control(snapshot, "report_final", statistic="mean", filters=Filters(until=date(2026, 3, 12)))
    assert cut["is_partial"].to_list() == [False] * 9 + [True]
    assert cut["center"].to_list()[-1] is None
    with pytest.raises(QueryError, match="has no period decade"):
        control(snapshot, "report_final", period="decade")


def test_any_client_is_told_what_it_asks_wrongly(network: Snapshot) -> None:
    with pytest.raises(duckdb.Error, match="groups are"):
        network.execute("FROM control.wait(groups := ['colour'])")
