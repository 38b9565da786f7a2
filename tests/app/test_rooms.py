"""A room that nobody tells of is said to be silent; told ones have their stays by what became of them."""

from __future__ import annotations

import json

from plotly.utils import PlotlyJSONEncoder

from app import words
from app.context import Context
from app.pages import utilization


def test_rooms_of_each_facility(context: Context) -> None:
    found = {row["facility"]: row for row in utilization.ROOMS.ask(context).iter_rows(named=True)}
    assert found.keys() == {"EAST", "NORTH", "SOUTH", "WEST"}
    for silent in ("EAST", "WEST"):
        assert found[silent]["value"] is None
        assert found[silent]["utilization"] > 0
    north = found["NORTH"]
    assert 0 < north["utilization"] < north["value"] < 1  # a room holds a patient before and after the exam, too
    assert north["unmapped"] > 0
    assert north["no_departure"] > 0
    assert found["SOUTH"]["used"] > 0


def test_a_silent_room_is_not_shown_as_an_empty_one(context: Context) -> None:
    assert "not reported" in json.dumps(utilization.render(context), cls=PlotlyJSONEncoder)
    assert utilization._of_room(0.0) == words.value(0.0, "share")
    assert "not reported" in str(utilization._of_room(None))
