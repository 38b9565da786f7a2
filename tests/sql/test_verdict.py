"""Whether a change is good is said by one rule, of a column and of a single change."""

from __future__ import annotations

import polars as pl
import pytest

from sql.compare import _is_clear, _verdict, judged

CHANGES = [None, -2.5, -0.0, 0.0, 1e-300, 3.0]
BOUNDS = [None, 0.0, 1.0, 2.0]


@pytest.mark.parametrize("better", ["lower", "higher", "neither", ""])
def test_one_change_is_judged_as_a_column_of_them(better: str) -> None:
    frame = pl.DataFrame({"change": CHANGES}).with_columns(verdict=judged(better, pl.col("change")))
    assert [_verdict(better, change) for change in CHANGES] == frame["verdict"].to_list()


def test_intervals_are_clear_where_the_engine_of_frames_says_so() -> None:
    ends = [(a, b, c, d) for a in BOUNDS for b in BOUNDS for c in BOUNDS for d in BOUNDS]
    frame = pl.DataFrame(ends, schema=dict.fromkeys(("lower", "upper", "low", "high"), pl.Float64), orient="row")
    clear = (pl.col("lower") > pl.col("high")) | (pl.col("upper") < pl.col("low"))
    assert [_is_clear(*each) for each in ends] == frame.select(clear)["lower"].to_list()
