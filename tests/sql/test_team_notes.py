"""Notes of the team: kept by version, several writers at once, shown where their filters are covered."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from sql.filters import Filters
from sql.team import notes
from sql.team.notes import Draft, Note
from sql.team.store import Team, TeamError
from sql.team.words import address, line
from tests.conftest import REPO
from tests.snapshots import snapshot_of

NORTH, SOUTH = Filters(facility=("NORTH",)), Filters(facility=("SOUTH",))
OCTOBER = {"since": date(2026, 10, 1), "until": date(2026, 11, 1)}


def draft(told: str = "New MR 3 opened", filters: Filters = NORTH, day: int = 12, last: int | None = None) -> Draft:
    return Draft(date(2026, 10, day), date(2026, 10, last or day), filters, told)


def note(filters: Filters, since: int = 12, until: int = 13) -> Note:
    days = date(2026, 10, since), date(2026, 10, until)
    at = datetime(2026, 10, 12)
    return Note("0" * 16, 1, notes.ADDED, *days, filters, "x", "ann", at, "ann", at)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def test_nothing_is_made_by_reading(team: Team) -> None:
    assert notes.newest(team) == []
    assert team.revision() == 0
    assert not team.path.parent.exists()


def test_a_note_is_kept_for_nobody_else(team: Team) -> None:
    notes.add(team, draft(), "ann")
    assert stat.S_IMODE(team.path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(team.path.stat().st_mode) == 0o600


def test_every_version_is_kept(team: Team) -> None:
    made = notes.add(team, draft(), "ann")
    notes.change(team, made, 1, draft("New MR 3 opened at noon", SOUTH, 13, 14), "bob")
    notes.withdraw(team, made, 2, "eve")
    told = [(n.version, n.action, n.since.day, n.last.day, n.filters, n.text, n.author, n.created_by)
            for n in notes.versions(team)]  # fmt: skip
    assert told == [
        (1, "added", 12, 12, NORTH, "New MR 3 opened", "ann", "ann"),
        (2, "changed", 13, 14, SOUTH, "New MR 3 opened at noon", "bob", "ann"),
        (3, "withdrawn", 13, 14, SOUTH, "New MR 3 opened at noon", "eve", "ann"),
    ]
    assert [n.version for n in notes.newest(team)] == [3]
    assert notes.covering(notes.newest(team), Filters()) == []


def test_whoever_saw_an_older_version_is_told(team: Team) -> None:
    made = notes.add(team, draft(), "ann")
    notes.change(team, made, 1, draft("second"), "bob")
    for act in (
        lambda: notes.change(team, made, 1, draft("lost?"), "ann"),
        lambda: notes.withdraw(team, made, 1, "ann"),
    ):
        with pytest.raises(TeamError, match="changed"):
            act()
    assert [n.text for n in notes.newest(team)] == ["second"]
    with pytest.raises(TeamError, match="gone"):
        notes.withdraw(team, "f" * 16, 1, "ann")
    with pytest.raises(TeamError, match="gone"):
        notes.withdraw(team, "' OR 1=1 --", 1, "ann")


def test_each_write_is_seen_by_its_number(team: Team) -> None:
    numbers = []
    for number in range(3):
        notes.add(team, draft(f"note {number}"), "ann")
        numbers.append(team.revision())
    assert numbers == sorted(set(numbers))
    assert numbers[0] > 0


@pytest.mark.parametrize(
    ("of_note", "asked", "is_shown"),
    [(NORTH, Filters(), True), (NORTH, NORTH, True), (NORTH, SOUTH, False), (Filters(), SOUTH, True),
     (Filters(modality=("MR",)), NORTH, True), (Filters(modality=("MR",)), Filters(modality=("CT",)), False),
     (Filters(facility=("NORTH",), modality=("MR",)), Filters(facility=("NORTH",), modality=("CT", "MR")), True),
     (NORTH, Filters(scope=("NORTH",)), True), (NORTH, Filters(scope=("SOUTH",)), False),
     (NORTH, Filters(facility=("NORTH",), scope=("SOUTH",)), False),
     (NORTH, Filters(**OCTOBER), True), (NORTH, Filters(since=date(2026, 10, 13)), False),
     (NORTH, Filters(until=date(2026, 10, 12)), False), (NORTH, Filters(since=date(2026, 10, 12)), True)],
)  # fmt: skip
def test_a_note_stands_where_its_filters_are_covered(of_note: Filters, asked: Filters, is_shown: bool) -> None:
    assert (notes.covering([note(of_note)], asked) != []) is is_shown


def test_a_stretch_of_days_stands_where_one_of_them_is_asked_for() -> None:
    long = note(NORTH, 10, 20)
    assert notes.is_covered(long, Filters(since=date(2026, 10, 19)))
    assert not notes.is_covered(long, Filters(since=date(2026, 10, 20)))


def test_a_device_implies_its_facility_and_modality(tmp_path: Path) -> None:
    device: dict[str, Any] = {"device": "N-MR3", "facility": "NORTH", "modality": "MR"}
    snapshot = snapshot_of(tmp_path, datetime(2026, 10, 20), dim_device=[device])
    full = notes.told_in_full(snapshot, Filters(device=("N-MR3",)))
    assert full == Filters(device=("N-MR3",), facility=("NORTH",), modality=("MR",))
    assert not notes.is_covered(note(full), SOUTH)
    assert notes.is_covered(note(full), NORTH)


@pytest.mark.parametrize(
    ("filters", "facilities", "sees_readers", "may"),
    [(NORTH, None, True, True), (NORTH, ("NORTH",), False, True), (NORTH, ("SOUTH",), True, False),
     (Filters(), ("SOUTH",), False, True), (Filters(facility=("NORTH", "SOUTH")), ("SOUTH",), True, False),
     (Filters(radiologist=("R1",)), None, False, False), (Filters(radiologist=("R1",)), None, True, True)],
)  # fmt: skip
def test_who_may_read_a_note(filters: Filters, facilities: Any, sees_readers: bool, may: bool) -> None:
    assert notes.may_see(note(filters), facilities, sees_readers) is may


@pytest.mark.parametrize(
    ("told", "kept"),
    [("  two\n lines\there ", "two lines here"), ("a\x00b\x1b[31mc", "ab[31mc"), ("\u202egnp.exe", "gnp.exe"),
     ("=1+1", "=1+1"), ("<b>x</b>", "<b>x</b>"), ("Ä" * 280, "Ä" * 280)],
)  # fmt: skip
def test_texts_are_one_visible_line(told: str, kept: str) -> None:
    assert line(told, 280) == kept


@pytest.mark.parametrize(("told", "why"), [("", "empty"), (" \n\u200b", "empty"), ("x" * 281, "long")])
def test_texts_that_are_refused(told: str, why: str) -> None:
    with pytest.raises(TeamError, match=why):
        line(told, 280)


@pytest.mark.parametrize("told", ["a@b", "ann.lee+x@north.example", " ann@north.example "])
def test_addresses(told: str) -> None:
    assert address(told) == told.strip()


@pytest.mark.parametrize(
    "told", ["", "ann", "ann@", "@x", "ann@x\r\nBcc: eve@x", "ann@x,eve@x", "Ann <ann@x>", "a" * 65 + "@x",
             "ann@[127.0.0.1]", "ann@-x", "ann@x..y", "ann\x00@x", "änn@x.example", '"a b"@x'],
)  # fmt: skip
def test_what_is_no_address(told: str) -> None:
    with pytest.raises(TeamError, match="address"):
        address(told)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [(Draft(date(2026, 10, 2), date(2026, 10, 1), NORTH, "x"), "days"),
     (Draft(date(1900, 1, 1), date(2026, 10, 1), NORTH, "x"), "days"),
     (draft(filters=Filters(device=tuple(map(str, range(41))))), "filters"), (draft(" "), "empty")],
)  # fmt: skip
def test_drafts_that_are_refused_leave_nothing(team: Team, wrong: Draft, why: str) -> None:
    with pytest.raises(TeamError, match=why):
        notes.add(team, wrong, "ann")
    assert notes.newest(team) == []


_WRITER = """
import sys
from datetime import date
from pathlib import Path
from sql.filters import Filters
from sql.team import notes
from sql.team.store import Team
team = Team(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    day = date(2026, 10, 12)
    made = notes.add(team, notes.Draft(day, day, Filters(), f"{sys.argv[2]} {number}"), sys.argv[2])
    notes.change(team, made, 1, notes.Draft(day, day, Filters(), f"{sys.argv[2]} {number} again"), sys.argv[2])
"""


def writer(team: Team, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WRITER, str(team.path.parent), name, str(count)], cwd=REPO)


def test_several_processes_write_at_once(team: Team) -> None:
    writers = [writer(team, name, 12) for name in ("ann", "bob", "eve")]
    assert [one.wait(120) for one in writers] == [0, 0, 0]
    texts = {n.text for n in notes.newest(team)}
    assert texts == {f"{name} {number} again" for name in ("ann", "bob", "eve") for number in range(12)}
    assert len(notes.versions(team)) == 72


def test_a_writer_that_is_killed_leaves_whole_notes(team: Team) -> None:
    notes.add(team, draft(), "before")
    killed = writer(team, "ann", 10_000)
    for _ in range(600):
        if len(notes.versions(team)) > 10:
            break
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait(30) == -signal.SIGKILL
    found = notes.versions(team)
    assert len(found) > 10
    numbers = [int(n.text.split()[1]) for n in found if n.author == "ann" and n.action == "added"]
    assert sorted(numbers) == list(range(len(numbers)))
    notes.add(team, draft("after"), "bob")
    assert "after" in {n.text for n in notes.newest(team)}


def test_a_store_of_a_newer_radops_is_left_alone(team: Team) -> None:
    notes.add(team, draft(), "ann")
    with team.writing() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 99")
    with pytest.raises(TeamError, match="newer"):
        notes.add(team, draft(), "ann")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "team").write_text("a file")
    with pytest.raises(TeamError, match="unwritable"):
        notes.add(Team(tmp_path / "team"), draft(), "ann")


def test_who_waits_too_long_is_told(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sql.team.store.PATIENCE", 0.1)
    notes.add(team, draft(), "ann")
    with team.writing(), pytest.raises(TeamError, match="busy"):
        notes.add(Team(team.path.parent), draft(), "bob")
