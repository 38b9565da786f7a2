"""Hostile and half-made input to the whole pipeline: the night ends, all is accounted for, and good files are kept."""

from __future__ import annotations

import json
import os
import random
import socket
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from etl.pool import Parser
from tests.installation import Installation

MESSAGE = (
    b"MSH|^~\\&|RIS|EAST|X|Y|20260302100000||ORM^O01|%d|P|2.3.1\rPID|1||1^^^EAST\rORC|NW|A%d\rOBR|1|A%d||CT1^CT HEAD\r"
)
DICOM = bytes(128) + b"DICM"
SEQUENCE = b"\x40\x00\x75\x02SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
#: Reasons that mean that a parser met what it does not handle.
OURS = {"parser_failed", "parser_crashed"}


def syntax(uid: bytes) -> bytes:
    """File meta with a transfer syntax."""
    element = b"\x02\x00\x10\x00UI" + len(uid).to_bytes(2, "little") + uid
    return DICOM + b"\x02\x00\x00\x00UL\x04\x00" + len(element).to_bytes(4, "little") + element


@pytest.fixture
def house(tmp_path: Path) -> Installation:
    house = Installation(tmp_path / "home", {"max_rejects": 1.0, "worker_memory_mb": 1024})
    (house.home.inbox / "good.hl7").write_bytes(MESSAGE % (1, 1, 1))
    return house


def test_only_plain_files_are_read(house: Installation, tmp_path: Path) -> None:
    inbox = house.home.inbox
    (tmp_path / "outside.hl7").write_bytes(MESSAGE % (2, 2, 2))
    os.mkfifo(inbox / "pipe.hl7")
    (inbox / "link.hl7").symlink_to(tmp_path / "outside.hl7")
    (inbox / "folder").symlink_to(tmp_path)
    (inbox / "loop").symlink_to(inbox)
    os.link(tmp_path / "outside.hl7", inbox / "twin.hl7")
    (inbox / "coming.hl7.part").write_bytes(MESSAGE % (3, 3, 3))
    (inbox / ".hidden.hl7").write_bytes(MESSAGE % (3, 3, 3))
    with socket.socket(socket.AF_UNIX) as listener:
        before = Path.cwd()
        os.chdir(inbox)  # the path of a socket is short
        try:
            listener.bind("socket.hl7")
        finally:
            os.chdir(before)
        counts = house.stages("ingest")["ingest"]
    assert (counts["files"], counts["read"], counts["kept"], counts["skipped"]) == (1, 1, 1, 1)
    (tmp_path / "outside.hl7").unlink()  # now the twin is a file of its own
    (inbox / "coming.hl7.part").rename(inbox / "coming.hl7")
    counts = house.stages("ingest")["ingest"]
    assert (counts["read"], counts["kept"], counts["skipped"]) == (2, 2, 0)


def test_empty_file_is_told_and_read_once_it_is_filled(house: Installation) -> None:
    path = house.home.inbox / "later.hl7"
    path.touch()
    assert house.stages("ingest")["ingest"]["reasons"] == {"empty": 1}
    assert house.stages("ingest")["ingest"]["files"] == 0
    path.write_bytes(MESSAGE % (2, 2, 2))
    assert house.stages("ingest")["ingest"]["kept"] == 1


def test_growing_file_is_taken_with_what_was_added(house: Installation) -> None:
    path = house.home.inbox / "good.hl7"
    for number in range(2, 5):
        house.stages("ingest")
        with path.open("ab") as file:
            file.write(MESSAGE % (number, number, number))
    counts = house.stages("ingest")["ingest"]
    assert (counts["read"], counts["kept"], counts["duplicate"]) == (4, 1, 3)
    assert house.rows("SELECT count(*) FROM raw_order", "intake.duckdb") == [(4,)]


