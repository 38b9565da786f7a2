"""Framing, character sets, delimiters and escapes; and bytes of any kind, which never raise."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.site import Site
from etl.sources import hl7
from etl.sources.hl7_message import Message
from etl.sources.hl7_text import Delimiters, as_bytes, spans, unescaper
from tests.etl.hl7_lines import PID, SITE, defects, message, one, parse, rows, segment

ORDER = message("ORM^O01", PID, "ORC|NW|P1^HIS|F1^RIS", segment("OBR", {4: "1^CT HEAD", 18: "A1", 24: "CT"}))
REPORT = segment("OBR", {4: "1^CT HEAD", 22: "20260115100000", 24: "CT", 25: "F"})
TWICE = [ORDER, ORDER.replace(b"|C1|", b"|C2|")]


@pytest.mark.parametrize(
    "data",
    [
        b"".join(TWICE),
        b"".join(TWICE).replace(b"\r", b"\n"),
        b"".join(TWICE).replace(b"\r", b"\r\n"),
        b"\r\n\r\n".join(TWICE),
        b"".join(b"\x0b" + m + b"\x1c\r" for m in TWICE),
        b"".join(b"\x0b" + m + b"\x1c" for m in TWICE),
        b"\xef\xbb\xbf" + b"\xef\xbb\xbf".join(TWICE),
        b"FHS|^~\\&|RIS\rBHS|^~\\&|RIS\r" + b"".join(TWICE) + b"BTS|2\rFTS|1\r",
        b"BHS|^~\\&\r" + TWICE[0] + b"BTS|1\rBHS|^~\\&\r" + TWICE[1] + b"BTS|1\r",
        b"".join(TWICE).rstrip(b"\r"),
        b"".join(TWICE).decode().encode("utf-16"),
    ],
    ids=["cr", "lf", "crlf", "blank lines", "mllp", "mllp without cr", "bom", "batch", "batches", "no end", "utf-16"],
)
def test_framing(data: bytes) -> None:
    parsed = parse(data)
    assert (parsed.read, parsed.rejected, parsed.defects) == (2, [], [])
    assert [(row["message_id"], row["accession"], row["position"]) for row in rows(parsed, "order")] == [
        ("C1", "A1", 0),
        ("C2", "A1", 1),
    ]
    assert hl7.messages(data) == TWICE  # the same bytes in any framing, so that load knows a repeated message
    for position in (0, 1):
        alone = parse(hl7.messages(data)[position])
        assert one(alone, "order")["message_id"] == f"C{position + 1}"


def test_positions_count_what_is_no_message() -> None:
    data = b"\x0b" + TWICE[0] + b"\x1c\r\x0bgarbage\x1c\r\x0b" + TWICE[1] + b"\x1c\r"
    parsed = parse(data)
    assert [(r.position, r.reason) for r in parsed.rejected] == [(1, "no_msh")]
    assert [row["position"] for row in rows(parsed, "order")] == [0, 2]
    assert hl7.messages(data) == [TWICE[0], b"garbage\r", TWICE[1]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PID|1||M1\rOBR|1\r", "no_msh"),
        (b"hello", "no_msh"),
        (b"MSH", "no_msh"),
        (b"MSH|", "truncated_msh"),
        (b"MSH|^~\\&", "truncated_msh"),
        (b"MSH|^~\\&|RIS|NGTH|HUB|NET|20260115", "truncated_msh"),
        (b"MSH|^~\\&|RIS|NGTH|HUB|NET|20260115||", "no_message_type"),
        (b"MSH|^^\\&|RIS|NGTH|HUB|NET|20260115||ADT^A01|1|P|2.3\rPID|1\r", "bad_delimiters"),
        (b"MSH|ab\\&|RIS|NGTH|HUB|NET|20260115||ADT^A01|1|P|2.3\rPID|1\r", "bad_delimiters"),
        (b"MSH|^~\\&#!|RIS|NGTH|HUB|NET|20260115||ADT^A01|1|P|2.3\rPID|1\r", "bad_delimiters"),
        (b"MSH|^~\\&|RIS|NGTH|HUB|NET|20260115||ADT^A01|1|P|2.3\r", "no_segments"),
        (message("XYZ^X01", PID), "unsupported_type"),
        (message("ADT^A01", *["ZZZ|1"] * 20_001), "too_many_segments"),
        (message("ADT^A01", "OBX|1|ED|||" + "A" * 2**24), "too_large"),
    ],
)
def test_unusable(data: bytes, reason: str) -> None:
    parsed = parse(data)
    assert parsed.read == 1
    assert [r.reason for r in parsed.rejected] == [reason]
    assert reason in hl7.REASONS
    assert parsed.rows == {}


@pytest.mark.parametrize("kind", ["ACK", "RDE^O11", "VXU^V04", "OML^O21"])
def test_types_of_the_standard_that_hold_nothing_for_us_are_kept(kind: str) -> None:
    parsed = parse(message(kind, "MSA|AA|1"))
    assert (parsed.read, parsed.rejected, parsed.rows) == (1, [], {})


def test_empty_file() -> None:
    assert parse(b"").read == 0
    assert parse(b"\r\n \x0b\x1c\r").read == 0


def test_delimiters_are_those_of_the_message() -> None:
    text = ORDER.decode().replace("|", "$").replace("^", "*").replace("~", "!").replace("\\", "?").replace("&", "%")
    text = text.replace("CT HEAD", "CT ?F?HEAD?F? ?S?")
    row = one(parse(text.encode()), "order")
    assert (row["placer_id"], row["procedure_text"], row["modality"]) == ("P1^HIS", "CT $HEAD$ *", "CT")


def test_a_sender_may_declare_fewer_delimiters() -> None:
    head = b"MSH|^|RIS|NGTH|HUB|NET|20260115090000||ORM^O01|C1|P|2.2\r"
    data = head + b"ORC|NW|P1\r" + segment("OBR", {4: "1^CT A~B \\F\\ & C", 24: "CT"}).encode()
    assert one(parse(data), "order")["procedure_text"] == "CT A~B \\F\\ & C"


def test_truncation_character() -> None:
    """MSH-2 of version 2.7: a value that ends in the truncation character identifies nothing."""
    data = message("ORM^O01", PID, "ORC|NW|P1^HIS", segment("OBR", {18: "ACC123#", 24: "CT"}), version="2.7")
    parsed = parse(data.replace(b"|^~\\&|", b"|^~\\&#|"))
    assert one(parsed, "order")["accession"] is None
    assert defects(parsed) == [("OBR-18", "truncated_value")]
    escaped = parse(data.replace(b"|^~\\&|", b"|^~\\&#|").replace(b"ACC123#", b"ACC123\\P\\"))
    assert one(escaped, "order")["accession"] == "ACC123#"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
        (r"line\.br\next", "line\nnext"),
        (r"\H\bold\N\ text", "bold text"),
        (r"\X414243\ and \X0D\.", "ABC and \r."),
        (r"\XZZ\ stays", r"\XZZ\ stays"),
        (r"\.sp2\x\.in3\y", "\n\nx   y"),
        (r"\.sp999999999\x", "\nx"),
        (r"\C2842\x\M244242\y\Zlocal\z", "xyz"),
        (r"\Q\ unknown", r"\Q\ unknown"),
        (r"open \F end\ ", r"open \F end\ "),
        (r"last\\", r"last\\"),
    ],
)
def test_escapes(sent: str, read: str) -> None:
    assert unescaper(Delimiters("|", "^", "~", "\\", "&", "#"), "utf-8")(sent) == read


def test_hex_escape_is_in_the_character_set_of_the_message() -> None:
    assert unescaper(Delimiters("|", "^", "~", "\\", "&"), "latin-1")(r"M\XFC\ller") == "Müller"
    assert unescaper(Delimiters("|", "^", "~", "\\", "&"), "utf-8")(r"M\XC3BC\ller") == "Müller"


@pytest.mark.parametrize(
    ("declared", "codec", "text", "defect"),
    [
        ("UNICODE UTF-8", "utf-8", "NÚÑEZ", None),
        ("8859/1", "latin-1", "NÚÑEZ", None),
        ("8859/15", "iso8859-15", "€uro", None),
        ("8859/5", "iso8859-5", "Иванов", None),
        ("GB 18030-2000", "gb18030", "王小东", None),
        ("BIG-5", "big5", "功蓋", None),  # second bytes of these are | and ^ in other places
        ("KS X 1001", "euc_kr", "김희중", None),
        ("ISO IR14", "shift_jis", "ﾔﾏﾀﾞ", None),
        ("8859/1~ISO IR87", "latin-1", "NÚÑEZ", None),
        ("", "utf-8", "NÚÑEZ", "charset_assumed"),
        ("", "latin-1", "NÚÑEZ", "charset_assumed"),
        ("UNICODE UTF-8", "latin-1", "NÚÑEZ", "charset_wrong"),
        ("ASCII", "utf-8", "NÚÑEZ", "charset_wrong"),
        ("KLINGON", "utf-8", "NÚÑEZ", "charset_unknown"),
    ],
)
def test_character_sets(declared: str, codec: str, text: str, defect: str | None) -> None:
    head = "MSH|^~\\&|RIS|NGTH|HUB|NET|20260115090000||ORM^O01|C1|P|2.5.1||||||" + declared
    lines = [head, PID, "ORC|NW|P1^HIS", segment("OBR", {4: f"1^{text}", 24: "CT"})]
    parsed = parse("\r".join(lines).encode(codec))
    assert one(parsed, "order")["procedure_text"] == text
    assert defects(parsed) == ([("MSH-18", defect)] if defect else [])


def test_a_line_break_inside_a_field_is_part_of_it() -> None:
    lines = [REPORT, "OBX|1|TX|||first\nsecond, 3|4 of it||||||F"]
    parsed = parse(message("ORU^R01", PID, *lines))
    assert one(parsed, "report")["text"] == "first\nsecond, 3"
    assert parsed.defects == []


def test_lines_before_any_segment_are_counted() -> None:
    parsed = parse(message("ADT^A01", "lost text", "EVN|A01|20260115", PID))
    assert defects(parsed) == [("segment", "line_without_segment")]


def test_text_that_mentions_a_header_does_not_split_the_message() -> None:
    lines = [REPORT, "OBX|1|TX|||see MSH|^~||||||F"]
    assert parse(message("ORU^R01", PID, *lines)).read == 1


def test_splits_are_bounded() -> None:
    one_of = Message(ORDER, 0, SITE)
    assert len(one_of.components("a^" * 10**6)) == 33
    assert len(one_of.repetitions("a~" * 10**6)) == 1_000
    assert one_of.components("~~~a^b~c") == ["a", "b"]
    assert one_of.text("a&b&" * 10**6, 2) == "b"


def test_linear_time() -> None:
    """Eight times the input takes about eight times the CPU; a quadratic step would take 64 times."""

    def seconds(data: bytes) -> float:
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            parse(data)
            best = min(best, time.process_time() - start)
        return best

    for unit in (b"\\F", b"~", b"^", b"&", b"|", b"\rjoined ", b"\rOBX|1", b"M1^^^NORTH~", b"\x1c\x0b", b"MSH", b" "):
        small, large = (message("ORU^R01", "PID|1||" + "x").rstrip(b"\r") + unit * n for n in (20_000, 160_000))
        assert seconds(large) < 24 * seconds(small) + 0.05, unit


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _check_counts(data)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [b"MSH|^~\\&|", b"|", b"^", b"&", b"~", b"\\", b"\r", b"\n", b"\x0b", b"\x1c", b"ORC|NW|1", b"OBR|1|",
                 b"OBX|1|TX|", b"PID|1||M1^^^N", b"ORM^O01", b"ORU^R01", b"ADT^A40", b"SIU^S12", b"MDM^T02", b"DFT^P03",
                 b"SCH|1", b"TXA|1|DI", b"MRG|M2", b"FT1|1", b"AIS|1", b"20260115", b"\xff", b"\xef\xbb\xbf", b"BTS|1"]
            ),
            st.binary(max_size=6),
        ),
        max_size=60,
    )
)  # fmt: skip
def test_any_pieces(pieces: list[bytes]) -> None:
    _check_counts(b"MSH|^~\\&|RIS|NGTH|HUB|NET|20260115||" + b"".join(pieces))


def _check_counts(data: bytes) -> None:
    parsed = hl7.parse(data, SITE)
    assert parsed.read == len(spans(as_bytes(data)))
    positions = {r.position for r in parsed.rejected}
    assert len(positions) == len(parsed.rejected) <= parsed.read
    for record in parsed.rows:
        assert not positions & {row["position"] for row in parsed.records(record)}
    assert len(hl7.messages(data)) == parsed.read
    assert all(d.reason and d.position < parsed.read for d in parsed.defects)


def test_every_cut_of_real_messages(fixtures: Path) -> None:
    """A message cut anywhere is rejected or read, and never takes another's position."""
    for path in sorted((fixtures / "hl7/hl7v2-fhir-bridge").glob("*.hl7")):
        data = path.read_bytes()
        for cut in range(0, len(data), 7):
            parsed = hl7.parse(data[:cut], Site())
            assert parsed.read <= 1
            assert all(row["position"] == 0 for record in parsed.rows for row in parsed.records(record))
