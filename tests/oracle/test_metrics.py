"""Sessions, repeats and every metric that messages feed: what the oracle makes of a stream, SQL makes of the marts.

`RADOPS_ORACLE_SEEDS=1,2,3` asks other streams.
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import fmean, quantiles
from typing import Any

import pytest

from sql.catalog import Catalog
from sql.filters import NO_VALUE
from sql.query import metric
from sql.snapshot import Snapshot
from tests.oracle.facts import read
from tests.oracle.metrics import TABLE, Department, repeats
from tests.oracle.product import SITE, Product
from tests.oracle.streams import messages, random_plans
from tests.slow import first_of

Row = dict[str, Any]
Told = tuple[datetime, Row, str | None, float | None, float, float]  # anchor, whose, part, numerator, denominator, n
Answer = tuple[float | None, float, float]  # value, denominator, n
SEEDS = [int(seed) for seed in os.environ.get("RADOPS_ORACLE_SEEDS", "7,2026").split(",")]
METRICS = Catalog.load().metrics
GROUPS: dict[str, Callable[[datetime, Row, str | None], str | None]] = {
    **{name: lambda _, e, __, name=name: e[name]
       for name in ("facility", "modality", "device", "priority", "patient_class")},
    "weekday": lambda at, *_: str(at.isoweekday()), "hour": lambda at, *_: str(at.hour),
    "shift": lambda at, *_: SITE.shift(at)[2], "milestone": lambda *all: all[2], "interval_name": lambda *all: all[2],
}  # fmt: skip
PERIODS: dict[str, Callable[[datetime], date | None]] = {
    "all": lambda _: None, "day": lambda at: at.date(), "month": lambda at: at.date().replace(day=1),
    "week": lambda at: at.date() - timedelta(days=at.weekday()),
    "quarter": lambda at: date(at.year, (at.month - 1) // 3 * 3 + 1, 1), "year": lambda at: date(at.year, 1, 1),
}  # fmt: skip
#: Metrics whose rows have a day and no hour.
DAILY = ("link_rate", "timestamp_completeness", "negative_intervals")
#: What no known value can be expected of: HL7 messages tell of no images.
EMPTY = ("link_rate:orders", "link_rate:reports")


@pytest.fixture(scope="module", params=first_of(SEEDS))
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Department, Product]:
    sent = messages(list(random_plans(random.Random(request.param), 250)))  # noqa: S311
    product = Product.at(tmp_path_factory.mktemp("oracle") / "p")
    loaded_at = datetime.now(UTC).replace(tzinfo=None)
    product.digest([sent])
    return Department(list(read(b"".join(sent), SITE)), SITE, loaded_at), product


@pytest.fixture(scope="module")
def snapshot(world: tuple[Department, Product]) -> Snapshot:
    return world[1].snapshot()


def test_cut_off(world: tuple[Department, Product], snapshot: Snapshot) -> None:
    assert snapshot.data_through == world[0].through


def test_sessions(world: tuple[Department, Product]) -> None:
    department, product = world
    told = product.house.rows("SELECT device, busy_started_at, busy_ended_at, n_exams FROM fct_device_busy")
    expected = [(s["device"], s["begin"], s["end"], s["n"]) for s in department.sessions]
    assert any(n > 1 for *_, n in expected)
    assert sorted(told) == sorted(expected)


def test_repeats(world: tuple[Department, Product]) -> None:
    department, product = world
    told = product.house.rows("""
        SELECT e.accession, e.exam_started_at, p.exam_started_at, r.kind, r.is_7d, r.is_30d
        FROM fct_repeat r JOIN fct_exam e USING (exam_key) JOIN fct_exam p ON p.exam_key = r.prior_exam_key""")
    expected = list(repeats(department.exams))
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


def rows_of(name: str, department: Department) -> Iterator[Told]:
    """What a metric takes into account, one by one."""
    of, anchors, takes_part, value = TABLE[name]
    for one in getattr(department, of):
        local = next((one[anchor] for anchor in anchors.split() if one[anchor]), None)
        if local is None or not takes_part(one):
            continue
        told = value(one)
        for part, number in told.items() if isinstance(told, dict) else [(None, told)]:
            numerator, denominator, n = number if isinstance(number, tuple) else (number, 1, 1)
            yield local, one, part, numerator, denominator, n


def answer(kind: str, unit: str, rows: list[Told]) -> dict[str, Answer]:
    """Percentiles between order statistics, or a ratio or a sum of what is known; {} where there is nothing."""
    if kind == "percentile":
        known = sorted(r[3] / (1440 if unit == "d" else 1) for r in rows if r[3] is not None and r[3] >= 0)
        cuts = quantiles(known, n=20, method="inclusive") if len(known) > 1 else known * 19
        places = {"p50": 9, "p75": 14, "p90": 17, "p95": 18}
        values = {name: cuts[place] for name, place in places.items()} | {"mean": fmean(known)} if known else {}
        return {name: (values.get(name), len(rows), len(known)) for name in (*places, "mean")}
    told = [r for r in rows if r[3] is not None]
    numerator, denominator = sum(r[3] for r in told), sum(r[4] for r in told)
    value = numerator if kind == "sum" else numerator / denominator if denominator else None
    return {"": (value, denominator, sum(r[5] for r in told))} if denominator else {}


@pytest.mark.parametrize("name", TABLE)
def test_values(
    name: str, world: tuple[Department, Product], snapshot: Snapshot, request: pytest.FixtureRequest
) -> None:
    """The usual statistic with every period and group on the first seed or on those asked for; else the main ones."""
    rows = list(rows_of(name, world[0]))
    known = {row[3] for row in rows} - {None}
    assert len(known) > 1 or name in EMPTY or METRICS[name.partition(":")[0]].kind == "sum"
    assert len(rows) > 3
    metric_id, _, choice = name.partition(":")
    asked = METRICS[metric_id]
    groups = [g for g in asked.groups if g in GROUPS and not (metric_id in DAILY and g in ("hour", "shift"))]
    questions = [("all", ()), ("day", ("facility",)), *((p, ()) for p in PERIODS if p != "all"),
                 *(("all", (g,)) for g in groups)]  # fmt: skip
    is_asked = "RADOPS_ORACLE_SEEDS" in os.environ or request.node.callspec.params["world"] == SEEDS[0]
    is_whole = is_asked and choice in ("", asked.statistic)
    for period, group in questions if is_whole else questions[:2]:
        expected: dict[tuple[date | None, str], list[Told]] = defaultdict(list)
        for row in rows:
            key = (GROUPS[group[0]](*row[:3]) or NO_VALUE) if group else "all"
            expected[PERIODS[period](row[0]), key].append(row)
        answers = {key: answer(asked.kind, asked.unit, some) for key, some in expected.items()}
        statistics = (choice,) if choice else ("p50", "p90", "mean") if asked.kind == "percentile" else ("value",)
        for statistic in statistics if (period, group) == ("all", ()) else statistics[:1]:
            frame = metric(snapshot, metric_id, groups=group, period=period, statistic=statistic)
            told = {
                (r["period_start"] if period != "all" else None, r["group_value"]):
                    (r["value"], r["denominator"], r["n"]) for r in frame.to_dicts()
            }  # fmt: skip
            wanted = {key: found.get(statistic) or found[""] for key, found in answers.items() if found}
            assert told.keys() == wanted.keys(), (period, group, statistic)
            for key, numbers in wanted.items():
                assert told[key] == pytest.approx(numbers, abs=1e-6), (period, group, key, statistic)


@pytest.mark.parametrize("name", ["reads", "wait"])
def test_days_add_up(name: str, snapshot: Snapshot) -> None:
    """Nothing falls between two days, whatever the clocks do in the night."""
    whole = metric(snapshot, name).to_dicts()[0]
    for period in PERIODS:
        parts = metric(snapshot, name, period=period)
        assert (parts["n"].sum(), parts["denominator"].sum()) == (whole["n"], whole["denominator"])
