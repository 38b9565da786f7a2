"""The order in which facts lie: what the engine reads at once is a month, and within it a facility."""

from __future__ import annotations

from pathlib import Path

from etl.build_models import read_build_models
from sql.snapshot import open_snapshot
from tests.published import Published
from tests.warehouse import Warehouse, exam

FACTS = tuple(model for model in read_build_models("marts") if model.sorted_by)
#: As the order of a fact is read here, apart from how the build writes it.
LYING = """
    SELECT count(*) AS n FROM (
        SELECT (year({at}) * 12 + month({at}), facility, {at}) AS here,
               lag((year({at}) * 12 + month({at}), facility, {at})) OVER (ORDER BY rowid) AS before
        FROM {mart}) WHERE here < before"""


def test_facts_of_a_month_lie_by_facility_and_then_by_time(tmp_path: Path) -> None:
    told = [
        exam(f"{place}{n}", f"2026-{day} 10:00", f"2026-{day} 10:20", facility=place, mrn=f"{place}{n}")
        for n, day in enumerate(("04-02", "03-05", "03-01", "04-01"))
        for place in ("WEST", "NORTH")
    ]
    house = Warehouse(tmp_path).built(*(row for rows in told for row in rows))
    assert house.rows("SELECT facility, strftime(placed_local, '%m-%d') FROM fct_exam ORDER BY rowid") == [
        ("NORTH", "03-01"), ("NORTH", "03-05"), ("WEST", "03-01"), ("WEST", "03-05"),
        ("NORTH", "04-01"), ("NORTH", "04-02"), ("WEST", "04-01"), ("WEST", "04-02"),
    ]  # fmt: skip


def test_facts_with_a_time_lie_in_one_order(published: Published) -> None:
    snapshot, astray = open_snapshot(published.snapshot), {}
    for model in FACTS:
        if len(model.sorted_by) == 3 and model.sorted_by[0] == f"month of {model.sorted_by[2]}":
            astray[model.name] = snapshot.execute(LYING.format(at=model.sorted_by[2], mart=model.name))["n"].item()
    assert len(astray) > 10
    assert {mart: n for mart, n in astray.items() if n} == {}
