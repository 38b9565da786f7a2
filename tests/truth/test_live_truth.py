"""What is open at an instant is what the simulator's truth says, recomputed with polars; unread is the backlog."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from sql import query
from sql.filters import Filters
from sql.live import BANDS, open_exams, standing, told_live, unread_ages
from tests.truth.department import Row
from tests.truth.recompute import target_of
from tests.truth.world import World

GROUPS = ("facility", "modality", "priority", "patient_class")
KEYS = ("facility", "accession")
#: Stage -> the metric whose targets hold in it, beside those of the report.
TARGETS = {"waiting": "wait", "in_exam": "exam_duration"}


def truth(world: World) -> pl.DataFrame:
    """Exams of the truth with their targets: of the report, of the wait and of the exam's own length."""
    d = world.department
    rows: list[Row] = [
        exam | {"target": target_of(d, exam)} | {stage: target_of(d, exam, metric) for stage, metric in TARGETS.items()}
        for exam in d.exams
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def opened(exams: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """Open exams by the words of the definition: stage, since, age, left (minutes)."""
    c, now = pl.col, pl.lit(at)
    came, begun, ended = ((c(name) <= now).fill_null(value=False) for name in
                          ("arrived_at", "exam_started_at", "exam_ended_at"))  # fmt: skip
    is_given_up = c("is_cancelled") | c("is_no_show") | c("is_discontinued")
    is_final = (c("first_final_at") <= now).fill_null(value=False)
    is_reported = is_final | (c("first_prelim_at") <= now).fill_null(value=False)
    day = pl.duration(hours=24)
    stage = (
        pl.when(is_given_up | (ended & is_final)).then(None)
        .when(ended).then(pl.lit("unread"))
        .when(is_reported).then(None)
        .when(begun).then(pl.when(now - c("exam_started_at") <= day).then(pl.lit("in_exam")))
        .when(came & (now - c("arrived_at") <= day)).then(pl.lit("waiting"))
    )  # fmt: skip
    since = (pl.when(c("stage") == "waiting").then(c("arrived_at"))
             .when(c("stage") == "in_exam").then(c("exam_started_at")).otherwise(c("exam_ended_at")))  # fmt: skip
    found = exams.with_columns(stage=stage).filter(c("stage").is_not_null()).with_columns(since=since)
    age = (now - c("since")).dt.total_microseconds() / 6e7
    goal = pl.when(c("stage") == "unread").then(c("target"))
    for name in TARGETS:
        goal = goal.when(c("stage") == name).then(c(name))
    return found.with_columns(age=age, left=goal - age)


def both(world: World, at: datetime, filters: Filters | None = None) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Open exams as told and as recomputed, by (facility, accession)."""
    ours = {
        world.exams[row["exam_key"]]: (
            row["stage"], pytest.approx(row["age_min"]), row["left_min"] and pytest.approx(row["left_min"], abs=1e-6)
        )
        for row in open_exams(world.snapshot, filters, at).to_dicts()
    }  # fmt: skip
    theirs = {(row["facility"], row["accession"]): (row["stage"], row["age"], row["left"])
              for row in opened(truth(world), at).to_dicts()}  # fmt: skip
    return ours, theirs


def test_open_exams_at_the_cut_off(world: World) -> None:
    ours, theirs = both(world, world.department.data_through)
    assert ours == theirs
    assert {stage for stage, *_ in theirs.values()} >= {"unread"}
    assert open_exams(world.snapshot)["exam_key"].to_list() == open_exams(
        world.snapshot, at=world.department.data_through)["exam_key"].to_list()  # fmt: skip


@pytest.mark.parametrize("days", [0.3, 1.4, 3.6, 9.5])
def test_open_exams_while_the_day_goes_on(world: World, days: float) -> None:
    """At the cut-off the department is asleep; by day all stages are there."""
    at = world.department.data_through - timedelta(days=days)
    ours, theirs = both(world, at)
    # what is given up by now was never open, neither here nor there
    assert ours == theirs
    counted = {stage for stage, *_ in theirs.values()}
    assert "unread" in counted


def test_all_stages_are_proven(world: World) -> None:
    """Some hour of the last week has patients waiting and in exam, and both are told alike."""
    exams, through = truth(world), world.department.data_through
    hours = [through - timedelta(hours=n) for n in range(7 * 24)]
    busiest = max(hours, key=lambda at: len(set(opened(exams, at)["stage"])) * 1000
                  + opened(exams, at).filter(pl.col("stage") != "unread").height)  # fmt: skip
    ours, theirs = both(world, busiest)
    assert {stage for stage, *_ in theirs.values()} == {"waiting", "in_exam", "unread"}
    assert ours == theirs


def test_unread_is_the_backlog_of_the_same_instant(world: World) -> None:
    at = world.snapshot.data_through.replace(minute=0, second=0, microsecond=0)
    counted = standing(world.snapshot, GROUPS, at=at).filter(pl.col("n_unread") > 0)
    for statistic, name in (("waiting", "n_unread"), ("past_target", "n_over_unread")):
        told = query.metric(world.snapshot, "backlog", groups=GROUPS, statistic=statistic)
        expected = {row["group_value"]: row["value"] for row in told.to_dicts() if row["n"]}
        assert {" | ".join(row[g] for g in GROUPS): row[name] for row in counted.to_dicts()} == expected
        assert sum(expected.values()) > 0


def test_ages_against_target_and_who_tells(world: World) -> None:
    through = world.department.data_through
    unread = opened(truth(world), through).filter(pl.col("stage") == "unread")
    for row in unread_ages(world.snapshot).to_dicts():
        mine = unread.filter(pl.col("priority") == row["priority"]).to_dicts()
        assert (row["n"], row["n_no_target"]) == (len(mine), sum(one["target"] is None for one in mine))
        parts = [one["age"] / one["target"] for one in mine if one["target"] is not None]
        expected = (sum(p < 0.5 for p in parts), sum(0.5 <= p <= 1 for p in parts), sum(1 < p < 2 for p in parts),
                    sum(p >= 2 for p in parts))  # fmt: skip
        assert tuple(row[name] for name, _, _ in BANDS) == expected
        assert row["oldest_min"] == pytest.approx(max(one["age"] for one in mine))
        assert row["n_no_read"] == sum(
            one["first_prelim_at"] is None or one["first_prelim_at"] > through for one in mine
        )
    assert unread_ages(world.snapshot)["n"].sum() == unread.height
    week = [e for e in world.department.countable if through - timedelta(days=7) < e["exam_ended_at"] <= through]
    told = {row["facility"]: (row["n_week"], row["n_arrivals"]) for row in told_live(world.snapshot).to_dicts()}
    sites = {e["facility"] for e in week}
    assert told == {
        site: (sum(e["facility"] == site for e in week),
               sum(e["facility"] == site and e["arrived_at"] is not None for e in week)) for site in sites
    }  # fmt: skip
