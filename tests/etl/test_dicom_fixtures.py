"""Third-party files: what each folder becomes, and every value of every field equal to pydicom's."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from etl.records import Parsed
from etl.sources import dicom, sniff
from etl.sources.dicom_classes import SORTS
from etl.sources.dicom_fields import Field
from etl.sources.dicom_identity import IDENTIFIERS, PATIENT
from etl.sources.dicom_image import INSTANCE
from tests.etl import dicom_made as made

PYDICOM = Path(str(pydicom.__file__)).parent / "data"


def outcome(parsed: Parsed) -> tuple[str, ...]:
    """What one file became: record types, or the reason of its rejection."""
    return tuple(parsed.rows) or tuple(made.reasons(parsed)) or ("kept",)


def read_all(folder: Path) -> Counter[tuple[str, ...]]:
    """Outcomes of every file below `folder` that is DICOM by content."""
    total: Counter[tuple[str, ...]] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if sniff(data) == "dicom":
            parsed = made.parse(data)
            assert parsed.read == len(dicom.messages(data))
            total[outcome(parsed)] += 1
    return total


#: Folder -> outcome -> number of files. "kept": read, and it says nothing about exams (reports, segmentations, KOS).
SHARED: dict[str, dict[str, int]] = {
    "dicognito": {"instance": 13, "truncated": 1},
    "dicomparser": {"instance": 19},
    "highdicom": {"instance": 10, "kept": 15},
    "iheos-kos": {"kept": 15},
    "rad-mado": {"kept": 2},
}


@pytest.mark.parametrize("folder", SHARED)
def test_every_shared_file_is_read_or_rejected_with_a_reason(fixtures: Path, folder: str) -> None:
    assert read_all(fixtures / "dicom" / folder) == {(name,): n for name, n in SHARED[folder].items()}


def test_every_file_of_pydicom_is_read_or_rejected_with_a_reason() -> None:
    """`unproven`: 50 headers without pixel data of one DICOMDIR tree, and fragments made for single tests."""
    assert read_all(PYDICOM) == {
        ("instance",): 91, ("event", "instance"): 1, ("kept",): 32, ("unproven",): 58, ("missing_uid",): 6,
        ("unordered_tags",): 3, ("truncated",): 2,
    }  # fmt: skip


def readable(fixtures: Path) -> list[Path]:
    folders = (PYDICOM, fixtures / "dicom")
    found = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in found if "instance" in made.parse(path.read_bytes()).rows]


def texts(value: Any) -> str:
    parts = value if isinstance(value, MultiValue | list) else [value]
    return "\\".join("" if part is None else str(part) for part in parts).strip(" \0")


def first(value: Any) -> Any:
    return value[0] if isinstance(value, MultiValue) else value


def coded(item: Dataset) -> tuple[str | None, ...]:
    names = ("CodeValue", "CodeMeaning", "CodingSchemeDesignator")
    return tuple(texts(item.get(name, "")) or None for name in names)


def day(value: Any) -> date | None:
    text = texts(value).replace(".", "")
    return date(int(text[:4]), int(text[4:6]), int(text[6:])) if text else None


THEIRS: dict[str, Callable[[Any], Any]] = {
    "TEXT": texts, "UI": texts, "FIRST": lambda v: texts(first(v)), "DA": day,
    "PN": lambda v: str(first(v)).partition("=")[0].rstrip("^"), "DS": lambda v: float(first(v)),
    "IS": lambda v: float(first(v)), "COUNT": lambda v: int(first(v)), "US": lambda v: int(first(v)),
    "FD": lambda v: float(first(v)), "SECONDS": lambda v: float(first(v)), "MICRO": lambda v: float(first(v)) / 1000,
    "YES": {"Y": True, "N": False}.get, "MEANING": lambda v: coded(v[0])[1],
    "CODE": lambda v: coded(v[0]) or None, "CODE2": lambda v: coded(v[1]) if len(v) > 1 else None,
}  # fmt: skip


def theirs(whole: Dataset, field: Field) -> Any:
    """The value of one field as pydicom has it, None where there is none."""
    level: Any = whole
    for tag in (field.first, *field.rest):
        if isinstance(level, pydicom.Sequence):
            level = level[0] if level else {}
        element = level.get(tag)
        if element is None or element.value is None or element.is_empty:
            return None
        level = element.value
    value = THEIRS[field.type](level)
    return None if value == "" else value


def test_every_value_equals_pydicoms(fixtures: Path) -> None:
    compared: Counter[str] = Counter()
    for path in readable(fixtures):
        ours = made.one(made.parse(path.read_bytes()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = (
                Dataset.from_json(path.read_text("utf-8"))
                if path.suffix == ".json"
                else pydicom.dcmread(path, force=True, stop_before_pixels=True)
            )
            expected: dict[str, Any] = {}
            for field in (*INSTANCE, *IDENTIFIERS, *PATIENT):
                value = None if field.columns[0] in expected else theirs(whole, field)
                values = value if isinstance(value, tuple) else (value,)
                if any(v is not None for v in values):
                    expected.update(zip(field.columns, values, strict=True))
            meta = getattr(whole, "file_meta", {})
            expected.setdefault("ae_title", texts(meta.get("SourceApplicationEntityTitle", "")) or None)
        for column, value in expected.items():
            if value is not None:
                assert ours[column] == value, (path.name, column)
                compared[column] += 1
        absent = {f.column for f in (*INSTANCE, *IDENTIFIERS)} - expected.keys()
        assert {ours[column] for column in absent} <= {None}, path.name
    assert sum(compared.values()) > 2_000
    assert len(compared) >= 40


#: Column -> DA and TM keywords.
TIMES = {
    "study_at": ("StudyDate", "StudyTime"), "series_at": ("SeriesDate", "SeriesTime"),
    "step_started_at": ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"),
    "step_ended_at": ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime"),
    "message_at": ("InstanceCreationDate", "InstanceCreationTime"),
}  # fmt: skip


def test_every_time_is_the_one_written(fixtures: Path) -> None:
    """No fixture stands at a known facility: UTC is what is written, less the offset where one is stated."""
    compared: Counter[str] = Counter()
    for path in [path for path in readable(fixtures) if path.suffix != ".json"]:
        ours = made.one(made.parse(path.read_bytes()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        offset = whole.get("TimezoneOffsetFromUTC") or "+0000"
        ahead = timedelta(hours=int(offset[:3]), minutes=int(offset[0] + offset[3:]))
        for column, (date_keyword, time_keyword) in TIMES.items():
            if "OriginalAttributesSequence" in whole and column == "message_at":
                continue
            day = texts(whole.get(date_keyword, "")).replace(".", "")
            clock, _, fraction = texts(whole.get(time_keyword, "")).replace(":", "").partition(".")
            expected = None
            if len(day) == 8 and len(clock) == 6:
                written = datetime.strptime(day + clock, "%Y%m%d%H%M%S")
                expected = written.replace(microsecond=int(fraction.ljust(6, "0") or 0)) - ahead
                compared[column] += 1
            assert ours[column] == expected, (path.name, column)
    assert set(compared) == set(TIMES) - {"step_ended_at"}  # no file has one
    assert sum(compared.values()) > 200


def test_image_classes_are_those_that_pydicom_calls_image_storage() -> None:
    from pydicom._uid_dict import UID_dictionary  # noqa: PLC0415

    root = "1.2.840.10008.5.1.4.1.1."
    named = {
        uid
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class"
        and uid.startswith(root)
        and ("Image Storage" in name or name == "Enhanced US Volume Storage")
    }
    assert {uid for uid, sort in SORTS.items() if sort == "image"} == named
