"""Reading no rows of other facilities and devices than those asked for changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from sql.asked import clause_of, dates_of
from sql.candidates import completeness_sql
from sql.catalog import Catalog
from sql.elsewhere import needed
from sql.filters import NO_VALUE, Filters
from sql.query import clocks, completeness, explain, metric, rows
from tests.truth.world import World

METRICS = Catalog.load().metrics
NARROWED = [name for name in METRICS if needed(name, Filters(facility=("NORTH",)))]
DEVICE_TABLES = ("fct_device_busy", "fct_device_day", "fct_device_hour", "fct_device_idle", "fct_room_hour")


def filterings(world: World) -> Iterator[Filters]:
    """Each facility, two of them, and one that a person may see of two, each modality with and without a facility, a
    device, and devices without a modality; over all days and the default ones."""
    names = rows(world.snapshot, "dim_facility", columns=("facility",))["facility"].to_list()
    devices = rows(world.snapshot, "dim_device", columns=("device", "modality")).sort("device")
    modalities = devices["modality"].drop_nulls().unique().sort().to_list()
    for dates in (Filters(), Filters.default(world.snapshot.data_through)):
        yield from (dates.replace(facility=(name,)) for name in names)
        yield dates.replace(facility=tuple(names[:2]))
        yield dates.replace(facility=tuple(names[:2])).within(names[1:2])
        yield dates.within(names[:1])
        yield from (dates.replace(modality=(each,)) for each in modalities)
        yield dates.replace(modality=tuple(modalities[:2]), facility=tuple(names[:1])).within(names)
        yield dates.replace(modality=(modalities[0], NO_VALUE))
        yield dates.replace(device=tuple(devices["device"].head(2)))


@pytest.mark.parametrize("metric_id", NARROWED)
def test_answers_are_those_of_all_rows(world: World, metric_id: str) -> None:
    asked, n = METRICS[metric_id], 0
    for filters in filterings(world):
        for groups in ((), asked.groups[:1], asked.groups[-1:]):
            told = metric(world.snapshot, metric_id, groups=groups, filters=filters)
            shown = explain(metric_id, groups=groups, filters=filters)
            assert told.equals(world.snapshot.execute(shown.sql, shown.params)), (filters, groups)
            n += int(told["n"].sum())
        clause = clause_of(asked, filters)
        sql = completeness_sql(asked, clause.sql, *dates_of(clause), {asked.statistic: ""})
        fates = completeness(world.snapshot, metric_id, filters)
        assert fates.rows() == world.snapshot.execute(sql, clause.params).rows()
    assert n > 0 or completeness(world.snapshot, metric_id).filter(kind="used").is_empty()


def test_only_facilities_that_are_named_are_asked_for() -> None:
    one = Filters(facility=("NORTH",))
    (use,) = needed("prelim_final_discrepancy", one.within(["NORTH", "SOUTH"]))
    held = "w.facility IN ($facility_0) AND w.facility IN ($scope_0, $scope_1)"
    assert use.rule == f"{held} AND w.grade IS NOT NULL LIMIT 1"
    (use,) = needed("prelim_final_discrepancy", one.replace(facility=("NORTH", "SOUTH")))
    assert use.rule == "w.facility IN ($facility_0, $facility_1)"
    for filters in (Filters(), Filters(modality=("CT",)), Filters(facility=("NORTH", NO_VALUE))):
        assert needed("prelim_final_discrepancy", filters) == ()
    assert needed("report_final", one) == ()


def test_only_devices_that_are_named_are_asked_for() -> None:
    told = needed("downtime", Filters(modality=("CT", "MR"), device=("CT1",), facility=("NORTH",)))
    held = "w.facility IN ($facility_0) AND w.modality IN ($modality_0, $modality_1) AND w.device IN ($device_0)"
    assert [(use.alias, use.rule) for use in told] == [("q", held), ("b", held)]
    of_device = "w.device IN (SELECT z.device FROM fct_device_day z WHERE z.modality IN ($modality_0))"
    assert {use.rule for use in needed("third_next_available", Filters(modality=("CT",)))} == {of_device}
    for filters in (Filters(modality=("CT", NO_VALUE)), Filters(facility=("NORTH",), device=(NO_VALUE,)), Filters()):
        assert needed("downtime", filters) == ()
    assert needed("prior_availability", Filters(modality=("CT",))) == ()


@pytest.mark.parametrize("metric_id", NARROWED)
def test_clocks_are_those_of_all_rows(world: World, metric_id: str) -> None:
    for filters in filterings(world):
        with patch("sql.evidence.needed", return_value=()):
            whole = clocks(world.snapshot, metric_id, filters)
        assert clocks(world.snapshot, metric_id, filters).equals(whole), filters


@pytest.mark.parametrize("table", ["fct_repeat", "fct_prior_case"])
def test_a_row_has_the_facility_of_its_exam(world: World, table: str) -> None:
    found = world.snapshot.execute(
        f"SELECT count(*) AS n, count(*) FILTER (WHERE r.facility IS NOT DISTINCT FROM e.facility) AS same "
        f"FROM {table} r LEFT JOIN fct_exam e ON e.exam_key = r.exam_key"
    )
    assert found["n"][0] == found["same"][0] > 0


@pytest.mark.parametrize("table", DEVICE_TABLES)
def test_a_device_has_one_facility_and_one_modality(world: World, table: str) -> None:
    found = world.snapshot.execute(
        f"SELECT device FROM (SELECT DISTINCT device, facility, modality FROM {table}) GROUP BY ALL HAVING count(*) > 1"
    )
    assert found.is_empty()