def test_file_being_written_is_left_for_the_next_run(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a message lies there when the run looks, the other half comes while the run waits for the file to be old."""
    house.stages("ingest")
    message = MESSAGE % (2, 2, 2)
    path = house.home.inbox / "slow.hl7"
    path.write_bytes(message[:-40])
    slow = replace(house, settings={**house.settings, "settle_seconds": 1.0})
    monkeypatch.setattr("etl.inbox.time.sleep", lambda _seconds: path.write_bytes(message))
    counts = slow.stages("ingest")["ingest"]
    monkeypatch.undo()
    assert (counts["read"], counts["skipped"]) == (0, 1)
    assert slow.stages("ingest")["ingest"]["kept"] == 1
    assert house.ledger()["read"] == 2


def test_renamed_file_has_no_second_effect(house: Installation) -> None:
    house.stages("ingest")
    (house.home.inbox / "good.hl7").rename(house.home.inbox / "other.txt")
    counts = house.stages("ingest")["ingest"]
    assert (counts["read"], counts["duplicate"]) == (1, 1)
    assert house.stages("ingest")["ingest"]["files"] == 0


def test_file_taken_away_while_the_run_reads(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = house.home.inbox / "gone.hl7"
    gone.write_bytes(MESSAGE % (2, 2, 2))
    start = Parser.start

    def start_late(parser: Parser) -> object:
        gone.unlink()
        return start(parser)

    monkeypatch.setattr(Parser, "start", start_late)
    counts = house.stages("ingest")["ingest"]
    assert (counts["kept"], counts["skipped"], counts["rejected"]) == (1, 1, 0)


HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "deep array": (lambda: b"[" * 2_000_000 + b'"resourceType"', {"bad_json", "too_deep"}),
    "deep object": (lambda: b'{"resourceType":"Bundle","entry":' + b'[{"a":' * 500_000, {"bad_json", "too_deep"}),
    "deep bundle": (
        lambda: b'{"resourceType":"Bundle","entry":' + b'[{"resource":' * 5000 + b"1" + b"}]" * 5000 + b"}",
        {"bad_json", "too_deep", "no_resource", "not_a_resource", "unknown_resource"},
    ),
    "huge number": (lambda: b'{"resourceType":"Patient","id":' + b"9" * 1_000_000 + b"}", {"bad_json"}),
    "deep sequence": (lambda: syntax(b"1.2.840.10008.1.2.1") + SEQUENCE * 100_000, {"too_deep"}),
    "lying length": (
        lambda: syntax(b"1.2.840.10008.1.2.1") + b"\x08\x00\x60\x00UN\x00\x00\xf0\xff\xff\xff", {"truncated"},
    ),
    "deflate bomb": (
        lambda: syntax(b"1.2.840.10008.1.2.1.99") + zlib.compress(bytes(200 << 20), 9)[2:-4], {"inflate_limit"},
    ),
    "one endless line": (lambda: MESSAGE % (5, 5, 5) + b"|" * (20 << 20), {"too_large"}),
    "many segments": (lambda: MESSAGE % (5, 5, 5) + b"NTE|\r" * 50_000, {"too_many_segments"}),
    "many messages": (lambda: b"MSH|^~\\&|\r" * 20_000, {"truncated_msh", "no_message_type", "no_segments"}),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_bombs_are_bounded(house: Installation, name: str) -> None:
    make, reasons = HOSTILE[name]
    (house.home.inbox / "bomb").write_bytes(make())
    counts = house.stages("ingest")["ingest"]
    assert counts["kept"] >= 1
    assert counts["reasons"].keys() & (OURS | {"too_much_memory"}) == set()
    assert counts["reasons"].keys() <= reasons
    assert counts["rejected"] >= 1
    assert house.ledger()["read"] == counts["read"]


def test_sparse_gigabyte_is_bounded(house: Installation) -> None:
    for name, head in {"zeros.dcm": DICOM, "zeros.hl7": MESSAGE % (2, 2, 2), "zeros": b""}.items():
        with (house.home.inbox / name).open("wb") as file:
            file.write(head)
            file.truncate(1 << 30)
    counts = house.stages("ingest")["ingest"]
    assert (counts["kept"], counts["rejected"]) == (1, 3)
    assert counts["reasons"] == {"too_large": 3}
    assert [size <= 16 << 20 for (size,) in house.rows("SELECT octet_length(content) FROM raw_quarantine",
                                                      "intake.duckdb")] == [True] * 3  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` cut, with octets changed, a piece doubled or a piece of noise in it."""
    at, length = chance.randrange(len(data)), chance.randrange(1, 40)
    odd = chance.choice((b"\x00", b"\xff", b'"', b"|", b"\r", b"{", b"9" * 400, b"\xf0\x9f\x98\x80"))
    return chance.choice((
        data[:at],
        data[:at] + chance.randbytes(length) + data[at + length :],
        data[:at] + data[at : at + length] * chance.randrange(2, 50) + data[at:],
        data[:at] + odd + data[at:],
        data[:at] + data[at + length :],
    ))  # fmt: skip


def test_fuzzed_files_are_accounted_for(house: Installation, network: Path) -> None:
    chance = random.Random(77)  # noqa: S311
    files = sorted(path for path in (network / "files").rglob("*") if path.is_file())
    sample = [path for kind in ("hl7", "dicom", "mpps", "fhir") for path in files if kind in path.parts[-4:-1]]
    assert {path.suffix for path in sample} >= {".hl7", ".dcm"}
    for number in range(600):
        data = chance.choice(sample).read_bytes()
        for _ in range(chance.randrange(1, 4)):
            data = mutated(data, chance) or b"?"
        (house.home.inbox / f"{number:03}").write_bytes(data)
    counts = house.stages("ingest", "build")["ingest"]
    assert counts["reasons"].keys() & OURS == set(), json.dumps(counts["reasons"])
    assert counts["files"] == 601
    assert house.ledger()["read"] == counts["read"] > 601
    assert counts["kept"] > 300
    assert house.digest() == house.digest(full=True)


def test_known_files_cost_a_look_and_no_parser(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3000):
        (house.home.inbox / f"{number}.hl7").write_bytes(MESSAGE % (number, number, number))
    assert house.stages("ingest")["ingest"]["files"] == 3001
    monkeypatch.setattr(Parser, "start", None)
    counts = house.stages("ingest")["ingest"]
    assert (counts["files"], counts["read"]) == (0, 0)


def test_file_is_known_by_whatever_path_it_is_named(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    house.stages("ingest")
    monkeypatch.chdir(house.home.inbox)
    for path in (Path("."), Path("good.hl7"), Path("..", "inbox")):
        assert house.stages("ingest", paths=[path])["ingest"]["files"] == 0
