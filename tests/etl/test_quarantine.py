"""Quarantine from the outside: what could not be used is listed, shown without values, and loaded after a fix."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from etl.home import Home
from etl.sources import Source, source
from tests.conftest import REPO
from tests.installation import Installation

GOOD = (
    b"MSH|^~\\&|RIS|NGH|X|Y|20260302100000||ORM^O01|%d|P|2.3.1\rPID|1||M%d^^^NORTH||DOE^JANE\r"
    b"ORC|NW|P%d|||||||20260302100000\rOBR|1|P%d||CT1^CT HEAD||||||||||||||A%d||||||CT\r"
)


def good(number: int) -> bytes:
    return GOOD % ((number,) * 5)


#: Of no known type, and with a text that a sender broke into lines.
UNKNOWN = good(2).replace(b"ORM^O01", b"ZZZ^Z99") + b"NTE|1||seen by\rJANE herself\r"


@pytest.fixture
def house(tmp_path: Path) -> Installation:
    house = Installation(tmp_path, {"publish_accession": True})
    inbox = house.home.inbox
    (inbox / "a.hl7").write_bytes(good(1) + UNKNOWN + good(3))
    (inbox / "b.hl7").write_bytes(good(4).replace(b"ORM^O01", b""))
    (inbox / "c.txt").write_bytes(b"JANE DOE was here")
    (inbox / "d.dcm").write_bytes(bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00")
    return house


def entries(house: Installation) -> list[dict[str, object]]:
    listed = json.loads(house.radops("quarantine", "list", "--json").stdout)
    assert isinstance(listed, list)
    return listed


def test_list_and_show_tell_no_value(house: Installation) -> None:
    house.radops("run", RADOPS_MAX_REJECTS="1")
    listed = entries(house)
    assert sorted((str(entry["path"])[-5:], entry["position"], entry["reason"]) for entry in listed) == [
        ("a.hl7", 1, "unsupported_type"),
        ("b.hl7", 0, "no_message_type"),
        ("c.txt", 0, "unknown_format"),
        ("d.dcm", 0, "truncated"),
    ]
    assert [set(entry) for entry in listed] == [
        {"number", "batch_id", "path", "position", "standard", "reason", "detail", "size"}
    ] * 4
    text = house.radops("quarantine", "list").stdout
    shown = [house.radops("quarantine", "show", str(entry["number"])).stdout for entry in listed]
    assert [word for word in ("JANE", "DOE", "M2", "A4") if word in text + "".join(shown)] == []
    assert any("PID|9||x9^^^xxxxx||xxx^xxxx" in one for one in shown)
    revealed = [
        house.radops("quarantine", "show", str(entry["number"]), "--reveal").stdout
        for entry in listed if entry["reason"] == "no_message_type"
    ]  # fmt: skip
    assert "DOE^JANE" in revealed[0]
    house.radops("quarantine", "show", "5", check=11)


def test_replay_after_a_fix_loads_what_was_kept(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser learns ZZZ; everything else stays, and nothing is counted twice by a later run or replay."""
    house.radops("run", RADOPS_MAX_REJECTS="1")
    before = house.ledger()
    assert (before["read"], before["kept"], before["rejected"]) == (6, 2, 4)
    again = json.loads(house.radops("quarantine", "replay", "--json").stdout)
    assert again == {"replayed": 4, "accepted": 0, "still_rejected": 4}

    monkeypatch.setattr("etl.parsing.source", tolerant)
    assert replay(house.home) == {"replayed": 4, "accepted": 1, "still_rejected": 3}
    monkeypatch.undo()
    assert house.ledger() == {"read": 6, "kept": 3, "rejected": 3, "duplicate": 0}
    assert len(entries(house)) == 3
    digest = house.stages()["build"]["digest"]
    assert house.rows("SELECT accession FROM fct_exam ORDER BY 1") == [("A1",), ("A2",), ("A3",)]
    assert house.digest(full=True) == digest
    assert house.rows("SELECT count(*) FROM raw_order", "intake.duckdb") == [(3,)]
    (house.home.inbox / "again.hl7").write_bytes(UNKNOWN)
    assert house.stages()["ingest"]["duplicate"] == 1
    assert house.digest() == digest


def test_file_that_failed_as_a_whole_is_replayed_message_by_message(tmp_path: Path) -> None:
    plain, late = (Installation(tmp_path / name, {"key_file": tmp_path / "key"}) for name in ("plain", "late"))
    parts = good(1), good(2), good(3).replace(b"ORM^O01", b"")
    for house in (plain, late):
        (house.home.inbox / "a.hl7").write_bytes(b"".join(parts))
        (house.home.inbox / "b.hl7").write_bytes(good(2))
    (tmp_path / "sitecustomize.py").write_text(BROKEN, "utf-8")
    late.radops("run", check=12, PYTHONPATH=f"{tmp_path}{os.pathsep}{REPO}")
    assert late.ledger() == {"read": 2, "kept": 0, "rejected": 2, "duplicate": 0}
    assert replay(late.home) == {"replayed": 2, "accepted": 2, "still_rejected": 0}
    plain.stages()
    assert plain.ledger() == {"read": 4, "kept": 2, "rejected": 1, "duplicate": 1}
    assert late.ledger() == plain.ledger()
    assert [entry["reason"] for entry in entries(late)] == ["no_message_type"]
    assert late.digest() == plain.digest()


#: A parser with a fault, in every process.
BROKEN = """
import etl.sources
def parse(data, site):
    raise ValueError("DOE^JANE")
etl.sources.source = lambda standard: etl.sources.Source(parse, lambda data: [data])
"""


def replay(home: Home) -> dict[str, int]:
    from etl.intake import open_intake  # noqa: PLC0415
    from etl.quarantine import replay as replay_entries  # noqa: PLC0415

    with open_intake(home.intake) as con:
        return replay_entries(con, home)


def tolerant(standard: str) -> Source:
    """A source that reads the messages of ZZZ as orders."""
    usual = source(standard)
    return Source(lambda data, site: usual.parse(data.replace(b"ZZZ^Z99", b"ORM^O01"), site), usual.messages)


def test_site_that_is_fixed_gives_the_clean_answer(house: Installation) -> None:
    """Messages of an unknown facility are kept, not quarantined; naming it derives all exams again."""
    house.radops("run", RADOPS_MAX_REJECTS="1")
    assert house.rows("SELECT DISTINCT facility FROM fct_exam") == [("unmapped",)]
    site = house.home.site
    site.mkdir()
    (site / "site.toml").write_text(
        '[site]\ndefault_zone = "UTC"\n[[facility]]\nid = "NORTH"\nname = "Northgate"\nzone = "America/New_York"\n'
        'aliases = ["NGH"]\n', "ascii",
    )  # fmt: skip
    house.radops("run")
    assert house.rows("SELECT DISTINCT facility FROM fct_exam", "published/radops.duckdb") == [("NORTH",)]
