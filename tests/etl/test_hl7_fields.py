"""The field tables: every row yields its column, stands where the standard has its type, and agrees with hl7apy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hl7apy import load_reference
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_segment

from etl.records import RECORDS
from etl.site import Site
from etl.sources import hl7_charge, hl7_document, hl7_order, hl7_patient, hl7_request, hl7_result, hl7_schedule
from etl.sources.hl7_fields import Field, Table, read
from etl.sources.hl7_message import PAD, Message
from etl.sources.hl7_text import as_bytes, spans
from tests.etl.hl7_lines import PID, SITE, message, utc

MODULES = (hl7_patient, hl7_request, hl7_order, hl7_result, hl7_schedule, hl7_document, hl7_charge)


def _tables() -> Iterator[tuple[str, Field]]:
    for module in MODULES:
        for name, value in vars(module).items():
            tables = value.values() if isinstance(value, dict) else [value]
            for table in tables:
                fields = (table,) if isinstance(table, Field) else table if isinstance(table, tuple) else ()
                for field in fields:
                    if isinstance(field, Field):
                        yield f"{module.__name__.rsplit('.', 1)[-1]}.{name}", field


ROWS = sorted({(table, field) for table, field in _tables()}, key=lambda row: (row[0], row[1].address, row[1].columns))
IDS = [f"{table}:{field.address}" for table, field in ROWS]
PERSON = "77^Roe&van^Ann^B^^^^^NPI"

#: Type -> a component (for types that one may address) or a field as sent, and what must be read from it.
SAMPLES: dict[str, tuple[str, Any]] = {
    "ST": ("abc", "abc"), "ID": ("abc", "abc"), "IS": ("abc", "abc"), "EI": ("N1^NS", "N1^NS"),
    "CX": ("N1^^^NS", "N1^NS"), "NM": ("12.5", 12.5), "DT": ("20260115", date(2026, 1, 15)),
    "DTM": ("20260115083000", utc("2026-01-15T13:30:00")),
    "WHEN": ("20260115083000", (utc("2026-01-15T13:30:00"), "second", "facility")),
    "XCN": (PERSON, ("77", "NPI", "Roe^Ann^B")), "NDL": ("77&Roe&Ann&B&&&&&NPI", ("77", "NPI", "Roe^Ann^B")),
    "NDLTIME": ("20260115083000", utc("2026-01-15T13:30:00")),
    "NDLWHEN": ("20260115083000", (utc("2026-01-15T13:30:00"), "second", "facility")),
    "PL": ("W1^R1^B1^NORTH", "W1^R1"), 
    "CWE": ("a^b^c^d^e^f", ("a", "b", "c", "d", "e", "f")), "CWE3": ("a^b^c^d^e^f", ("a", "b", "c")),
}  # fmt: skip

#: Type -> data types of version 2.5.1 that it reads.
DATA_TYPES: dict[str, set[str]] = {
    "ST": {"ST", "CE", "CWE", "EI", "PL", "TQ", "HD", "CNE"}, "ID": {"ID", "ST"}, "IS": {"IS", "ID"}, "EI": {"EI"},
    "PL": {"PL"}, "CX": {"CX"}, "NM": {"NM"}, "DT": {"TS", "DT"}, "DTM": {"TS", "TQ", "DTM"},
    "WHEN": {"TS", "DTM", "PPN", "DR", "NDL"},
    "XCN": {"XCN", "PPN"}, "NDL": {"NDL"}, "NDLTIME": {"NDL"}, "NDLWHEN": {"NDL"}, "CWE": {"CE", "CWE"},
    "CWE3": {"CE", "CWE"},
}  # fmt: skip


@pytest.mark.parametrize(("table", "field"), ROWS, ids=IDS)
def test_every_row_yields_its_column(table: str, field: Field) -> None:
    sample, expected = SAMPLES[field.type]
    fields = list(PAD)
    fields[field.number] = "^" * (field.component - 1) + sample
    empty = Message(message("ADT^A08", PID), 0, SITE)
    found = read(empty, {field.segment: fields}, Table([field]))
    assert found == (
        dict(zip(field.columns, expected, strict=True)) if len(field.columns) > 1 else {field.column: expected}
    )
    assert empty.defects == []


@pytest.mark.parametrize(
    "field", [field for _, field in ROWS if field.segment != "ZDS"], ids=[i for i in IDS if ":ZDS" not in i]
)
def test_every_row_stands_where_the_standard_has_its_type(field: Field) -> None:
    """All but ZDS, which IHE defines."""
    reference = load_reference(f"{field.segment}_{field.number}", "Field", "2.5.1")
    assert reference[2] in DATA_TYPES[field.type], (reference[2], reference[3])


@pytest.mark.parametrize(("table", "field"), ROWS, ids=IDS)
def test_every_column_is_of_a_record(table: str, field: Field) -> None:
    known = {column.name for record in RECORDS.values() for column in record} | {"duration"}
    dropped = set(hl7_result._DROPPED)
    assert set(field.columns) <= known | dropped


#: Type -> (component, sub-component) that its reader takes, besides the addressed one.
PARTS: dict[str, tuple[tuple[int, int], ...]] = {
    "EI": ((2, 1), (3, 1)), "CX": ((4, 1), (4, 2), (5, 1)), "XCN": ((2, 1), (3, 1), (4, 1), (9, 1)),
    "NDL": ((1, 2), (1, 3), (1, 4), (1, 9), (2, 1)), "CWE": tuple((n, 1) for n in range(1, 7)),
    "CWE3": tuple((n, 1) for n in range(1, 4)),
}  # fmt: skip


def _addresses() -> set[tuple[str, int, int, int]]:
    found = set()
    for _, field in ROWS:
        for component, subcomponent in ((field.component, field.subcomponent), *PARTS.get(field.type, ())):
            found.add((field.segment, field.number, component, subcomponent))
    return (
        found | {("PID", 3, n, 1) for n in (1, 4, 5)} | {("OBX", n, 1, 1) for n in (2, 3, 11, 14)} | {("MRG", 1, 1, 1)}
    )


def _named(children: Any, position: int) -> Any:
    """The child of that number: by its name, or by its place where hl7apy gives no number."""
    plain = []
    for child in children:
        number = (child.name or "").rpartition("_")[2]
        if number.isdigit() and "_" in child.name:
            if int(number) == position:
                return child
        else:
            plain.append(child)
    return plain[position - 1] if len(plain) >= position else None


def _theirs(segment: Any, number: int, component: int, subcomponent: int) -> str:
    for repetition in (f for f in segment.children if f.name == f"{segment.name}_{number}" and f.to_er7()):
        found = _named(repetition.children, component)
        found = _named(found.children, subcomponent) if found is not None else None
        return found.to_er7() if found is not None else ""
    return ""


def _samples(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("hl7v2-fhir-bridge/*.hl7")):
        yield path.read_bytes()
    for path in sorted(folder.glob("fhir-converter/*.hl7"))[::2]:
        yield path.read_bytes()
    data = (folder / "simhospital/messages.out").read_bytes()
    for start, end in spans(data)[::60]:
        yield data[start:end]


def test_the_tokenizer_agrees_with_hl7apy(fixtures: Path) -> None:
    """Every mapped address of every sampled message has the same value in hl7apy's reading."""
    addresses = _addresses()
    compared = unknown = 0
    for data in _samples(fixtures / "hl7"):
        data = as_bytes(data)  # noqa: PLW2901
        start, end = spans(data)[0]
        ours = Message(data[start:end], 0, Site())
        version = ours.part(ours.header[12], 1)
        marks = ours.delimiters
        encoding = {"FIELD": marks.field, "COMPONENT": marks.component, "SUBCOMPONENT": marks.subcomponent,
                    "REPETITION": marks.repetition, "ESCAPE": marks.escape, "SEGMENT": "\r", "GROUP": "\r"}  # fmt: skip
        for name, fields in ours.segments:
            wanted = [address for address in addresses if address[0] == name and fields[address[1]]]
            if name in ("MSH", "ZDS") or not wanted:
                continue
            try:
                line = marks.field.join([name, *list(fields)[1:]]).rstrip(marks.field)
                theirs = parse_segment(line, version, encoding, VALIDATION_LEVEL.TOLERANT)
            except HL7apyException:
                unknown += len(wanted)  # a segment that this version does not define
                continue
            defined = {field.name for field in theirs.children}
            for _, number, component, subcomponent in wanted:
                if f"{name}_{number}" not in defined:  # withdrawn from this version, or not yet in it
                    unknown += 1
                    continue
                value = _theirs(theirs, number, component, subcomponent)
                expected = "" if value == '""' else ours.unescape(value).strip()
                found = ours.part(fields[number], component, subcomponent)
                assert found == expected, f"{name}-{number}.{component}.{subcomponent} of version {version}"
                compared += bool(expected)
    assert compared > 1500
    assert unknown < compared / 100


def test_tables_that_are_read_in_one_go_share_no_column() -> None:
    """Else one would fill what the other leaves out."""
    for tables in (
        (hl7_request.IDENTIFIERS, hl7_request.PROCEDURE, hl7_order.ORDER, hl7_order.TRANSACTION),
        (hl7_request.IDENTIFIERS, hl7_request.PROCEDURE, hl7_result.REPORT),
        (hl7_patient.DEMOGRAPHICS, hl7_patient.VISIT),
    ):
        columns = [{column for row in rows for column in row.columns} for rows in tables]
        assert sum(map(len, columns)) == len(set().union(*columns))
