"""Properties of the parts of a percentile's change, on any values; and the same in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sql import counterfactual
from sql.counterfactual import Mixtures, Weighted
from tests.truth.recompute_parts import percentile_parts
from tests.truth.statistics import quantile

Group = tuple[list[float], list[float]]
lengths = st.integers(0, 40).map(lambda n: n / 2)
period = st.lists(lengths, max_size=6)
#: Two to five groups, each with its earlier and present values; both periods have some.
groups = st.lists(st.tuples(period, period).filter(any), min_size=2, max_size=5).filter(
    lambda gs: any(a for a, _ in gs) and any(b for _, b in gs)
)
chances = st.sampled_from([0.5, 0.75, 0.9, 0.95])


def mixtures(of: list[Group], p: float) -> Mixtures:
    return Mixtures([np.array(a, dtype=float) for a, _ in of], [np.array(b, dtype=float) for _, b in of], p)


def whole(of: list[Group], period: int) -> list[float]:
    return [value for group in of for value in group[period]]


@given(groups, chances)
def test_parts_add_up_to_the_change_of_the_published_percentile(of: list[Group], p: float) -> None:
    mix, rate = mixtures(of, p).effects()
    change = quantile(whole(of, 1), p) - quantile(whole(of, 0), p)
    assert mix.sum() + rate.sum() == pytest.approx(change, abs=1e-9)


@given(groups, chances, st.data())
def test_names_and_their_order_do_not_matter(of: list[Group], p: float, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(of))))
    for one, other in zip(mixtures(of, p).effects(), mixtures([of[n] for n in order], p).effects(), strict=True):
        assert one[order] == pytest.approx(other, abs=1e-9)


@given(groups, chances)
def test_equal_to_plain_python(of: list[Group], p: float) -> None:
    mix, rate = mixtures(of, p).effects()
    names = [f"g{number}" for number in range(len(of))]
    then, now = ({name: group[t] for name, group in zip(names, of, strict=True) if group[t]} for t in (0, 1))
    true = percentile_parts(then, now, p)
    assert [(float(m), float(r)) for m, r in zip(mix, rate, strict=True)] == [
        (pytest.approx(true[n][0], abs=1e-9), pytest.approx(true[n][1], abs=1e-9)) for n in names
    ]


@given(st.lists(st.lists(lengths, min_size=1, max_size=6), min_size=2, max_size=5), chances, st.data())
def test_no_change_of_shares_no_mix_effect(then: list[list[float]], p: float, data: st.DataObject) -> None:
    """Twice as many exams of each group, with any values: all is rate."""
    now = [data.draw(st.lists(lengths, min_size=2 * len(v), max_size=2 * len(v))) for v in then]
    mix, _ = mixtures(list(zip(then, now, strict=True)), p).effects()
    assert mix == pytest.approx(np.zeros(len(then)), abs=1e-9)


@given(st.lists(st.tuples(st.lists(lengths, min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 4)), min_size=2,
                max_size=4), chances)  # fmt: skip
def test_same_distributions_no_rate_effect(of: list[tuple[list[float], int, int]], p: float) -> None:
    """Each group has the values that it had, more or less often; all are as many as they were: all is mix."""
    pairs = [(values * a, values * b) for values, a, b in of]
    then, now = sum(len(a) for a, _ in pairs), sum(len(b) for _, b in pairs)
    pairs = [(a * now, b * then) for a, b in pairs]
    mix, rate = mixtures(pairs, p).effects()
    assert rate == pytest.approx(np.zeros(len(pairs)), abs=1e-9)
    assert mix.sum() == pytest.approx(quantile(whole(pairs, 1), p) - quantile(whole(pairs, 0), p), abs=1e-9)


@given(groups, chances)
@example([([0.0], []), ([], [0.0, 0.0]), ([], [0.0, 1.0]), ([], [0.5, 0.5])], 0.5)  # the last two have the same area
@example(
    [
        ([3.5, 4.5], [0.0, 0.0, 0.0, 0.5, 1.0, 4.0]),
        ([0.0, 3.0, 5.5], [0.0, 0.0, 0.0, 0.5, 1.0, 4.0]),
        ([], [0.0]),
        ([], [5.0]),
        ([], [1.5, 2.0, 2.5]),
    ],
    0.5,
)  # two groups with the same values now
def test_orders_add_up_and_ignore_names_too(of: list[Group], p: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counterfactual, "EXACT", 0)
        mix, rate = mixtures(of, p).effects()
        back = mixtures(of[::-1], p).effects()
    change = quantile(whole(of, 1), p) - quantile(whole(of, 0), p)
    assert mix.sum() + rate.sum() == pytest.approx(change, abs=1e-9)
    if len({(len(a), len(b), *sorted(a), *sorted(b)) for a, b in of}) == len(of):
        assert (mix[::-1], rate[::-1]) == (pytest.approx(back[0], abs=1e-9), pytest.approx(back[1], abs=1e-9))


def test_orders_are_near_every_coalition() -> None:
    rng = np.random.default_rng(7)
    of = [([*rng.exponential(60 + 10 * n, 80)], [*rng.exponential(70 + 5 * n, 60 + 10 * n)]) for n in range(8)]
    exact = mixtures(of, 0.9).effects()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counterfactual, "EXACT", 0)
        near = mixtures(of, 0.9).effects()
    for one, other in zip(exact, near, strict=True):
        assert np.abs(one - other).max() < 0.1 * np.abs(exact[1]).max()


@given(st.lists(lengths, min_size=1, max_size=30), chances)
def test_equal_weights_give_the_usual_percentile(values: list[float], p: float) -> None:
    weights = np.full(len(values), 3.0)
    of = Weighted(np.sort(values), weights, 3.0 * len(values))
    assert of.percentile(p) == pytest.approx(quantile(values, p), abs=1e-9)


def test_weights_stand_for_values() -> None:
    """Two of 10 and one of 40, by weight: the median of 10, 10, 40."""
    of = Weighted(np.array([10.0, 40.0]), np.array([2.0, 1.0]), 3.0)
    assert (of.percentile(0.5, 3), of.percentile(0.75, 3)) == (10.0, 25.0)
    assert of.at(np.array([0.1, 2 / 3, 0.7])).tolist() == [10.0, 10.0, 40.0]
