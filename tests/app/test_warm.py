"""After a publish, views are made beforehand: the first look at each page, what was asked before, other periods."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from app import answers, filterbar, warm
from app.context import Context
from app.gate import Gate
from app.guard import LOCAL, Person
from app.pages import MENU
from app.state import State
from app.views import Views
from app.warm import LONG, Asked, Recent
from sql.snapshot import Store
from sql.words import speaking
from tests.app.test_views import THROUGH, publish
from tests.snapshots import exam_row, write_snapshot

EAST = Person("east", facilities=("EAST",))
FIRST = {(LOCAL, page.path, "light") for page in MENU}
#: The periods of the bar, all days of the one modality and the two facilities that have exams, and of cards' metrics.
N_OTHERS = len(LONG) * (len(filterbar.PERIODS) + 1 + 2) + len(warm._metrics())


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was made: snapshot, person, path, scheme and days."""
    told: list[tuple[Any, ...]] = []

    def noted(context: Context, path: str) -> answers.Answer:
        filters = context.filters
        told.append((context.snapshot.seq, context.person, path, context.scheme, filters.since, filters.modality))
        if path == "/workload":
            raise RuntimeError("a page that fails")
        return answers.plain("problem.unknown")  # what it shows is of no matter here

    monkeypatch.setattr(answers, "shown", noted)
    monkeypatch.setattr(warm, "SHARE", 1e9)  # other periods of the first snapshot alone
    return told


def views(published: Path) -> Views:
    return Views(Store(published), Gate(2, 8, 30.0))


def test_first_looks_and_what_was_asked_are_made_once(tmp_path: Path, made: list[tuple[Any, ...]]) -> None:
    publish(tmp_path, 1, 30)
    served = views(tmp_path)
    warmer = served.warmer()
    warmer.look(LOCAL)
    assert {(person, path, scheme) for _, person, path, scheme, *_ in made} == FIRST | {(LOCAL, "/metric", "light")}
    served.view(LOCAL, "/turnaround", "", "light", {})
    warmer.look(LOCAL)
    assert len(made) == len(MENU) + N_OTHERS
    served.view(EAST, "/repeats", "modality=CT", "dark", {})
    publish(tmp_path, 2, 40)
    made.clear()
    warmer.look(LOCAL)
    assert {seq for seq, *_ in made} == {2}
    assert {told[1:4] for told in made} == FIRST | {(EAST, "/repeats", "dark")}
    assert made[-1][-1] == ("CT",)
    made.clear()
    served.view(EAST, "/repeats", "modality=CT", "dark", {})
    assert made == []


def test_first_looks_are_made_in_the_languages_that_are_asked_for(tmp_path: Path, made: list[tuple[Any, ...]]) -> None:
    publish(tmp_path, 1, 30)
    served, told = views(tmp_path), list[str]()
    warmer = served.warmer()
    makes = warmer._make

    def make(asked: Asked) -> None:
        told.append(asked.language)
        makes(asked)

    warmer._make = make
    with speaking("de"):
        served.view(LOCAL, "/turnaround", "", "light", {})
    warmer.look(LOCAL)
    assert told == ["de"] * (len(MENU) + N_OTHERS)
    served.view(LOCAL, "/", "", "light", {})
    publish(tmp_path, 2, 40)
    told.clear()
    warmer.look(LOCAL)
    assert sorted(told) == ["de"] * len(MENU) + ["en"] * len(MENU)


def test_it_ends_where_another_one_is_published(tmp_path: Path, made: list[tuple[Any, ...]]) -> None:
    publish(tmp_path, 1, 30)
    served = views(tmp_path)
    warmer = served.warmer()
    makes = warmer._make

    def make(asked: Asked) -> None:
        makes(asked)
        if len(made) == 2:
            publish(tmp_path, 2, 40)

    warmer._make = make
    warmer.look(LOCAL)
    assert [seq for seq, *_ in made] == [1, 1]
    warmer.look(LOCAL)
    assert {seq for seq, *_ in made[2:]} == {2}
    assert len(made) == 2 + len(MENU) + N_OTHERS


def test_every_period_of_the_bar_is_there_before_it_is_chosen(tmp_path: Path, made: list[tuple[Any, ...]]) -> None:
    publish(tmp_path, 1, 30)
    served = views(tmp_path)
    served.warmer().look(LOCAL)
    made.clear()
    for period in filterbar.PERIODS:
        served.view(LOCAL, "/turnaround", "", "light", {"filter-period": period})
    assert made == []
    served.view(LOCAL, "/turnaround", "", "light", {"filter-modality": ["CT"]})
    assert len(made) == 1


def test_all_days_of_every_modality_are_there_before_it_is_chosen(tmp_path: Path, made: list[tuple[Any, ...]]) -> None:
    """The one with the most exams first: more people ask for it."""
    modalities = ["MR", "CT", "CT", None, "US", "CT", "US"]
    rows = [exam_row(30.0, f"2026-03-{n:02d} 10:00", modality=name) for n, name in enumerate(modalities, 1)]
    write_snapshot(tmp_path / "radops-000001.duckdb", {"fct_exam": rows}, THROUGH, 1)
    (tmp_path / "radops.duckdb").symlink_to("radops-000001.duckdb")
    served = views(tmp_path)
    served.warmer().look(LOCAL)
    assert [told[-1] for told in made if told[-1] and told[2] == LONG[0]] == [("CT",), ("US",), ("MR",)]
    made.clear()
    for name in ("US", "CT", "MR"):
        served.view(LOCAL, LONG[1], "", "light", {"filter-period": "all", "filter-modality": [name]})
    assert made == []


