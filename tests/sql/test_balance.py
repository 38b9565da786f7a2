"""The balance of work by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sql.balance import workload_balance
from sql.filters import Filters
from sql.query import SHAPE, QueryError
from sql.snapshot import Snapshot
from tests.snapshots import snapshot_of


def of_readers(folder: Path, *work: tuple[float, float]) -> Snapshot:
    """One stretch a reader: wRVU and minutes."""
    rows = [
        {"radiologist": f"r{n}", "facility": "NORTH", "started_local": datetime(2026, 3, 2, 9), "minutes": minutes,
         "n_reads": 1, "n_charged": 1, "wrvu": wrvu}
        for n, (wrvu, minutes) in enumerate(work)
    ]  # fmt: skip
    return snapshot_of(folder, datetime(2026, 3, 31), fct_reading_session=rows)


@pytest.mark.parametrize(
    ("statistic", "numerator", "value"),
    [
        ("cv", 2.0, 0.5),  # rates 2, 4 and 6: mean 4, deviations -2, 0 and 2, variance 8 / 2
        ("gini", 8 / 9, 2 / 9),  # six ordered pairs differ by 2, 4, 2: sum 16, by 2 times 9
    ],
)
def test_spread_over_the_mean(tmp_path: Path, statistic: str, numerator: float, value: float) -> None:
    snapshot = of_readers(tmp_path, (6, 60), (4, 120), (8, 120))
    frame = workload_balance(snapshot, groups=(), statistic=statistic)
    (row,) = frame.to_dicts()
    assert tuple(frame.columns) == SHAPE
    assert (row["group_name"], row["group_value"], row["n"]) == ("all", "all", 3)
    assert (row["numerator"], row["denominator"], row["value"]) == pytest.approx((numerator, 4.0, value))
    assert (row["lower"], row["upper"]) == (None, None)


@pytest.mark.parametrize("statistic", ["cv", "gini"])
def test_all_alike_is_none(tmp_path: Path, statistic: str) -> None:
    frame = workload_balance(of_readers(tmp_path, (3, 60), (6, 120)), groups=("facility",), statistic=statistic)
    assert frame.select("group_value", "n", "value").rows() == [("NORTH", 2, 0.0)]


def test_less_than_an_hour_does_not_count(tmp_path: Path) -> None:
    """An hour does, also in thirds; one reader alone is in no balance."""
    assert workload_balance(of_readers(tmp_path, (3, 60), (9, 59.9))).is_empty()
    thirds = of_readers(tmp_path, (3, 60), (9, 60.0))
    assert workload_balance(thirds, groups=())["n"].to_list() == [2]
    filters = Filters(facility=("WEST",))
    assert workload_balance(thirds, groups=(), filters=filters).is_empty()


@pytest.mark.parametrize("asked", [{"groups": ("radiologist",)}, {"statistic": "sd"}, {"period": "decade"}])
def test_what_it_cannot_answer_is_refused(tmp_path: Path, asked: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        workload_balance(of_readers(tmp_path), **asked)
