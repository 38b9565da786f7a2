"""The section on what a change would do: nothing is simulated before somebody asks, and a wrong address says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.context import Context
from app.guard import Person
from app.sections import whatif
from app.state import State
from sql.snapshot import open_snapshot
from tests.published import Published


def shown(published: Published, query: str) -> str:
    snapshot = open_snapshot(published.snapshot)
    context = Context(snapshot, State.read(query, snapshot.data_through), Person("somebody", None))
    return json.dumps(whatif.section(context).to_plotly_json(), default=_plain)


def _plain(part: Any) -> Any:
    return part.to_plotly_json()


def test_nothing_is_simulated_before_it_is_asked(published: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whatif, "what_if", None)
    page = shown(published, "")
    assert "One more radiologist 17 to 22 h" in page
    assert "change=add_device%3Amodality%3DCT%2Cfacility%3DEAST" in page


def test_of_a_large_network_places_of_devices_are_those_of_chosen_facilities(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whatif, "MOST_PLACES", 2)
    network, one = shown(published, ""), shown(published, "facility=EAST")
    assert ("add_reader" in network, "add_device" in network, "chosen above" in network) == (True, False, True)
    assert ("add_reader" in one, "add_device" in one, "chosen above" in one) == (True, True, False)


def test_an_answer_shows_the_replay_and_whether_to_trust_it(published: Published) -> None:
    page = shown(published, "change=add_reader%3Ahours%3D17-22")
    assert "Reports past target" in page
    assert "Replayed" in page
    assert "choice on" in page


@pytest.mark.parametrize(
    ("change", "told"),
    [("hire", "a change is one of"), ("add_device:modality=XX,facility=EAST,hours=8-9", "no XX at EAST")],
)
def test_a_wrong_change_is_told(published: Published, change: str, told: str) -> None:
    assert told in shown(published, f"change={change}")
