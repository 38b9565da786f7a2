"""Open exams by hand: each boundary of stage, target and age, the order, what is not told, filters and scope."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sql.filters import Filters
from sql.live import (
    SHOW,
    facilities_now,
    kept_exams,
    last_over,
    now_filters,
    open_exams,
    open_list,
    standing,
    unread_ages,
)  # fmt: skip
from sql.live_fates import open_fates
from sql.snapshot import Snapshot
from tests.snapshots import snapshot_of

NOW = datetime(2026, 3, 20, 12, 0, 30)
TINY = timedelta(microseconds=1)
MILESTONES = ("arrived", "exam_started", "exam_ended", "first_prelim", "first_final")


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def exam(key: str, *, target: float | None = None, **given: Any) -> dict[str, Any]:
    """An exam with its stamps by milestone; it counts where it has an end."""
    stamps = {f"{name}_at": given.pop(name, None) for name in MILESTONES}
    local = {f"{name}_local": stamps[f"{name}_at"] for name in ("arrived", "exam_started", "exam_ended", "first_final")}
    counts = stamps["exam_ended_at"] is not None
    usual = {"facility": "NORTH", "modality": "CT", "priority": "routine", "patient_class": "inpatient",
             "exam_started_source": "ris", "is_countable": counts,
             "exclusion_reason": None if counts else "not_performed"}  # fmt: skip
    return {"exam_key": key, "target_min": target, **usual, **stamps, **local, **given}


def made(path: Path, *exams: dict[str, Any]) -> Snapshot:
    return snapshot_of(path, NOW, fct_exam=list(exams))


def stages(snapshot: Snapshot, **options: Any) -> dict[str, str]:
    found = open_exams(snapshot, **options)
    return dict(zip(found["exam_key"], found["stage"], strict=True))


def test_stages_and_their_boundaries(tmp_path: Path) -> None:
    day = timedelta(hours=24)
    snapshot = made(
        tmp_path,
        exam("waits", arrived=ago(minutes=5)), exam("arrives now", arrived=NOW),
        exam("not yet", arrived=NOW + TINY), exam("waits a day", arrived=NOW - day),
        exam("lost before", arrived=NOW - day - TINY),
        exam("in exam", arrived=ago(minutes=50), exam_started=ago(minutes=9)), exam("begun", exam_started=NOW - day),
        exam("lost end", exam_started=NOW - day - TINY), exam("begins later", arrived=NOW, exam_started=NOW + TINY),
        exam("ends later", exam_started=ago(minutes=3), exam_ended=NOW + TINY),
        exam("ends now", exam_ended=NOW), exam("old", exam_ended=ago(days=50)),
        exam("final", exam_ended=ago(hours=2), first_final=NOW),
        exam("final later", exam_ended=NOW, first_final=NOW + TINY),
        exam("reported without end", exam_started=ago(hours=1), first_final=ago(minutes=3)),
        exam("draft without end", exam_started=ago(hours=1), first_prelim=ago(minutes=3)),
        exam("cancelled", arrived=ago(hours=1), is_cancelled=True, exclusion_reason="cancelled"),
        exam("given up", exam_started=ago(hours=1), exclusion_reason="discontinued"),
        exam("nowhere", arrived=ago(hours=1), facility="unmapped"),
        exam("nowhere, ended", exam_ended=ago(hours=1), facility="unmapped", is_countable=False,
             exclusion_reason="unlinked_facility"),
    )  # fmt: skip
    assert stages(snapshot) == {
        "waits": "waiting", "arrives now": "waiting", "waits a day": "waiting", "begins later": "waiting",
        "in exam": "in_exam", "begun": "in_exam", "ends later": "in_exam", "ends now": "unread", "old": "unread",
        "final later": "unread",
    }  # fmt: skip
    assert stages(snapshot, at=ago(days=49)) == {"old": "unread"}
    fates = open_fates(snapshot)
    assert fates["n"].sum() == 20
    assert sum(n for kind, n in fates.select("kind", "n").iter_rows() if kind == "used") == 10
    told = {reason: n for kind, reason, n in fates.select("kind", "reason", "n").iter_rows() if kind != "used"}
    assert told == {
        "no end told, though a report is there": 2, "unlinked facility": 2, "cancelled": 1, "discontinued": 1,
        "begun over 24 h before, and no end told": 1, "arrived over 24 h before, and no begin told": 1,
        "final report there": 1, "not arrived yet": 1,
    }  # fmt: skip


def test_the_next_breach_comes_first_and_what_is_left_over_last(tmp_path: Path) -> None:
    week = timedelta(days=7)
    snapshot = made(
        tmp_path,
        exam("on target", target=60, exam_ended=ago(minutes=60)),
        exam("over", target=60, exam_ended=ago(minutes=60) - TINY),
        exam("soon", target=61, exam_ended=ago(minutes=1)), exam("later", target=61, exam_ended=ago(minutes=1) + TINY),
        exam("far over", target=60, exam_ended=NOW - week), exam("left", target=60, exam_ended=NOW - week - TINY),
        exam("no target", exam_ended=ago(hours=5)), exam("waits", target=30, arrived=ago(hours=6)),
    )  # fmt: skip
    found = open_exams(snapshot)
    assert found["exam_key"].to_list() == [
        "far over",
        "over",
        "on target",
        "soon",
        "later",
        "waits",
        "no target",
        "left",
    ]
    assert found["due"].to_list() == ["over", "over", "soon", "soon", "later", None, None, "over"]
    assert found["is_left"].to_list() == [False] * 7 + [True]
    row = found.row(2, named=True)
    assert (row["age_min"], row["left_min"], row["due_at"], row["since_local"]) == (60, 0, NOW, ago(minutes=60))
    assert open_list(snapshot, "over")["exam_key"].to_list() == ["far over", "over", "left"]
    assert open_list(snapshot, "soon")["exam_key"].to_list() == ["on target", "soon"]
    assert open_list(snapshot, "waiting")["exam_key"].to_list() == ["waits"]
    assert last_over(snapshot) == pytest.approx(TINY.total_seconds() / 60)
    row = standing(snapshot, ()).row(0, named=True)
    assert {name: row[name] for name in ("n", "n_unread", "n_over", "n_soon", "n_left", "n_waiting", "n_in_exam")} == {
        "n": 8, "n_unread": 7, "n_over": 3, "n_soon": 2, "n_left": 1, "n_waiting": 1, "n_in_exam": 0}  # fmt: skip
    assert (row["next_min"], row["longest_waiting_min"], row["longest_in_exam_min"]) == (0, 360, None)


def test_bands_of_age_share_no_exam(tmp_path: Path) -> None:
    ends = {"just ended": 0, "before half": 29, "half": 30, "on target": 60, "past": 61, "twice": 120, "far": 6000}
    rows = [exam(key, target=60, priority="stat", exam_ended=ago(minutes=m)) for key, m in ends.items()]
    snapshot = made(tmp_path, *rows, exam("none", exam_ended=ago(minutes=4), first_prelim=ago(minutes=1)))
    assert unread_ages(snapshot).to_dicts() == [
        {"priority": "stat", "n_first_half": 2, "n_second_half": 2, "n_over": 1, "n_far_over": 2, "n_no_target": 0,
         "n": 7, "n_no_read": 7, "oldest_min": 6000.0},
        {"priority": "routine", "n_first_half": 0, "n_second_half": 0, "n_over": 0, "n_far_over": 0, "n_no_target": 1,
         "n": 1, "n_no_read": 0, "oldest_min": 4.0},
    ]  # fmt: skip


def test_what_a_facility_does_not_tell_is_not_zero(tmp_path: Path) -> None:
    done = {"exam_ended": ago(days=2), "first_final": ago(days=1)}
    snapshot = made(
        tmp_path,
        exam("a", arrived=ago(days=3), exam_started=ago(days=3), **done),
        exam("b", facility="SILENT", exam_started=ago(days=2), exam_started_source="image", **done),
        exam("c", facility="NEW", arrived=ago(minutes=4)),
        exam("d", facility="HALF", exam_started_source="report", **done),
        exam("e", facility="HALF", arrived=ago(minutes=4), exam_started=ago(minutes=2)),
    )
    told = {row["facility"]: (row["n_week"], row["n_waiting"], row["n_in_exam"], row["n"])
            for row in facilities_now(snapshot).to_dicts()}  # fmt: skip
    assert told == {"NORTH": (1, 0, 0, 0), "SILENT": (1, None, None, 0), "NEW": (0, 1, 0, 1), "HALF": (1, None, 1, 1)}


def test_filters_and_scope_but_neither_dates_nor_readers(tmp_path: Path) -> None:
    snapshot = made(
        tmp_path, exam("a", exam_ended=ago(days=3)), exam("b", exam_ended=ago(days=3), facility="EAST", modality="MR")
    )
    dated = Filters(since=date(2026, 3, 19), until=date(2026, 3, 21), radiologist=("r1",), compare="previous")
    assert set(stages(snapshot, filters=dated)) == {"a", "b"}
    assert set(stages(snapshot, filters=dated.replace(modality=("MR",)))) == {"b"}
    assert set(stages(snapshot, filters=Filters().within(("NORTH",)))) == {"a"}
    assert set(stages(snapshot, filters=Filters(facility=("EAST",)).within(("NORTH",)))) == set()
    for asked in (facilities_now, open_fates):
        assert asked(snapshot, Filters().within(())).is_empty()
    assert now_filters(dated.within(("NORTH",))) == Filters().within(("NORTH",))


@pytest.mark.parametrize("by", [(), ("facility",)])
def test_nothing_open(tmp_path: Path, by: tuple[str, ...]) -> None:
    snapshot = made(tmp_path, exam("a", exam_ended=ago(days=3), first_final=ago(days=2)))
    found = standing(snapshot, by)
    assert found.height == (0 if by else 1)
    assert found["n"].sum() == found["n_over"].sum() == 0
    assert unread_ages(snapshot).is_empty()
    assert last_over(snapshot) is None


@pytest.mark.parametrize("show", list(SHOW))
def test_the_first_of_a_list_and_what_is_not_left(tmp_path: Path, show: str) -> None:
    """Few rows are found without those that are left, which come last, and with them where there are not enough."""
    kept = [exam(f"k{n}", target=60 * n, exam_ended=ago(hours=2)) for n in range(1, 5)]
    left = [exam(f"l{n}", target=60 * n or None, exam_ended=ago(days=8 + n)) for n in range(3)]
    snapshot = made(
        tmp_path, *kept, *left, exam("waits", arrived=ago(minutes=5)), exam("begun", exam_started=ago(minutes=5)),
        exam("left, final later", exam_ended=ago(days=9), first_final=NOW + TINY),
    )  # fmt: skip
    everything = open_list(snapshot, show)
    for limit in range(10):
        assert open_list(snapshot, show, limit=limit).equals(everything[:limit])
    for at in (None, ago(days=3)):
        found = open_exams(snapshot, at=at)
        assert kept_exams(snapshot, at=at).equals(found.filter(~found["is_left"]))


def goal(metric: str, minutes: float, **of: Any) -> dict[str, Any]:
    return {"metric": metric, "target": minutes, "unit": "min", "target_min": minutes, **of}


def test_who_waits_and_who_is_in_exam_is_held_to_the_targets_of_the_site(tmp_path: Path) -> None:
    """The most specific target of the stage that is valid on its local day; next breach first over all stages."""
    today, tomorrow = NOW.date(), NOW.date() + timedelta(days=1)
    goals = [
        goal("wait", 30), goal("wait", 20, modality="CT", priority="stat"), goal("wait", 5, valid_to=today),
        goal("wait", 1, valid_from=tomorrow), goal("wait", 2, facility="EAST", modality="MR"),
        goal("exam_duration", 45, facility="EAST"), goal("report_final", 3),
    ]  # fmt: skip
    snapshot = snapshot_of(
        tmp_path, NOW, dim_target=goals,
        fct_exam=[
            exam("waits", arrived=ago(minutes=25)), exam("waits stat", arrived=ago(minutes=25), priority="stat"),
            exam("in exam", exam_started=ago(minutes=39), facility="EAST"),
            exam("in exam, none", exam_started=ago(minutes=50)),
            exam("unread", target=60, exam_ended=ago(minutes=58)), exam("unread, none", exam_ended=ago(minutes=90)),
        ],
    )  # fmt: skip
    found = open_exams(snapshot)
    assert found.select("exam_key", "stage", "target_min", "due").rows() == [
        ("waits stat", "waiting", 20.0, "over"), ("unread", "unread", 60.0, "soon"), ("waits", "waiting", 30.0, "soon"),
        ("in exam", "in_exam", 45.0, "soon"), ("unread, none", "unread", None, None),
        ("in exam, none", "in_exam", None, None),
    ]  # fmt: skip
    assert found["left_min"].to_list()[:4] == pytest.approx([-5, 2, 5, 6])
    row = standing(snapshot, ()).row(0, named=True)
    assert (row["n_over"], row["n_over_unread"], row["n_soon"]) == (1, 0, 3)
    assert open_list(snapshot, "over")["exam_key"].to_list() == ["waits stat"]
