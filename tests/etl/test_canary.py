"""No patient value leaves the raw store: planted words are looked for in all that radops writes or says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.installation import Installation

#: In every patient value of every standard; in any form (part of a longer text, upper or lower case) it must not show.
WORD = "zyxwq"
BORN = ("19310207", "1931-02-07")
#: In the text of the procedure: `map` lists it to the site's people, nothing else may.
TEXT = "vwxyqtext"
PERSON = f"{WORD}name^{WORD}given"
PID = f"PID|1||{WORD}1^^^NORTH^MR||{PERSON}||{BORN[0]}|F|||1 {WORD} St^^Town||+1-555-{WORD}"
ORDER = [
    PID, f"PV1|1|E|ED^1^A^NORTH|||||||||||||||{WORD}visit", f"ORC|NW|{WORD}pl|{WORD}fi||||||20260302080000",
    f"OBR|1|{WORD}pl|{WORD}fi|CT1^{TEXT}|S|||||||{WORD}clinical|||||||{WORD}acc|||||CT|||||||{WORD} reason",
]  # fmt: skip
REPORT = [
    PID, f"ORC|RE|{WORD}pl|{WORD}fi", f"OBR|1|{WORD}pl|{WORD}fi|CT1^{TEXT}|||20260302090000|||||||||||{WORD}acc||||"
    f"20260302100000||CT|F|||||||R1&{WORD}reader&Ann^20260302095000", f"OBX|1|TX|GDT||{WORD} has a mass||||||F",
]  # fmt: skip


def hl7(kind: str, *lines: str, at: str = "20260302100000") -> bytes:
    return "\r".join([f"MSH|^~\\&|RIS|NORTH|X|Y|{at}||{kind}|{WORD}id|P|2.3.1", *lines]).encode() + b"\r"


def image() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    values = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "SOPInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.1", "Modality": "CT", "StudyDate": "20260302", "AcquisitionDate": "20260302",
        "AcquisitionTime": "084500", "StudyTime": "084000", "InstitutionName": "NORTH", "StationName": "CT01",
        "AccessionNumber": f"{WORD}acc", "PatientName": PERSON, "PatientID": f"{WORD}1", "PatientBirthDate": BORN[0],
        "StudyDescription": f"{WORD} study", "OperatorsName": f"{WORD}operator", "OtherPatientIDs": f"{WORD}other",
        "PatientComments": f"{WORD} fell", "ReferringPhysicianName": f"{WORD}ref", "PixelData": b"",
    }  # fmt: skip
    for name, value in values.items():
        setattr(dataset, name, value)
    dataset["PixelData"].VR = "OW"
    return dataset


def bundle() -> bytes:
    subject = {"reference": "Patient/p", "display": PERSON}
    patient = {
        "resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:north", "value": f"{WORD}1"}],
        "name": [{"family": f"{WORD}name", "given": [f"{WORD}given"]}], "birthDate": BORN[1],
        "telecom": [{"system": "phone", "value": f"+1 {WORD}"}],
    }  # fmt: skip
    request = {
        "resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order", "subject": subject,
        "identifier": [{"type": {"coding": [{"code": "ACSN"}]}, "value": f"{WORD}acc2"}],
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}],
        "code": {"text": TEXT}, "authoredOn": "2026-03-02T08:00:00Z", "note": [{"text": f"{WORD} note"}],
    }  # fmt: skip
    bad = {"resourceType": "DiagnosticReport", "id": "d", "status": WORD, "subject": subject, "issued": f"{WORD}-date"}
    entries = [{"resource": resource} for resource in (patient, request, bad)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


@pytest.fixture
def house(tmp_path: Path) -> Installation:
    house = Installation(tmp_path / "home", {"max_rejects": 1.0})
    inbox = house.home.inbox
    (inbox / "good.hl7").write_bytes(
        hl7("ORM^O01", *ORDER) + hl7("ORU^R01", *REPORT)
        + hl7("ADT^A40", "EVN|A40|20260303", PID, f"MRG|{WORD}old^^^NORTH||||||{WORD}^maiden")
        + hl7("SIU^S12", f"SCH|{WORD}ap|||||{WORD}|||30|min|^^^20260302083000", PID, f"AIS|1||CT1^{TEXT}|202603020830")
        + hl7("DFT^P03", PID, "FT1|1|||20260302||CG|CT1|||1")
    )  # fmt: skip
    (inbox / "bad.hl7").write_bytes(
        hl7("ORM^O01", PID, f"ORC|NW|1||||||{WORD}|{WORD}time", f"OBR|1|1||CT1|{WORD}||{WORD}||||||||||||B1||||||CT")
        + hl7(f"{WORD}^Q1", *ORDER) + hl7("ORM^O01", *ORDER, at=WORD) + hl7("", PID)
    )  # fmt: skip
    (inbox / "notes.txt").write_text(f"{PERSON} {BORN[0]} {WORD}", "ascii")
    image().save_as(inbox / "good.dcm", enforce_file_format=True)
    whole = (inbox / "good.dcm").read_bytes()
    (inbox / "cut.dcm").write_bytes(whole[:-20])
    (inbox / "odd.dcm").write_bytes(whole.replace(b"20260302", WORD.encode() + b"abc"))
    (inbox / "good.json").write_bytes(bundle())
    (inbox / "cut.json").write_bytes(bundle()[:-9])
    return house


def found(text: str) -> list[str]:
    return [word for word in (WORD, *BORN) if word in text.lower()]


def test_planted_words_are_nowhere_outside_the_raw_store(house: Installation, tmp_path: Path) -> None:
    verbs = [
        ("run",), ("run", "--json"), ("rebuild",), ("publish",), ("status",), ("status", "--json"), ("map", "--json"),
        ("quarantine", "list"), ("quarantine", "list", "--json"), ("quarantine", "replay"),
        ("export", "--period", "2026-03", "--out", str(tmp_path / "pack"), "--json"),
    ]  # fmt: skip
    said = {" ".join(verb[:2]): house.radops(*verb) for verb in verbs}
    listed = json.loads(house.radops("quarantine", "list", "--json").stdout)
    assert len(listed) >= 5
    for entry in listed:
        said[f"show {entry['number']}"] = house.radops("quarantine", "show", str(entry["number"]))
    for name in ("bad.hl7", "good.dcm", "odd.dcm", "good.json", "cut.json", "notes.txt"):
        said[f"lint {name}"] = house.radops("lint", str(house.home.inbox / name), check=None)
    assert {verb: found(done.stdout + done.stderr) for verb, done in said.items()} == {verb: [] for verb in said}

    written = [path for folder in ("log", "published", "exports") for path in (house.root / folder).rglob("*")]
    written += [house.home.marts, *(tmp_path / "pack").iterdir()]
    assert len(written) > 10
    assert {path.name for path in written if path.is_file() and found(path.read_bytes().decode("latin-1"))} == set()
    exams = house.rows("SELECT count(*) FROM fct_exam")[0][0]
    assert exams >= 2
    assert values_with(house.root / "published/radops.duckdb", f"{WORD}|{TEXT}|{'|'.join(BORN)}") == []
    assert len(values_with(house.home.intake, WORD)) > 5  # the words did arrive


def values_with(database: Path, pattern: str) -> list[str]:
    """Columns in which a value, as text, holds `pattern`: the engine compresses texts, so bytes alone do not tell."""
    with duckdb.connect(str(database), read_only=True) as con:
        columns = con.execute(
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        assert len(columns) > 100
        return [
            f"{table}.{column}"
            for schema, table, column in columns
            if con.execute(
                f'SELECT 1 FROM {schema}."{table}" WHERE regexp_matches(lower("{column}"::VARCHAR), ?) LIMIT 1',
                [re.sub(r"\s", "", pattern)],
            ).fetchall()
        ]