def test_all_days_of_a_card_s_metric_are_there_before_its_page_is_opened(
    tmp_path: Path, made: list[tuple[Any, ...]]
) -> None:
    publish(tmp_path, 1, 30)
    served = views(tmp_path)
    served.warmer().look(LOCAL)
    made.clear()
    state = filterbar.after({"filter-period": "all"}, State.read("", THROUGH), THROUGH)
    for metric in ("report_final", "utilization", "repeat_exam_rate"):
        served.view(LOCAL, "/metric", state.bare().href("/metric", metric=metric).partition("?")[2], "light", {})
    assert made == []


def test_all_days_of_the_largest_facilities_are_there_before_they_are_chosen(
    tmp_path: Path, made: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "FACILITIES", 2)
    facilities = ["WEST", "NORTH", "EAST", "EAST", "NORTH", "EAST"]
    rows = [exam_row(30.0, f"2026-03-{n:02d} 10:00", facility=name) for n, name in enumerate(facilities, 1)]
    write_snapshot(tmp_path / "radops-000001.duckdb", {"fct_exam": rows}, THROUGH, 1)
    (tmp_path / "radops.duckdb").symlink_to("radops-000001.duckdb")
    served = views(tmp_path)
    served.warmer().look(LOCAL)
    made.clear()
    for name, n in (("EAST", 0), ("NORTH", 0), ("WEST", 2)):
        for path in LONG[:2]:
            served.view(LOCAL, path, "", "light", {"filter-period": "all", "filter-facility": [name]})
        assert len(made) == n


def test_where_exams_cannot_be_counted_the_rest_is_made(
    tmp_path: Path, made: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_args: Any, **_options: Any) -> Any:
        raise RuntimeError("a patient's name")

    publish(tmp_path, 1, 30)
    monkeypatch.setattr(warm, "counts", fails)
    views(tmp_path).warmer().look(LOCAL)
    assert len(made) == len(MENU) + N_OTHERS - 3 * len(LONG)
    assert "exams by modality could not be counted beforehand: RuntimeError" in caplog.text
    assert "patient" not in caplog.text


def test_periods_take_a_part_of_the_time_only(
    tmp_path: Path, made: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    warmer = views(tmp_path).warmer()
    for seq, share, n in ((1, 1e9, N_OTHERS), (2, 1e9, 0), (3, 0, 0)):
        monkeypatch.setattr(warm, "SHARE", share)
        publish(tmp_path, seq, 30 + seq)
        made.clear()
        warmer.look(LOCAL)
        assert len(made) == len(MENU) + n
    made.clear()
    warmer.look(LOCAL)
    assert made == []
    warmer._long_from = 0.0  # so much later
    warmer.look(LOCAL)
    assert len(made) == N_OTHERS + 1, "of the newest, which has none yet; and the page that failed"
    for seq in (4, 5):
        publish(tmp_path, seq, 40 + seq)
        made.clear()
        warmer.look(LOCAL)
        assert len(made) == len(MENU) + N_OTHERS


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds for which nothing was made."""
    told: list[float] = []
    monkeypatch.setattr(warm, "sleep", told.append)
    return told


def test_while_somebody_asks_other_periods_take_a_small_part_of_the_time(
    tmp_path: Path, made: list[tuple[Any, ...]], rests: list[float]
) -> None:
    publish(tmp_path, 1, 30)
    served = views(tmp_path)
    served.warmer().look(LOCAL)
    assert rests == [], "nobody is there"
    publish(tmp_path, 2, 40)
    served.view(LOCAL, "/turnaround", "", "light", {})
    began = time.monotonic()
    served.warmer().look(LOCAL)
    assert len(rests) == N_OTHERS
    assert 0 < sum(rests) <= (time.monotonic() - began) * (warm.PART - 1)


def test_other_periods_wait_until_nothing_else_is_made_but_not_for_ever(
    tmp_path: Path, made: list[tuple[Any, ...]], rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, 1, 30)
    gate = Gate(2, 8, 30.0)
    monkeypatch.setattr(warm, "PATIENCE", 0.01)
    with gate.working():
        Views(Store(tmp_path), gate).warmer().look(LOCAL)
    assert gate.is_idle
    assert len(made) == len(MENU) + N_OTHERS
    assert len(rests) >= N_OTHERS
    assert set(rests) == {warm.STEP_ASIDE}


def test_nothing_is_made_before_the_first_publish(tmp_path: Path, made: list[tuple[Any, ...]]) -> None:
    views(tmp_path).warmer().look(LOCAL)
    assert made == []


def test_the_oldest_is_forgotten() -> None:
    recent = Recent(2)
    asked = [Asked(LOCAL, path, "", "light") for path in ("/a", "/b", "/c")]
    for each in (asked[0], asked[1], asked[0], asked[2]):
        recent.note(each)
    assert recent.all() == [asked[2], asked[0]]
