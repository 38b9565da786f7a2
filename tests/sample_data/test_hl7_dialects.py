"""Each sender writes its own HL7."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sample_data.emit_hl7 import Hl7Emitter
from sample_data.simulate import Summary
from sample_data.story import Addendum, Exam, OutsidePrior
from tests.sample_data.stories import HORIZON, NETWORK, READER, exam

NOW = datetime(2026, 7, 14, 13, 5, 9)  # 09:05:09 in New York, 08:05:09 in Chicago
EMITTER = Hl7Emitter(NETWORK, HORIZON)
Segments = dict[str, list[str]]


def told(story: Exam) -> Iterator[Segments]:
    """Messages in order of sending; each segment name with the fields of its first occurrence, fields[n] is field n."""
    for sent in sorted(EMITTER.messages(story)):
        lines = sent.data.decode("latin-1").strip("\r").split("\r")
        mark = lines[0][3]
        found: Segments = {}
        for line in lines:
            fields = line.split(mark)
            found.setdefault(fields[0], [*fields[:1], mark, *fields[1:]] if fields[0] == "MSH" else fields)
        yield found


def first(story: Exam, kind: str) -> Segments:
    return next(message for message in told(story) if message["MSH"][9].startswith(kind))


def test_north_speaks_251_with_ipc_and_an_offset_in_the_header() -> None:
    message = first(exam("N-CT1", NOW), "OMI^O23")
    assert message["MSH"][12] == "2.5.1"
    assert message["MSH"][7].endswith("-0400")
    assert message["ORC"][9] == "20260714090509"
    assert message["IPC"][1:7] == ["ACC1", "RP1", "2.25.77", "SF1", "CT", "NCT001"]
    assert (message["IPC"][7], message["IPC"][9]) == ("NCT01", "NORTHCT1")
    assert (message["TQ1"][7], message["TQ1"][9]) == (message["ORC"][9], "S")
    assert "ZDS" not in message


def test_east_speaks_231_with_zds_and_minutes() -> None:
    message = first(exam("E-CT1", NOW), "ORM^O01")
    assert message["MSH"][12] == "2.3.1"
    assert len(message["MSH"][7]) == 14
    assert (message["ORC"][9], message["ORC"][7]) == ("202607140905", "^^^^^S")
    assert (message["OBR"][18], message["OBR"][19]) == ("ACC1", "RP1")
    assert message["ZDS"][1] == "2.25.77^RADOPS^Application^DICOM"
    assert not {"IPC", "TQ1"} & set(message)


def test_west_writes_seconds_without_an_offset() -> None:
    message = first(exam("W-CT1", NOW), "OMI^O23")
    assert len(message["MSH"][7]) == 14
    assert message["ORC"][9] == "20260714080509"
    assert message["MSH"][18] == "8859/1"


@pytest.mark.parametrize(
    ("device", "codec", "family"),
    [("N-CT1", "utf-8", "Peña"), ("W-CT1", "latin-1", "Peña"), ("E-CT1", "ascii", "Pena")],
)
def test_character_sets(device: str, codec: str, family: str) -> None:
    data = min(EMITTER.messages(exam(device, NOW))).data
    assert family in data.decode(codec)


def test_the_dictation_system_has_its_own_delimiters() -> None:
    story = exam(
        "E-CR1", NOW, exam_started_at=NOW, exam_ended_at=NOW, dictated_at=NOW, final_at=NOW, interpreter=READER,
        addenda=[Addendum("addendum", NOW.replace(hour=14), READER)],
    )  # fmt: skip
    documents = [m for m in told(story) if m["MSH"][3] == "DICTA"]
    assert [m["MSH"][9] for m in documents] == ["MDM*T02", "MDM*T06"]
    assert [m["TXA"][17] for m in documents] == ["DI", "LA"]
    assert {m["MSH"][1] + m["MSH"][2] for m in documents} == {"#*~\\&"}
    assert documents[1]["TXA"][22].split("*")[14] == "202607141005"


def test_the_outside_question_stands_in_the_order() -> None:
    story = exam("N-CT1", NOW, outside=OutsidePrior("held", "MR", "HEAD"))
    [data] = [sent.data for sent in EMITTER.messages(story)]
    codes = [line.split("|")[3].split("^")[0] for line in data.decode().split("\r") if line.startswith("OBX")]
    assert codes == ["OUTPRIOR", "OUTMOD", "OUTREGION"]


def test_a_replacement_names_the_old_order_first() -> None:
    [sent] = EMITTER.messages(exam("N-CT1", NOW, replaces="P00000990"))
    orders = [line.split("|")[1:3] for line in sent.data.decode().split("\r") if line.startswith("ORC")]
    assert orders == [["RP", "P00000990^CPOE"], ["RO", "P00000010^CPOE"]]


def test_a_temporary_patient_is_merged_later() -> None:
    story = exam("N-CT1", NOW, mrn="T1", merged_at=NOW.replace(hour=20))
    assert first(story, "OMI")["PID"][3] == "T1^^^NORTH^MR"
    merged = first(story, "ADT^A40")
    assert merged["PID"][3] == "A1000001^^^NORTH^MR~N70000001^^^NET^PI"
    assert merged["MRG"][1] == "T1^^^NORTH^MR"


def test_credits_are_sent_as_such() -> None:
    story = exam(
        "S-DX1", NOW, final_at=NOW, interpreter=READER, charges=[("RAD-1057", 1.0, 0.2), ("RAD-1057", -1.0, 0.2)]
    )
    [sent] = EMITTER.messages(story)
    lines = [line.split("|") for line in sent.data.decode().split("\r") if line.startswith("FT1")]
    assert [(fields[6], fields[10]) for fields in lines] == [("CG", "1"), ("CD", "1")]


def test_files_come_in_all_framings(messages: tuple[Path, Summary]) -> None:
    files = [path.read_bytes() for path in (messages[0] / "files" / "hl7").rglob("*.hl7")]
    heads = {data[:3] for data in files}
    assert heads == {b"MSH", b"FHS", b"\x0bMS"}
    assert any(b"\r\n" in data for data in files)
    assert any(b"\n" in data and b"\r" not in data for data in files)


def test_some_messages_come_twice_and_some_days_late(messages: tuple[Path, Summary]) -> None:
    controls: list[str] = []
    late = 0
    for path in sorted((messages[0] / "files" / "hl7").rglob("*.hl7")):
        for line in path.read_bytes().replace(b"\n", b"\r").split(b"\r"):
            fields = line.decode("latin-1").split("|")
            if fields[0].endswith("MSH") and len(fields) > 9:
                controls.append(fields[9])
                late += fields[6][:8].isdigit() and int(path.parent.name) - int(fields[6][:8]) in (2, 3, 4)
    assert 0 < len(controls) - len(set(controls)) < len(controls) / 50
    assert late
