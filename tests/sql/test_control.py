"""Control charts by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl
import pytest

from sql.control import p_chart, signals, xmr

FIRST = date(2026, 1, 5)


def course(
    values: Sequence[float | None], denominators: Sequence[float] = (), *, partial: int | None = None, name: str = "all"
) -> pl.DataFrame:
    """A weekly trend of one group; `partial` is the index of a week that is not over."""
    return pl.DataFrame({
        "period_start": [FIRST + timedelta(weeks=n) for n in range(len(values))],
        "group_value": name,
        "value": pl.Series(values, dtype=pl.Float64),
        "denominator": pl.Series(list(denominators) or [10.0] * len(values), dtype=pl.Float64),
        "is_partial": [n == partial for n in range(len(values))],
    })  # fmt: skip


def bounds(frame: pl.DataFrame) -> list[tuple[float | None, ...]]:
    return frame.select("center", "low", "high").rows()


def test_individuals_by_the_moving_range() -> None:
    """Values 10 and 12 in turn: mean 11, each moving range 2, sigma 2/1.128, limits 11 ± 5.319."""
    found = xmr(course([10, 12] * 5))
    assert bounds(found) == [pytest.approx((11, 11 - 6 / 1.128, 11 + 6 / 1.128))] * 10
    assert found["signal"].to_list() == [None] * 10


def test_a_point_outside_and_one_on_the_limit() -> None:
    """15 values of 10, then 20: mean 10.625, mean range 10/15, limits 10.625 ± 1.773: only the last is outside."""
    found = xmr(course([10.0] * 15 + [20.0]))
    reach = 3 * (10 / 15) / 1.128
    assert bounds(found)[0] == pytest.approx((10.625, 10.625 - reach, 10.625 + reach))
    assert found["signal"].to_list()[-1] == "outside"
    assert signals([3.0, 3.0], [(2.0, 1.0, 3.0), (2.0, 1.0, 2.9)]) == [None, "outside"]


def test_limits_stay_where_values_can_be() -> None:
    found = xmr(course([0, 10] * 4), at_least=0.0, at_most=12.0)
    assert bounds(found)[0] == (5.0, 0.0, 12.0)


def test_a_run_is_eight_on_one_side() -> None:
    limits = [(0.0, -9.0, 9.0)] * 10
    assert signals([1, 2] * 4, limits[:8]) == [None] * 7 + ["run"]
    assert signals([1, 2, 1, 2, 1, 2, 1, -1, 1, 2], limits) == [None] * 10
    assert signals([1, 2, 1, 2, 1, 2, 1, 0, 1, 2], limits) == [None] * 10  # on the line is on no side
    assert signals([-1, -2] * 5, limits) == [None] * 7 + ["run"] * 3


def test_a_trend_is_six_that_rise_or_fall() -> None:
    limits = [(0.0, -9.0, 9.0)] * 7
    assert signals([-3, -2, -1, 1, 2, 3], limits[:6]) == [None] * 5 + ["trend"]
    assert signals([-3, -2, -1, -1, 1, 2, 3], limits) == [None] * 7  # a level step begins anew
    assert signals([3, 2, 1, -1, -2, -3, -4], limits) == [None] * 5 + ["trend"] * 2


def test_a_share_has_limits_by_its_denominator() -> None:
    """40 of 400 in all: 10 %; limits ± 3 sqrt(0.09/n): 0.09 of 100 trials, 0.127 of 50 which is cut at 0."""
    trials = [100, 50, 50, 50, 50, 50, 25, 25]
    found = p_chart(course([0.3, 0.04, 0.06, 0.0, 0.1, 0.0, 0.0, 0.0], trials))
    assert bounds(found)[0] == pytest.approx((0.1, 0.01, 0.19))
    assert bounds(found)[1] == pytest.approx((0.1, 0.0, 0.1 + 3 * (0.09 / 50) ** 0.5))
    assert found["signal"].to_list() == ["outside", *[None] * 7]


def test_what_is_partial_or_unknown_shapes_nothing() -> None:
    whole = xmr(course([10, 12] * 5))
    found = xmr(course([10, 12, None, 10, 12, 10, 12, 10, 12, 10, 12, 99], partial=11))
    assert bounds(found)[0] == pytest.approx(bounds(whole)[0])
    assert [n for n, row in enumerate(bounds(found)) if row == (None, None, None)] == [2, 11]
    assert found["signal"].to_list() == [None] * 12


def test_groups_are_charts_of_their_own_and_keep_their_rows() -> None:
    calm, wild = course([1, 2] * 5, name="calm"), course([10, 90] * 5, name="wild")
    mixed = pl.concat([wild, calm]).sort("period_start", descending=True)
    found = xmr(mixed)
    assert found.drop("center", "low", "high", "signal").equals(mixed)
    assert set(found.select("group_value", "center").rows()) == {("calm", 1.5), ("wild", 50.0)}


def test_too_few_points_have_no_limits() -> None:
    assert bounds(xmr(course([1, 2, 3, 4, 5, 6, 7]))) == [(None, None, None)] * 7
    assert xmr(course([])).is_empty()
