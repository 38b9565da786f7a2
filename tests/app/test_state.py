"""The URL is the only state: what is read is written again, and links carry it."""

from __future__ import annotations

from datetime import date, datetime

import pytest

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


def after(search: str, **chosen: object) -> str:
    """The query after a person used controls at an address."""
    state = State.read(search, THROUGH)
    return filterbar.after({f"filter-{name}": value for name, value in chosen.items()}, state, THROUGH).query()


def test_choosing_writes_the_address_and_keeps_the_rest() -> None:
    assert after("?modality=CT&page=3", facility=["NORTH"]) == "facility=NORTH&modality=CT"
    assert after("?modality=CT", period="7") == "since=2026-11-10&until=2026-11-17&modality=CT&compare=previous"
    assert after("", period="all") == "compare=previous&period=all"
    assert after("?facility=NORTH", facility=[]) == ""


def test_dates_of_the_bar_include_their_last_day() -> None:
    dates = ["2026-11-01", "2026-11-07"]
    assert after("", dates=dates) == "since=2026-11-01&until=2026-11-08&compare=previous"
    assert after("", dates=["2026-11-01", None]) == ""


def test_the_address_sets_the_controls() -> None:
    values = filterbar.values(State.read("?since=2026-11-10&until=2026-11-17&device=N-CT1", THROUGH), THROUGH)
    shown = dict(zip(filterbar.CONTROLS, values, strict=True))
    assert shown["filter-period"] == "7"
    assert shown["filter-dates"] == ["2026-11-10", "2026-11-16"]
    assert shown["filter-device"] == ["N-CT1"]


def test_clearing_goes_back_to_the_default() -> None:
    assert after("?facility=NORTH&since=2026-11-10", clear=True) == ""


def test_controls_that_change_together_are_all_taken() -> None:
    assert after("", facility=["NORTH"], priority=["stat"]) == "facility=NORTH&priority=stat"


@pytest.mark.parametrize("chosen", [{"unknown": ["x"]}, {"period": "9"}, {"compare": "never"}])
def test_what_no_control_has_changes_nothing(chosen: dict[str, object]) -> None:
    assert after("?modality=CT", **chosen) == "modality=CT"
