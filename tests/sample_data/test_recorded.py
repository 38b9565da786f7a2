"""What the files tell about one exam, computed by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sample_data.recorded import Record, Row, is_countable
from sample_data.story import Addendum, Exam
from tests.sample_data.stories import HORIZON, NETWORK, READER, TRAINEE, exam, series

#: 2026-11-01 05:30 UTC is the first 01:30 in New York; an hour later the clock shows 01:30 again.
FIRST_0130, SECOND_0130 = datetime(2026, 11, 1, 5, 30), datetime(2026, 11, 1, 6, 30)
START, END = datetime(2026, 10, 20, 14, 0, 20), datetime(2026, 10, 20, 14, 12, 50)
FAST = timedelta(minutes=7)  # the clock of N-CT1


def row(story: Exam, *, has_dicom: bool = True) -> Row:
    return Record(NETWORK, story, HORIZON, has_dicom=has_dicom).row()


def performed(device: str, **more: Any) -> Exam:
    facts: dict[str, Any] = {
        "exam_started_at": START, "exam_ended_at": END, "images_available_at": END + timedelta(minutes=3),
        "series": [series(START + timedelta(seconds=60), END - timedelta(seconds=30)),
                   series(END + timedelta(minutes=9), derived=True)],
    }  # fmt: skip
    return exam(device, START - timedelta(hours=1), **facts | more)


def test_mpps_wins_and_carries_the_clock_error_of_the_device() -> None:
    found = row(performed("N-CT1"))
    assert (found["exam_started_at"], found["exam_ended_at"]) == (START + FAST, END + FAST)


@pytest.mark.parametrize(
    ("lost", "side", "expected"),
    [
        ({"mpps_create", "exam_started"}, "exam_started_at", START + timedelta(seconds=60) + FAST),
        ({"mpps_set", "exam_ended"}, "exam_ended_at", END - timedelta(seconds=30) + FAST),
        ({"mpps_create"}, "exam_ended_at", END + FAST),
    ],
)
def test_images_stand_in_where_mpps_and_status_are_lost(lost: set[str], side: str, expected: datetime) -> None:
    assert row(performed("N-CT1", lost=frozenset(lost)))[side] == expected


def test_the_status_is_entered_late_and_comes_before_images() -> None:
    late = row(performed("N-CT1", lost=frozenset({"mpps_create"})))["exam_started_at"] - START
    assert timedelta(seconds=10) <= late < timedelta(seconds=240)


def test_the_report_is_the_last_source() -> None:
    lost = frozenset({"mpps_create", "mpps_set", "exam_started", "exam_ended"})
    story = performed("N-CT1", lost=lost, is_study_missing=True, final_at=END + timedelta(hours=1), interpreter=READER)
    found = row(story)
    assert (found["exam_started_at"], found["exam_ended_at"], found["has_study"]) == (START, END, False)
    story.lost |= {"exam_times"}
    assert row(story)["exam_ended_at"] is None
    assert not is_countable(row(story))


def test_east_writes_minutes() -> None:
    found = row(exam("E-CT1", datetime(2026, 10, 20, 9, 15, 42)))
    assert found["ordered_at"] == datetime(2026, 10, 20, 9, 15)


@pytest.mark.parametrize(("device", "expected"), [("E-CT1", FIRST_0130), ("N-CT1", SECOND_0130)])
def test_the_repeated_hour_is_lost_without_an_offset(device: str, expected: datetime) -> None:
    assert row(exam(device, SECOND_0130))["ordered_at"] == expected
    assert row(exam(device, FIRST_0130))["ordered_at"] == FIRST_0130


def test_a_device_without_offset_repeats_the_hour_too() -> None:
    story = performed(
        "N-CT1", exam_started_at=SECOND_0130, exam_ended_at=SECOND_0130 + timedelta(minutes=10), series=[]
    )
    assert row(story)["exam_started_at"] == FIRST_0130 + FAST


def test_reports_keep_first_and_last_versions_and_addenda_do_not_count() -> None:
    final = END + timedelta(hours=2)
    story = performed(
        "N-DX1",
        read_started_at=final - timedelta(minutes=30),
        prelim_at=final - timedelta(minutes=20),
        last_prelim_at=final - timedelta(minutes=5),
        final_at=final,
        resigned_at=final + timedelta(hours=5),
        addenda=[Addendum("addendum", final + timedelta(hours=9), READER)],
        interpreter=READER,
        assistant=TRAINEE,
        charges=[("RAD-1001", 1.0, 0.95), ("RAD-1001", 1.0, 0.95), ("RAD-1001", -1.0, 0.95)],
    )
    found = row(story)
    assert (found["first_prelim_at"], found["last_prelim_at"]) == (story.prelim_at, story.last_prelim_at)
    assert (found["first_final_at"], found["last_final_at"]) == (final, story.resigned_at)
    assert (found["interpreter"], found["assistant"], found["wrvu"]) == ("R101", "T201", 0.95)
    story.lost = frozenset({"final"})
    assert row(story)["first_final_at"] is None
    assert row(story)["interpreter"] is None


def test_an_exam_without_messages_is_known_by_its_images_only() -> None:
    found = row(performed("E-CR1", is_hl7_missing=True))
    assert (found["has_order"], found["has_study"], found["has_report"]) == (False, True, False)
    assert (found["ordered_at"], found["priority"], found["images_available_at"]) == (None, None, None)
    assert found["exam_started_at"] == START + timedelta(seconds=60 - 95)  # first original image by a clock 95 s slow


def test_without_dicom_the_messages_alone_speak() -> None:
    found = row(performed("N-CT1"), has_dicom=False)
    assert (found["has_study"], found["n_images"]) == (False, 0)
    assert found["exam_started_at"] < START + FAST


def test_a_discontinued_exam_does_not_count() -> None:
    story = performed("N-CT1", exam_ended_at=None, discontinued_at=END, series=[])
    assert (row(story)["is_discontinued"], row(story)["exam_ended_at"], is_countable(row(story))) == (True, None, False)


def test_an_unmerged_temporary_number_is_nobody_known() -> None:
    story = performed("N-CT1", mrn="T1")
    assert row(story)["patient"] == f"{story.person.id}/T1"
    story.merged_at = END
    assert row(story)["patient"] == story.person.id
    story.is_hl7_missing = True  # the merge is not told either
    assert row(story)["patient"] == f"{story.person.id}/T1"


@pytest.mark.parametrize(("device", "suffix"), [("W-MR1", "/WEST"), ("E-CT1", "")])
def test_a_number_without_authority_is_nobody_known(device: str, suffix: str) -> None:
    """The maker of W-MR1 does not write Issuer of Patient ID."""
    story = performed(device)
    assert row(story)["patient"] == story.person.id
    story.is_hl7_missing = True
    assert row(story)["patient"] == story.person.id + suffix
