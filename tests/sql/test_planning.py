"""The two queues by hand: what a change is, who waits for whom, and that nothing changes without a change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from sql.filters import Filters
from sql.planning.cases import Case
from sql.planning.change import Change, ChangeError
from sql.planning.learn import IDLE_PAUSES, Room, Window, learn
from sql.planning.model import model
from sql.planning.reading import Draw, read
from sql.planning.scanning import Visit, starts, visits
from sql.query import what_if
from sql.snapshot import open_snapshot
from tests.published import Published

A_CASE = Case(
    "NORTH", "CT", "HEAD", "NEURO", "stat", "emergency", "CT1", "P", "R", date(2026, 10, 5), True, 0.0, 5.0, 20.0,
    20.0, 30.0, 10.0, 0.0, 60.0, False,
)  # fmt: skip
SEES = frozenset({("NORTH", "emergency", False), ("NORTH", "outpatient", False)})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("add_reader:hours=17-22", "One more radiologist 17 to 22 h"),
        ("add_reader:hours=22:30-8,weekdays=12345,facility=NORTH",
         "One more radiologist 22:30 to 8 h on weekdays for NORTH"),
        ("add_device:modality=CT,facility=EAST,hours=8-16,weekdays=6", "A second CT at EAST 8 to 16 h on Saturdays"),
        ("route:facility=EAST,to=NORTH,modality=MR,service_line=NEURO",
         "MR NEURO of EAST read by the readers of NORTH"),
        ("send:facility=EAST,to=NORTH,modality=CT,weekdays=67",
         "CT patients of EAST examined at NORTH on Saturdays, Sundays"),
    ],
)  # fmt: skip
def test_a_change_is_written_as_it_is_read(text: str, sentence: str) -> None:
    change = Change.parse(text)
    assert Change.parse(str(change)) == change
    assert change.sentence() == sentence


@pytest.mark.parametrize(
    "text",
    ["", "hire:hours=1-2", "add_reader", "add_reader:hours=25-26", "add_reader:hours=8-8", "add_reader:hours=8-9,x=1",
     "add_reader:hours=8-9,weekdays=08", "add_device:modality=CT,hours=8-9", "route:facility=EAST,to=EAST"],
)  # fmt: skip
def test_a_wrong_change_is_refused(text: str) -> None:
    with pytest.raises(ChangeError):
        Change.parse(text)


def visit(arrived: float, length: float, rank: int = 2, ready: float = 0.0) -> Visit:
    return Visit("CT1", "NORTH", "CT", 1, rank, arrived, arrived, length, 5.0, ready, (int(arrived),))


def test_scanner_takes_the_most_urgent_and_a_second_one_halves_the_queue() -> None:
    first, second, urgent = visit(0, 30), visit(1, 30), visit(2, 10, rank=0)
    queue = [first, second, urgent]
    assert starts(queue) == {first: 0, urgent: 35, second: 50}
    assert starts(queue, [(0, 100)]) == {first: 0, second: 1, urgent: 35}
    assert starts(queue, [(20, 100)]) == {first: 0, urgent: 20, second: 35}
    assert starts(queue, [(90, 100)]) == starts(queue)


def test_the_replay_of_a_scanner_is_what_happened() -> None:
    """A visit keeps what the queue does not explain, as a scanner that was down."""
    times = [(0, 5, 20), (4, 24, 40), (6, 160, 170), (200, 203, 210)]
    cases = [replace(A_CASE, patient=str(n), arrived=float(a), started=float(s), ended=float(e))
             for n, (a, s, e) in enumerate(times)]  # fmt: skip
    found = visits(cases)
    assert [v.turnover for v in found] == [62.0] * 4
    found = [replace(v, turnover=4.0) for v in found]
    queue = visits([cases[0], cases[1], cases[3]])
    assert {v.members: at for v, at in starts(queue).items()} == {(0,): 5, (1,): 24, (2,): 203}


def room(*windows: Window) -> Room:
    return Room(list(windows), {("emergency", "stat"): 0, ("outpatient", "routine"): 1}, {}, [])


def drawn(cases: list[Case], ready: list[float]) -> Draw:
    """Chance that makes cases ready at given minutes and every pause as long as the mean."""
    draw = Draw([], room(), 1)
    draw.ready, draw.pause = ready, [1.0] * len(cases)
    return draw


def test_reader_takes_the_most_urgent_and_pauses() -> None:
    routine = replace(A_CASE, patient_class="outpatient", priority="routine", service=20.0, after=7.0)
    cases, ready = [routine, A_CASE, replace(routine, facility="WEST")], [0.0, 1.0, 0.0]
    one = Window(10.0, 90.0, "day", SEES, 2.0)
    assert read(cases, room(one), drawn(cases, ready)) == [10 + 10 + 2 + 20 + 7, 20, None]
    two = Window(10.0, 90.0, "day", SEES, 2.0)
    assert read(cases, room(one), drawn(cases, ready), extra=[two]) == [37, 20, None]
    assert read(cases, room(one), drawn(cases, ready), later={1: 20.0}) == [37, 42, None]
    assert read(cases, room(replace(one, end=15.0)), drawn(cases, ready)) == [None, 20, None]


def test_a_reader_hurries_while_something_most_urgent_waits() -> None:
    """The pause of 8 min after the first read is half as long for the second, which waits; none waits after that."""
    cases = [A_CASE, A_CASE, replace(A_CASE, patient_class="outpatient", priority="routine")]
    one = Window(10.0, 90.0, "day", SEES, 8.0, 0.5)
    assert read(cases, room(one), drawn(cases, [0.0, 1.0, 0.0])) == [20, 20 + 4 + 10, 34 + 8 + 10]


def test_a_reader_of_first_reads_does_not_sign() -> None:
    """A report under which another signs waits on a list of its own."""
    signed = replace(A_CASE, is_signature=True)
    assert read([signed], room(Window(10.0, 90.0, "night", SEES)), drawn([signed], [0.0])) == [None]


def test_how_much_readers_hurry_is_learned_from_what_surely_waited() -> None:
    """Pauses of 4 min before urgent exams that ended long ago, of 10 min before others and before new urgent ones."""
    cases, at = [], 100.0
    for number in range(90):
        kind = ("old", "new", "routine")[number % 3]
        at += 4.0 if kind == "old" else 10.0
        entered = at - (14.0 if kind == "new" else 60.0)
        facts = {"patient_class": "outpatient", "priority": "routine"} if kind == "routine" else {}
        cases.append(replace(A_CASE, ended=entered, entered=entered, begun=at, service=2.0, **facts))
        at += 2.0
    assert learn(cases, lambda _: "day").windows[0].hurry == pytest.approx(0.4)


def test_not_ready_before_something_less_urgent_was_taken_or_a_reader_was_idle() -> None:
    def case(entered: float, begun: float, **facts: str) -> Case:
        return replace(A_CASE, ended=entered, entered=entered, begun=begun, service=2.0, **facts)

    routine = {"patient_class": "outpatient", "priority": "routine"}
    cases = [case(0, 4.0 * n) for n in range(1, 31)]
    cases += [case(110, 130, **routine), case(115, 140), case(141, 200), case(180, 203, **routine)]
    learned = learn(cases, lambda _: "day")
    assert learned.ranks == {("emergency", "stat"): 1, ("outpatient", "routine"): 0}
    assert learned.windows[0].pause < 100 / IDLE_PAUSES
    assert cases[-2].lowest == 200  # idle from 142 on
    assert cases[0].lowest == 0
    assert all(c.entered <= c.lowest <= c.begun for c in cases)


def test_a_report_of_a_list_that_its_reader_does_not_see_says_nothing_of_another() -> None:
    """WEST's exam of 0 h is read at 900 min by one who reads only WEST; NORTH's, ready at 800, was read by another."""
    north = [replace(A_CASE, ended=790.0 + n, entered=790.0 + n, begun=800.0 + 3 * n, service=2.0) for n in range(5)]
    west = [replace(A_CASE, facility="WEST", reader="W", ended=0.0, entered=0.0, begun=900.0 + 3 * n, service=2.0)
            for n in range(5)]  # fmt: skip
    learn([*north, *west], lambda at: "day" if at < 850 else "night")
    assert [case.lowest for case in west] == [0.0] * 5
    learn([*north, *west], lambda _: "day")
    assert [case.lowest for case in west] == [794.0] * 5


def test_without_a_queue_nothing_changes(published: Published) -> None:
    """Routing to readers who read everywhere, and a scanner at an hour without patients, change nothing at all."""
    snapshot = open_snapshot(published.snapshot)
    found = what_if(snapshot, Change.parse("add_device:modality=MR,facility=WEST,hours=1-2"), runs=2)
    assert found.columns[0] == "measure"
    assert found["delta"].to_list() == [0.0] * found.height == found["lower"].to_list()
    assert what_if(snapshot, Change.parse("add_device:modality=MR,facility=WEST,hours=1-2"), runs=2) is found
    with pytest.raises(ChangeError, match="no PT at WEST"):
        what_if(snapshot, Change.parse("add_device:modality=PT,facility=WEST,hours=1-2"), runs=1)


def test_filters_only_say_what_is_counted(published: Published) -> None:
    snapshot = open_snapshot(published.snapshot)
    whole = Filters.default(snapshot.data_through)
    some = whole.replace(facility=("NORTH",))
    alone = what_if(snapshot, Change.parse("add_reader:hours=0-24"), some.within(["EAST"]), runs=1)
    assert alone.is_empty()
    assert len(model(snapshot, some).cases) == len(model(snapshot, whole).cases)
    assert {c.facility for c in model(snapshot, some).cases if c.is_counted} == {"NORTH"}
    assert whole.until is not None
    late = whole.replace(since=whole.until + timedelta(days=50), until=whole.until + timedelta(days=60))
    assert what_if(snapshot, Change.parse("add_reader:hours=0-24"), late, runs=1).is_empty()
