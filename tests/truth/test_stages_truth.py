"""Stages and the five definitions equal plain Python over the simulator's truth."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import fmean

import pytest

from sql.filters import Filters
from sql.query import five_definitions, stage_fates, stages
from tests.truth.department import Row, minutes
from tests.truth.statistics import quantile
from tests.truth.world import World

NEEDED = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_final")
NAMES = ("booking", "slot_wait", "arrival", "begin", "exam", "archive", "read", "sign")


def way(exam: Row) -> dict[str, float]:
    """Minutes of each stage that an exam has: each milestone no earlier than the one before, none after the final."""
    final, now = exam["first_final_at"], exam["ordered_at"]
    found: dict[str, float] = {}
    first_read = min(at for at in (exam["first_prelim_at"], final) if at is not None)
    steps = [("begin", exam["exam_started_at"]), ("exam", exam["exam_ended_at"]),
             ("archive", exam["images_available_at"]), ("read", first_read), ("sign", final)]  # fmt: skip
    if exam["booked_at"] is None:
        steps = [("arrival", exam["arrived_at"]), *steps]
    else:
        steps = [("booking", exam["booked_at"]), ("slot_wait", exam["arrived_at"]), *steps]
    for name, at in steps:
        then, now = now, min(max(at, now), final)
        found[name] = minutes(then, now) or 0.0
    return found


def is_whole(exam: Row) -> bool:
    return all(exam[f"{m}_at"] is not None for m in NEEDED) and exam["first_final_at"] >= exam["ordered_at"]


def chosen(world: World, filters: Filters) -> list[Row]:
    d = world.department
    since, until = filters.since, filters.until
    assert since is not None
    assert until is not None
    days = [(exam, d.local(exam["facility"], exam["exam_ended_at"]).date()) for exam in d.countable]
    return [exam for exam, day in days if since <= day < until and exam["facility"] in (filters.facility or d.zones)]


@pytest.mark.parametrize("n_facilities", [0, 1])
def test_stages_equal_truth(world: World, n_facilities: int) -> None:
    end = world.snapshot.data_through.date() + timedelta(days=1)
    facility = tuple(list(world.department.zones)[:n_facilities])
    filters = Filters(since=end - timedelta(days=14), until=end, compare="previous", facility=facility)
    before = filters.before()
    assert before is not None
    now, then = ([way(exam) for exam in chosen(world, f) if is_whole(exam)] for f in (filters, before))
    found = {row["stage"]: row for row in stages(world.snapshot, filters).to_dicts()}
    for name in NAMES:
        values, earlier = ([stage[name] for stage in ways if name in stage] for ways in (now, then))
        if not values + earlier:
            assert name not in found
            continue
        row = found[name]
        assert row["n"] == len(values)
        assert row["mean"] == pytest.approx(sum(values) / len(now))
        assert row["delta"] == pytest.approx(sum(values) / len(now) - sum(earlier) / len(then))
        assert row["p50"] == (pytest.approx(quantile(values, 0.5)) if values else None)
        assert row["p90"] == (pytest.approx(quantile(values, 0.9)) if values else None)
    assert found["total"]["mean"] == pytest.approx(fmean(sum(stage.values()) for stage in now))
    assert sum(row["mean"] for name, row in found.items() if name != "total") == pytest.approx(found["total"]["mean"])


def test_fates_equal_truth(world: World) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for exam in world.department.countable:
        missing = next((m for m in NEEDED if exam[f"{m}_at"] is None), None)
        if missing:
            expected["missing", missing] += 1
        elif is_whole(exam):
            expected["used", ""] += 1
        else:
            expected["negative", "final before ordered"] += 1
    assert Counter({(kind, reason): n for kind, reason, n in stage_fates(world.snapshot).iter_rows()}) == expected


def test_five_definitions_equal_truth(world: World) -> None:
    ends = {"radiologist": ("images_available_at", "first_final_at"), "grid": ("exam_ended_at", "first_final_at"),
            "referrer": ("ordered_at", "first_final_at"), "nhs_england": ("exam_ended_at", "first_final_at"),
            "first_read": ("exam_ended_at", "first_read_at")}  # fmt: skip
    told: dict[str, list[float | None]] = {name: [] for name in ends}
    for exam in world.department.countable:
        reads = [at for at in (exam["first_prelim_at"], exam["first_final_at"]) if at is not None]
        stamps = exam | {"first_read_at": min(reads, default=None)}
        for name, (start, stop) in ends.items():
            length = minutes(stamps[start], stamps[stop])
            told[name].append(length if length is not None and length >= 0 else None)
    common = [n for n in range(len(told["grid"])) if all(values[n] is not None for values in told.values())]
    for row in five_definitions(world.snapshot).to_dicts():
        values = [told[row["view"]][n] for n in common]
        assert row["n"] == len(common)
        assert row["n_own"] == sum(value is not None for value in told[row["view"]])
        assert row["mean"] == pytest.approx(fmean(values))
        assert row["p50"] == pytest.approx(quantile(values, 0.5))
        assert row["p90"] == pytest.approx(quantile(values, 0.9))
        share = fmean(value <= 28 * 24 * 60 for value in values) if row["view"] == "nhs_england" else None
        assert row["within"] == (None if share is None else pytest.approx(share))
