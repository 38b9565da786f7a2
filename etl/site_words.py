"""What is wrong with a row of a site file, in words of the command line."""

from __future__ import annotations

from sql.site_files import Fault

WORDS: dict[str, str] = {
    "missing": "is empty",
    "number": "{value!r} is no number above 0",
    "day": "{value!r} is no day as 2026-01-31",
    "days": "{value!r} is not after valid_from",
    "unit": "{value!r} is no unit; use min, h or d",
    "time": "{value!r} is no time as 07:30 (24:00 allowed)",
    "times": "{value!r} is not after the opening",
    "weekday": "{value!r} is no weekday; use 1 (Monday) to 7, several as 12345",
    "overlap": "the block that opens at {value} overlaps another of the device",
    "zone": "{value!r} is no IANA time zone such as America/New_York",
    "flag": "{value!r} is neither true nor false",
    "metric": "{value!r} is no metric that can have a target",
    "facility": "{value!r} is no facility of site.toml",
    "device": "{value!r} is no device of devices.csv",
    "modality": "{value!r} is no DICOM modality in capitals, as CT",
    "priority": "{value!r} is no priority; use stat, urgent or routine",
    "patient_class": "{value!r} is no class; use emergency, inpatient or outpatient",
    "kind": "{value!r} is neither closed nor holiday",
    "twice": "{value!r} is said twice",
    "alias": "{value!r} is carried by another facility already",
    "reserved": "{value!r} is what no facility carries",
}


def told_fault(fault: Fault) -> str:
    """Line of the file, column and what is wrong; a cell is on line 2 where it is of the first row."""
    return f"line {fault.row + 2}, {fault.column}: {WORDS[fault.rule].format(value=fault.value)}"
