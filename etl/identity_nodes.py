"""Which identifiers an exam can be recognised by, as data, and the SQL that reads them from raw rows.

A *mention* is one distinct set of identifiers as sent, whatever record it stood in. A *node* is one identifier value
of one kind within its scope. Mentions that share a node speak of the same exam, unless a guard says otherwise
(`etl.identity_graph`). Values are compared as sent; placeholders are no identifiers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from etl.records import IDENTIFIERS, RECORDS

#: Records whose rows belong to exams: all that carry identifiers and a patient.
EXAM_RECORDS = tuple(name for name, columns in RECORDS.items() if set(IDENTIFIERS) <= {*columns})

#: Words that stand where an identifier should: after upper-casing, without blanks and punctuation.
PLACEHOLDERS = (
    "", "NA", "NONE", "NULL", "NIL", "UNKNOWN", "UNK", "TEST", "TBD", "NOTAVAILABLE", "NOTASSIGNED", "NOACCESSION",
    "NOACC", "NOTAPPLICABLE", "ANONYMOUS", "ANONYMIZED", "DUMMY", "DEFAULT", "UNASSIGNED", "MISSING", "DELETED",
    "PENDING", "ACCESSION", "ACCESSIONNUMBER", "PATIENTID", "MRN", "ID",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NodeKind:
    """One kind of identifier. `rank` orders kinds for the canonical member; `scope` says within what it is unique."""

    column: str
    rank: int
    scope: Literal["facility", "source", "world"]


NODE_KINDS = (
    NodeKind("accession", 0, "facility"),  # (0008,0050), OBR-18, IPC-1
    NodeKind("filler_id", 1, "facility"),  # ORC-3
    NodeKind("placer_id", 2, "facility"),  # ORC-2
    NodeKind("order_ref", 3, "world"),  # ServiceRequest/id with its source
    NodeKind("requested_procedure_id", 4, "facility"),  # (0040,1001), OBR-19, IPC-2
    NodeKind("step_uid", 5, "world"),  # SOP Instance UID of the MPPS
    NodeKind("appointment_id", 6, "source"),  # SCH-1/2
    NodeKind("study_uid", 7, "world"),  # (0020,000D)
)
ACCESSION, STUDY = NODE_KINDS[0], NODE_KINDS[-1]

#: The columns that make a mention; `source` counts only where an appointment number needs its scope.
MENTION_COLUMNS = (
    "facility_alias", *(kind.column for kind in NODE_KINDS), "patient_id", "patient_authority", "visit_id", "source",
)  # fmt: skip


def _sent(record: str, column: str) -> str:
    if column not in {c.name for c in RECORDS[record]}:
        return "''"
    if column == "source":
        return "CASE WHEN appointment_id IS NULL THEN '' ELSE coalesce(source, '') END"
    return f"coalesce({column}, '')"


def half_md5(text: str) -> str:
    """SQL for the last 8 octets of the MD5 of a text as a number: the engine's `md5_number_upper`, which is a macro of
    it that goes by way of 128 letters and takes five times as long."""
    return f"CAST(md5_number({text}) & 18446744073709551615::UHUGEINT AS UBIGINT)"


def mention_of(record: str) -> str:
    """SQL for the mention number of a raw row, stored beside it: half an MD5 of its identifiers, as of a node."""
    return half_md5(f"concat_ws(chr(31), {', '.join(_sent(record, column) for column in MENTION_COLUMNS)})")


def mentions_sql(record: str, raw: str, where: str) -> str:
    """One row a raw row: `mention` and its columns as text ('' where absent)."""
    columns = ", ".join(f"{_sent(record, column)} AS {column}" for column in MENTION_COLUMNS)
    return f"SELECT mention, {columns} FROM {raw} WHERE {where}"


def value_or_null(column: str) -> str:
    """SQL: the identifier, NULL where it is empty or a placeholder. The namespace behind `^` is not looked at."""
    value = f"CASE WHEN contains({column}, '^') THEN split_part({column}, '^', 1) ELSE {column} END"
    bare = f"regexp_replace(upper({value}), '[^A-Z0-9]', '', 'g')"
    words = ", ".join(f"'{word}'" for word in PLACEHOLDERS)
    is_word = f"{bare} IN ({words}) OR regexp_full_match({bare}, '0+|X{{2,}}|9{{5,}}')"
    # No placeholder has one of these digits: most identifiers do, and are spared the rest.
    is_number = f"regexp_matches({value}, '[1-8]')"
    trimmed = f"trim({column})"
    return (
        f"CASE WHEN {column} = '' THEN NULL WHEN {is_number} THEN {trimmed} WHEN {is_word} THEN NULL ELSE {trimmed} END"
    )


def patient_of(value: str, authority: str) -> str:
    """SQL for the number of a patient identifier, NULL for a placeholder; `value` and `authority` are columns."""
    number = half_md5(f"concat_ws(chr(31), {authority}, {value})")
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {number} END"


def patient_number() -> str:
    """SQL for the number of the patient of a raw row as sent."""
    return patient_of(f"({value_or_null('patient_id')})", "coalesce(patient_authority, '')")


def node_of(kind: NodeKind) -> str:
    """SQL for the number of a node: half an MD5 of kind, scope and value, the same on every engine and machine.

    Reads the columns `facility`, `source` and the identifier, NULL where it is no identifier.
    """
    scope = "''" if kind.scope == "world" else kind.scope
    return half_md5(f"concat_ws(chr(31), '{kind.column}', {scope}, {kind.column})")
