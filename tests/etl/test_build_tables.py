"""The shipped reference tables: complete, consistent with the vocabulary and with each other."""

from __future__ import annotations

from pydicom.sr._concepts_dict import concepts

from etl.build_tables import reference_rows
from etl.vocabulary import EVENTS

ORIGINS = {"mpps", "ris", "schedule", "adt", "report", "image", "order", "*"}


def test_milestone_rules_name_known_events_and_origins() -> None:
    rules = reference_rows("milestones")
    assert {rule["code"] for rule in rules} <= set(EVENTS)
    assert {rule["origin"] for rule in rules} <= ORIGINS
    assert {rule["pick"] for rule in rules} == {"first", "last"}
    assert {rule["value"] for rule in rules} == {"at", "slot_at"}


def test_a_milestone_is_of_slots_or_of_moments() -> None:
    """`stg_milestone` tells the slot wherever a rule of slots applies, and does not ask which rule won."""
    told = {(rule["milestone"], rule["value"]) for rule in reference_rows("milestones")}
    assert len({milestone for milestone, _ in told}) == len(told)


def test_a_preference_never_mixes_first_and_last() -> None:
    """Within one milestone and preference every rule picks the same way, so the pick has one meaning."""
    picks: dict[tuple[str, str], set[str]] = {}
    for rule in reference_rows("milestones"):
        picks.setdefault((rule["milestone"], rule["preference"]), set()).add(rule["pick"])
    assert [key for key, ways in picks.items() if len(ways) > 1] == []


def test_start_and_end_prefer_step_over_status_over_images_over_report() -> None:
    for milestone in ("exam_started", "exam_ended"):
        rules = [r for r in reference_rows("milestones") if r["milestone"] == milestone]
        assert [r["origin"] for r in sorted(rules, key=lambda r: int(r["preference"]))] == [
            "mpps",
            "ris",
            "image",
            "report",
        ]


def test_reject_reasons_are_context_group_7011_as_pydicom_has_it() -> None:
    expected = {
        code: meaning
        for words in concepts["DCM"].values()
        for code, (meaning, groups) in words.items()
        if 7011 in groups
    }
    assert {row["code"]: row["meaning"] for row in reference_rows("reject_reasons")} == expected


def test_body_parts_lead_to_regions_of_the_procedures() -> None:
    regions = {row["region"] for row in reference_rows("procedures")}
    parts = {row["body_part"]: row["region"] for row in reference_rows("body_parts")}
    known = {part for region in regions for part in region.split("+")}
    assert {part for region in parts.values() for part in region.split("+")} <= known
    assert not regions & set(parts)  # a body part that is a region needs no row
