"""Sessions, repeats and metric values of a random stream: what the oracle makes of messages, SQL makes of the marts."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from sql.filters import NO_VALUE
from sql.query import metric
from sql.snapshot import Snapshot
from tests.oracle.compare import oracle_rows
from tests.oracle.metrics import INTERVALS, answer, found, repeats, sessions
from tests.oracle.product import SITE, Product
from tests.oracle.streams import messages, random_plans

Row = dict[str, Any]
SEEDS = [int(seed) for seed in os.environ.get("RADOPS_ORACLE_SEEDS", "7").split(",")]
GROUPS: dict[str, Callable[[datetime, Row], str | None]] = {
    "facility": lambda _, e: e["facility"], "modality": lambda _, e: e["modality"], "device": lambda _, e: e["device"],
    "priority": lambda _, e: e["priority"], "patient_class": lambda _, e: e["patient_class"],
    "weekday": lambda at, _: str(at.isoweekday()), "hour": lambda at, _: str(at.hour),
}  # fmt: skip
PERIODS: dict[str, Callable[[datetime], date | None]] = {
    "all": lambda _: None, "day": lambda at: at.date(), "month": lambda at: at.date().replace(day=1),
    "week": lambda at: at.date() - timedelta(days=at.weekday()),
    "quarter": lambda at: date(at.year, (at.month - 1) // 3 * 3 + 1, 1), "year": lambda at: date(at.year, 1, 1),
}  # fmt: skip
METRICS = (*INTERVALS, "reads", "repeat_exam_rate")
STATISTICS = {"reads": ("final",), "repeat_exam_rate": ("30d",)}


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Row], Product]:
    sent = messages(list(random_plans(random.Random(request.param), 250)))  # noqa: S311
    product = Product.at(tmp_path_factory.mktemp("oracle") / "p")
    product.digest([sent])
    return oracle_rows(sent), product


@pytest.fixture(scope="module")
def snapshot(world: tuple[list[Row], Product]) -> Snapshot:
    return world[1].snapshot()


def test_sessions(world: tuple[list[Row], Product]) -> None:
    exams, product = world
    told = product.house.rows("SELECT device, busy_started_at, busy_ended_at, n_exams FROM fct_device_busy")
    expected = sessions(exams)
    assert any(n > 1 for *_, n in expected)
    assert sorted(told) == sorted(expected)


def test_repeats(world: tuple[list[Row], Product]) -> None:
    exams, product = world
    told = product.house.rows("""
        SELECT e.accession, e.exam_started_at, p.exam_started_at, r.kind, r.is_7d, r.is_30d
        FROM fct_repeat r JOIN fct_exam e USING (exam_key) JOIN fct_exam p ON p.exam_key = r.prior_exam_key""")
    expected = list(repeats(exams))
    assert len(expected) > 10
    rows = [(e["accession"], e["exam_started_at"], p[0]["exam_started_at"], days <= 7, days <= 30)
            for e, p, days in expected]  # fmt: skip
    assert Counter((a, at, before, week, month) for a, at, before, _, week, month in told) == Counter(rows)
    kinds = defaultdict(set)
    for e, priors, _ in expected:
        kinds[e["accession"], e["exam_started_at"]] |= {
            "repeat" if p["facility"] == e["facility"] else "duplicate" for p in priors
        }
    assert all(kind in kinds[accession, at] for accession, at, _, kind, _, _ in told)


@pytest.mark.parametrize("name", METRICS)
def test_values(name: str, world: tuple[list[Row], Product], snapshot: Snapshot) -> None:
    exams, _ = world
    rows = [(local, e, value) for local, e, value in found(name, exams, SITE) if local is not None]
    assert rows
    for period, group in (*((p, "") for p in PERIODS), *(("all", g) for g in GROUPS), ("day", "facility")):
        expected: dict[tuple[date | None, str], list[float | None]] = defaultdict(list)
        for local, e, value in rows:
            key = (GROUPS[group](local, e) or NO_VALUE) if group else "all"
            expected[PERIODS[period](local), key].append(value)
        for statistic in STATISTICS.get(name, ("p50", "p90", "mean") if period == "all" else ("p50",)):
            frame = metric(snapshot, name, groups=(group,) if group else (), period=period, statistic=statistic)
            told = {(r["period_start"] if period != "all" else None, r["group_value"]): r for r in frame.to_dicts()}
            wanted = {k: a for k, v in expected.items() if (a := answer(name, v)) is not None}
            assert told.keys() == wanted.keys(), (period, group, statistic)
            for key, numbers in wanted.items():
                row = told[key]
                assert row["value"] == pytest.approx(numbers.get(statistic), abs=1e-9), (period, group, key, statistic)
                assert row["n"] == numbers.get("n", row["n"]), (period, group, key)
                assert row["denominator"] == numbers.get("of", row["denominator"])


@pytest.mark.parametrize("name", ["reads", "wait"])
def test_days_add_up(name: str, snapshot: Snapshot) -> None:
    """Nothing falls between two days, whatever the clocks do in the night."""
    whole = metric(snapshot, name).to_dicts()[0]
    for period in PERIODS:
        parts = metric(snapshot, name, period=period)
        assert (parts["n"].sum(), parts["denominator"].sum()) == (whole["n"], whole["denominator"])
