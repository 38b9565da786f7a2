"""The URL is the only state: what is read is written again, and links carry it."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from dash import no_update

from app import filterbar
from app.state import State, drill
from sql.filters import FilterError

THROUGH = datetime(2026, 11, 16, 4, 0)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "facility=NORTH&modality=CT",
        "compare=none",
        "since=2026-10-01&until=2026-11-01",
        "since=2026-10-01&until=2026-11-01&compare=year",
        "period=all",
        "facility=NORTH&stat=p90&day=2026-11-02",
        "device=N-CT1&weekday=1&hour=8",
    ],
)
def test_a_state_is_written_as_it_was_read(query: str) -> None:
    assert State.read(f"?{query}", THROUGH).query() == query


def test_without_dates_it_is_the_last_weeks_of_the_data() -> None:
    state = State.read("", THROUGH)
    assert (state.filters.since, state.filters.until) == (date(2026, 10, 20), date(2026, 11, 17))
    assert state.filters.compare == "previous"


def test_unknown_keys_are_left_out_and_wrong_values_are_refused() -> None:
    assert State.read("?utm_source=mail", THROUGH).query() == ""
    with pytest.raises(FilterError):
        State.read("?since=yesterday", THROUGH)
    with pytest.raises(FilterError):
        State.read("?period=sometimes", THROUGH)


def test_drilling_turns_groups_into_filters() -> None:
    state = State.read("?modality=CT&stat=p90", THROUGH)
    assert drill(state, "facility | hour", "NORTH | 8") == "/exams?facility=NORTH&modality=CT&hour=8"
    assert drill(state, "all", "all", show="late") == "/exams?modality=CT&show=late"
    assert drill(state, "patient_class", "(none)") == "/exams?modality=CT&patient_class=%28none%29"


def controls(**chosen: object) -> list[object]:
    values = dict(zip(filterbar.CONTROLS, filterbar.values(State.read("", THROUGH), THROUGH), strict=True))
    return list({**values, **{f"filter-{name}": value for name, value in chosen.items()}}.values())


def synced(used: list[str], search: str, chosen: list[object]) -> list[object]:
    """The answer where the controls show the URL."""
    return filterbar.sync(used, search, chosen, State.read(search, THROUGH).query(), THROUGH)


def test_choosing_writes_the_address_and_keeps_the_rest() -> None:
    answer = synced(["filter-facility"], "?modality=CT&page=3", controls(facility=["NORTH"]))
    assert answer[0] == "?facility=NORTH&modality=CT"
    answer = synced(["filter-period"], "?modality=CT", controls(period="7"))
    assert answer[0] == "?since=2026-11-10&until=2026-11-17&modality=CT&compare=previous"
    answer = synced(["filter-period"], "", controls(period="all"))
    assert answer[0] == "?compare=previous&period=all"


def test_dates_of_the_bar_include_their_last_day() -> None:
    answer = synced(["filter-dates"], "", controls(dates=["2026-11-01", "2026-11-07"]))
    assert answer[0] == "?since=2026-11-01&until=2026-11-08&compare=previous"
    assert synced(["filter-dates"], "", controls(dates=["2026-11-01", None]))[0] is no_update


def test_the_address_sets_the_controls_and_is_left_alone() -> None:
    answer = synced([], "?since=2026-11-10&until=2026-11-17&device=N-CT1", controls())
    shown = dict(zip(filterbar.CONTROLS, answer[2:], strict=True))
    assert answer[0] is no_update
    assert shown["filter-period"] == "7"
    assert shown["filter-dates"] == ["2026-11-10", "2026-11-16"]
    assert shown["filter-device"] == ["N-CT1"]


def test_clearing_goes_back_to_the_default() -> None:
    assert synced(["filter-clear"], "?facility=NORTH&since=2026-11-10", controls())[0] == ""


def test_controls_that_change_together_are_all_taken() -> None:
    chosen = controls(facility=["NORTH"], priority=["stat"])
    assert synced(["filter-facility", "filter-priority"], "", chosen)[0] == "?facility=NORTH&priority=stat"


@pytest.mark.parametrize("shown", [None, "", "facility=EAST"])
def test_controls_that_do_not_show_the_address_yet_change_nothing(shown: str | None) -> None:
    answer = filterbar.sync(["filter-facility", "filter-priority"], "?facility=NORTH", controls(), shown, THROUGH)
    assert answer[:2] == [no_update, "facility=NORTH"]
    assert dict(zip(filterbar.CONTROLS, answer[2:], strict=True))["filter-facility"] == ["NORTH"]
