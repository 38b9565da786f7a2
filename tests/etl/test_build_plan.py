"""The order of a build: what scopes follow from is made before them, and what reads a scope after them."""

from __future__ import annotations

import inspect
import re

from etl import build_devices, build_ranges, build_reads, build_scope
from etl.build_models import plan_build

#: Modules that derive the scopes; the marts that they read as they were before the build, to find sessions and groups.
SCOPES = (build_scope, build_ranges, build_reads, build_devices)
AS_THEY_WERE = {"fct_reading_session", "fct_device_busy", "fct_device_day", "fct_backlog_hour", "dim_device"}


def names(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def sources(text: str) -> set[str]:
    return set(re.findall(r"(?:FROM|JOIN) (\w+)", text))


def test_what_reads_a_scope_comes_after_all_that_scopes_follow_from() -> None:
    plan = plan_build()
    made: set[str] = set()
    for module in SCOPES:
        made |= set(re.findall(r"TABLE (\w+) AS", inspect.getsource(module)))
    made |= {"touched_backlog", "touched_worklist", "touched_backlog_hour", "read_near", "patient_exam"}
    made |= {"exam_changed", "wait_changed"}
    made -= {name for name in made if name.endswith(("_before", "_now", "_new"))}
    assert {"touched_patient", "touched_device", "touched_radiologist", "device_profile"} <= made
    early = {m.name: names(m.body) & made for m in (*plan.common, *plan.staging, *plan.exam_marts, *plan.scoping)}
    assert {name: read for name, read in early.items() if read} == {}
    assert [m.number for m in plan.marts] == sorted(m.number for m in plan.marts)
    assert plan.scoping[-1].number < plan.marts[0].number


def test_marts_that_scopes_follow_from_are_new_by_then() -> None:
    plan = plan_build()
    known = {m.name for m in (*plan.exam_marts, *plan.scoping, *plan.marts)}
    read = set().union(*(sources(inspect.getsource(module)) for module in SCOPES[1:])) & known
    for function in (build_scope.derive_scopes, build_scope._derive_devices):
        read |= sources(inspect.getsource(function)) & known
    assert "fct_device_start_day" in read
    assert read - AS_THEY_WERE <= {m.name for m in (*plan.exam_marts, *plan.scoping)}
    assert {m.name for m in plan.marts} >= AS_THEY_WERE
