"""What became of each row is told by as few columns and joins as it needs, and is the same as with all of them."""

from __future__ import annotations

import pytest

from sql.candidates import candidates, fate_sql
from sql.catalog import Catalog
from tests.truth.world import SEEDS, World

METRICS = {metric.id: metric for metric in Catalog.load().metrics.values() if metric.choices}


@pytest.mark.parametrize("world", SEEDS[:1], indirect=True)
@pytest.mark.parametrize("metric_id", METRICS)
def test_the_fate_of_every_row_is_the_same(world: World, metric_id: str) -> None:
    asked = METRICS[metric_id]
    key = "b.row_key" if "row_key" in candidates(asked) else "b.period_local"
    for statistic in asked.statistics:
        whole, less = (
            world.snapshot.execute(
                f"SELECT {key} AS key, {fate_sql(asked, statistic, 'NULL')} AS fate FROM ({rows}) b ORDER BY ALL"
            )
            for rows in (candidates(asked), candidates(asked, statistic=statistic))
        )
        assert whole.equals(less)
