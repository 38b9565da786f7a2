"""The system map: messages counted again from the files themselves, each once, whatever comes twice."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pydicom
import pytest

from etl.build import build
from etl.intake import open_intake
from etl.quarantine import replay
from sql import query
from sql.snapshot import open_snapshot
from tests.conftest import REPO
from tests.installation import Installation

SAMPLE = REPO / "sample_data" / "sample"
GOOD = b"MSH|^~\\&|RIS|NGH|ARC|HUB|%s||%s|%d|P|2.5.1\rPID|1||M1^^^NORTH\rORC|NW|P1\rOBR|1|P1||C^CT\r"


def flow(house: Installation, columns: str) -> dict[tuple[object, ...], tuple[int, int]]:
    with duckdb.connect(str(house.home.marts), read_only=True) as con:
        rows = con.execute(
            f"SELECT {columns}, sum(n_messages)::BIGINT, sum(n_defective)::BIGINT FROM dq_system_flow GROUP BY ALL"
        ).fetchall()
    return {tuple(row[:-2]): (row[-2], row[-1]) for row in rows}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    house = Installation(tmp_path_factory.mktemp("flow"))
    house.radops("run", str(SAMPLE / "files"))
    return house


def messages_again() -> Counter[tuple[object, ...]]:
    """Sender, receiver and kind of each different HL7 message, by plain splitting."""
    seen: set[bytes] = set()
    counted: Counter[tuple[object, ...]] = Counter()
    for path in sorted((SAMPLE / "files" / "hl7").rglob("*")):
        plain = path.read_bytes() if path.is_file() else b""
        for sent, meant in ((b"\x0b", b""), (b"\x1c", b""), (b"\r\n", b"\r"), (b"\n", b"\r")):
            plain = plain.replace(sent, meant)
        for part in re.split(rb"(?:\A|(?<=\r))MSH", plain)[1:]:
            text = part.rstrip(b" \t\r")
            mark, component = text[:1], text[1:2].decode()
            fields = text.split(b"\r")[0][1:].split(mark)
            if text in seen or len(fields) < 8 or not fields[7] or b"\r" not in text or fields[7][:3] == b"ZZZ":
                continue
            seen.add(text)
            app, facility, to_app, to_facility = (field.decode().split(component)[0] for field in fields[1:5])
            kind = "^".join(fields[7].decode().split(component)[:2])
            counted[f"{app}@{facility}", f"{to_app}@{to_facility}", kind] += 1
    return counted


def test_hl7_is_counted_as_by_splitting_the_files(sample: Installation) -> None:
    made = {key[1:]: n for key, (n, _) in flow(sample, "standard, sender, receiver, kind").items() if key[0] == "hl7"}
    again = messages_again()
    assert sum(again.values()) > 1_500
    assert made == again


def test_dicom_is_counted_as_pydicom_reads_it(sample: Installation) -> None:
    counted: Counter[str] = Counter()
    seen: set[bytes] = set()
    for path in sorted((SAMPLE / "files" / "dicom").rglob("*")):
        if not path.is_file() or path.suffix == ".json" or path.read_bytes() in seen:
            continue
        seen.add(path.read_bytes())
        try:
            found = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Modality", "Rows"])
        except pydicom.errors.InvalidDicomError:
            continue
        if "Rows" in found:
            counted[f"image {found.Modality}"] += 1
    made = {str(key[1]): n for key, (n, _) in flow(sample, "standard, kind").items()
            if key[0] == "dicom" and str(key[1]).startswith("image ")}  # fmt: skip
    assert made == counted


def test_every_sender_of_the_truth_is_on_the_map(sample: Installation) -> None:
    with (SAMPLE / "site" / "devices.csv").open(encoding="utf-8") as lines:
        stations = {value for row in csv.DictReader(lines) for value in (row["ae_title"], row["station"])}
    senders = {str(key[1]) for key in flow(sample, "standard, sender") if key[0] == "dicom"}
    assert len(senders & stations) >= 10


def send(house: Installation, name: str, *messages: bytes) -> None:
    (house.home.inbox / name).write_bytes(b"".join(messages))
    house.radops("run", RADOPS_MAX_REJECTS="1")


def test_each_message_counts_once_with_its_defects(tmp_path: Path) -> None:
    house = Installation(tmp_path)
    first, broken = GOOD % (b"20260302100000", b"ORM^O01", 1), GOOD % (b"noon", b"ORM^O01", 2)
    ack = GOOD % (b"20260303", b"ACK", 3)  # gives no rows, and is a message
    send(house, "a.hl7", first, broken, ack)
    send(house, "b.hl7", ack, first)
    expected = {("RIS@NGH", "ARC@HUB", "ORM^O01"): (2, 1), ("RIS@NGH", "ARC@HUB", "ACK"): (1, 0)}
    assert flow(house, "sender, receiver, kind") == expected
    with open_intake(house.home.intake) as con:
        assert con.execute("SELECT kind, field, sum(n_defects) FROM raw_fault GROUP BY ALL").fetchall() == [
            ("ORM^O01", "MSH-7", 1)
        ]
    build(house.home, full=True)
    assert flow(house, "sender, receiver, kind") == expected


def test_the_share_of_messages_with_defects(tmp_path: Path) -> None:
    """Four messages of Monday, of which one lacks its control id and one that and a date; one of Tuesday has none."""
    house = Installation(tmp_path)
    good = [GOOD % (b"20260302100000", b"ORM^O01", n) for n in (1, 2)]
    nameless = (GOOD % (b"20260302110000", b"ORM^O01", 3)).replace(b"|3|P", b"||P")
    twice = (GOOD % (b"20260302120000", b"ORM^O01", 4)).replace(b"|4|P", b"||P").replace(
        b"PID|1||M1^^^NORTH", b"PID|1||M1^^^NORTH||||19999999")  # fmt: skip
    send(house, "a.hl7", *good, nameless, twice, GOOD % (b"20260303100000", b"ORU^R01", 5))
    snapshot = open_snapshot(house.home.published / "radops.duckdb")
    whole = query.metric(snapshot, "message_defects")
    assert whole.select("n", "numerator", "denominator", "value").rows() == [(5, 2.0, 5.0, 0.4)]
    by_day = query.metric(snapshot, "message_defects", period="day")
    assert by_day.select("period_start", "numerator", "denominator").rows() == [
        (date(2026, 3, 2), 2.0, 4.0), (date(2026, 3, 3), 0.0, 1.0),
    ]  # fmt: skip
    kinds = query.metric(snapshot, "message_defects", groups=("message_kind",))
    assert dict(kinds.select("group_value", "value").iter_rows()) == {"ORM^O01": 0.5, "ORU^R01": 0.0}
    faults = query.rows(snapshot, "dq_message_fault", order_by=("field",))
    assert faults.select("kind", "field", "n_defects").rows() == [("ORM^O01", "MSH-10", 2), ("ORM^O01", "PID-7", 1)]


def test_a_replayed_message_comes_onto_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = Installation(tmp_path)
    unknown = GOOD % (b"noon", b"ZZZ^Z01", 1)
    send(house, "a.hl7", unknown)
    assert flow(house, "kind") == {}
    monkeypatch.setattr("etl.sources.hl7.KNOWN_TYPES", frozenset({"ZZZ"}))
    with open_intake(house.home.intake) as con:
        assert replay(con, house.home)["accepted"] == 1
    build(house.home)
    assert flow(house, "kind") == {("ZZZ^Z01",): (1, 1)}
