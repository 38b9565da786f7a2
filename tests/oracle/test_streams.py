"""Random valid streams through oracle and product: equal rows, and one digest however the stream arrives.

`RADOPS_ORACLE_EXAMPLES` sets the number of streams for long runs; they are then drawn anew each time.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle.compare import differences, oracle_rows
from tests.oracle.product import Product
from tests.oracle.streams import Plan, exam_plans, messages, random_plans
from tests.slow import slow

EXAMPLES = int(os.environ.get("RADOPS_ORACLE_EXAMPLES", "0"))
#: Each example builds a warehouse. Shrinking builds many, so CI only reports what it finds.
PROFILE = settings(
    max_examples=EXAMPLES or 4, deadline=None, derandomize=not EXAMPLES, database=None,
    phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def arrivals(sent: list[bytes], seed: int, n_cuts: int = 2) -> list[list[bytes]]:
    """The stream in another order of arrival, a part of it twice, cut into batches."""
    chance = random.Random(seed)  # noqa: S311
    shuffled = chance.sample(sent, len(sent)) + chance.sample(sent, len(sent) // 5)
    cuts = sorted(chance.sample(range(len(shuffled)), min(n_cuts, len(shuffled))))
    return [part for a, b in zip([0, *cuts], [*cuts, None], strict=True) if (part := shuffled[a:b])]


@PROFILE
@given(plans=st.lists(exam_plans, min_size=1, max_size=24), seed=st.integers(0, 2**16))
def test_rows_are_the_oracles(plans: list[Plan], seed: int) -> None:
    sent = messages(plans)
    with tempfile.TemporaryDirectory() as folder:
        product = Product.at(Path(folder) / "p")
        product.digest(arrivals(sent, seed, 1), build_each=True)
        assert differences(oracle_rows(sent), product.exams()) == []


@slow
def test_many_exams_in_every_order_of_arrival(tmp_path: Path) -> None:
    """Hundreds of exams: in order, shuffled in batches that are built one by one, and repeated; one digest."""
    seed = random.randrange(2**32) if EXAMPLES else 3  # noqa: S311
    sent = messages(list(random_plans(random.Random(seed), 300)))  # noqa: S311
    houses = {name: Product.at(tmp_path / name) for name in ("ordered", "shuffled")}
    digests = {houses["ordered"].digest([sent]), houses["shuffled"].digest(arrivals(sent, seed), build_each=True)}
    assert differences(oracle_rows(sent), houses["shuffled"].exams()) == [], f"seed {seed}"
    assert len(digests) == 1, f"seed {seed}"


def test_the_comparison_sees_a_difference() -> None:
    sent = messages(list(random_plans(random.Random(5), 20)))  # noqa: S311
    right = oracle_rows(sent)
    wrong = [dict(row) for row in right]
    wrong[7]["n_addenda"] += 1
    assert differences(right, right) == []
    (line,) = differences(right, wrong)
    assert "n_addenda" in line
    assert len(differences(right, right[1:])) == 1
