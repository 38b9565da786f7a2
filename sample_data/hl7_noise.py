"""What else is on the wire: laboratory results that are no exams, and messages that nobody can use."""

from __future__ import annotations

from datetime import datetime, timedelta

from sample_data.hl7_dialect import LABORATORY

#: A message that cannot be used -> the reason a reader gives. `{time}` is the time of sending.
BROKEN = (
    (b"MSH|^~\\&|RISB|NORTH\r", "truncated_msh"),
    (b"MSH|^~\\&|RISB|NORTH|RADOPS|NET|{time}|||BAD1|P|2.5.1\rPID|1\r", "no_message_type"),
    (b"MSH|^~\\&|RISB|NORTH|RADOPS|NET|{time}||ORU^R01|BAD2|P|2.5.1\r", "no_segments"),
    (b"MSH|^~\\&|RISB|NORTH|RADOPS|NET|{time}||ZZZ^Z99|BAD3|P|2.5.1\rPID|1\r", "unsupported_type"),
)
STRAY = (b"connection reset by peer\r", "no_msh")  # only a frame can hold it without joining its neighbour
LABORATORY_EVERY, BROKEN_EVERY = 3, 19  # files
TESTS = ("GLU^Glucose^LN", "HGB^Hemoglobin^LN", "CRE^Creatinine^LN")


def laboratory(number: int, at: datetime) -> bytes:
    """ORU^R01 of the laboratory: OBR-24 names chemistry, so it is no exam."""
    d, time = LABORATORY, f"{at:%Y%m%d%H%M%S}"
    test = TESTS[number % len(TESTS)]
    lines = (
        f"MSH|^~\\&|{d.app}|{d.sending}|RADOPS|NET|{time}||ORU^R01^ORU_R01|L{number}|P|2.5.1",
        f"PID|1||L{number % 9973:07d}^^^LABNUM^MR||Sample^Person||19700101|F",
        f"PV1|1|I|3WEST^^^{d.pv1_facility}",
        f"OBR|1||L{number}^LAB|{test}|||{time}|||||||||||||||{time}||CH|F",
        f"OBX|1|NM|{test}||{number % 90 + 50}|mg/dL||||F",
    )
    return ("\r".join(lines) + "\r").encode()


def laboratory_at(key: int, facility: str, at: datetime) -> datetime | None:
    """Wall clock of the laboratory result in a file that begins at a wall clock; None where there is none."""
    is_there = facility == LABORATORY.facility and key % LABORATORY_EVERY == 0
    return at + timedelta(minutes=key % 60) if is_there else None


def noise_of(
    key: int, facility: str, at: datetime, messages: list[bytes], *, is_framed: bool
) -> tuple[list[bytes], list[tuple[int, str]]]:
    """Messages of a file with noise among them, and (position, reason) of each unusable one."""
    mixed, bad = list(messages), []
    result_at = laboratory_at(key, facility, at)
    if result_at is not None:
        mixed.insert(key % (len(mixed) + 1), laboratory(key, result_at))
    if key % BROKEN_EVERY == 0:
        text, reason = STRAY if is_framed else BROKEN[key // BROKEN_EVERY % len(BROKEN)]
        mixed.append(text.replace(b"{time}", f"{at:%Y%m%d%H%M%S}".encode()))
        bad.append((len(mixed) - 1, reason))
    return mixed, bad
