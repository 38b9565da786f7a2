"""Record types and their columns: the one table behind the raw tables, the parsers and the dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "timestamp", "integer", "real", "boolean", "date"]

SQL_TYPE: dict[Kind, str] = {
    "text": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "integer": "BIGINT",
    "real": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a record. `timestamp` is a UTC instant without zone; `note` is its dictionary text."""

    name: str
    kind: Kind
    note: str


def _columns(text: str) -> tuple[Column, ...]:
    rows = (line.split(None, 2) for line in text.strip().splitlines())
    return tuple(Column(name, kind, note) for name, kind, note in rows)  # type: ignore[arg-type]


COMMON = _columns("""
standard            text       hl7, dicom or fhir
source              text       sending system: APP@FACILITY of MSH-3/4, AE title or station, FHIR base
message_id          text       MSH-10, SOP Instance UID hash, or resource type/id/version
message_at          timestamp  MSH-7, instance creation or last change, meta.lastUpdated
facility_alias      text       the name by which the site table finds the facility
""")

IDENTIFIERS = _columns("""
accession           text       accession number; unique within its facility
filler_id           text       filler order number with its namespace (value^namespace)
placer_id           text       placer order number with its namespace (value^namespace)
requested_procedure_id text    OBR-19, IPC-2, (0040,1001)
study_uid           text       Study Instance UID
step_uid            text       SOP Instance UID of the performed procedure step (MPPS)
appointment_id      text       SCH-2 else SCH-1, FHIR Appointment/id
order_ref           text       FHIR ServiceRequest/id, qualified by its source
""")

PATIENT = _columns("""
patient_id          text       patient identifier value
patient_authority   text       its assigning authority (namespace); never joined across authorities
""")

DEMOGRAPHICS = _columns("""
birth_date          date       private; published only as an age band
sex                 text       M, F, O, U as sent
visit_id            text       visit number with its namespace
""")

PROCEDURE = _columns("""
procedure_code      text       local procedure code as sent
procedure_text      text       its text as sent
procedure_system    text       its coding system as sent
alternate_code      text       second coding (OBR-4.4, OBR-44, second FHIR coding)
alternate_text      text       its text
alternate_system    text       its coding system
modality            text       DICOM modality code (CT, MR, DX, ...)
laterality          text       R, L, B or U
""")

WHEN = _columns("""
at                  timestamp  when it happened, UTC
at_precision        text       year, month, day, hour, minute, second or fraction
at_zone_source      text       offset, message, facility, facility_fold, facility_gap or assumed
""")

RECORDS: dict[str, tuple[Column, ...]] = {
    "event": COMMON
    + IDENTIFIERS
    + PATIENT
    + WHEN
    + _columns("""
visit_id            text       visit number with its namespace
code                text       event of the vocabulary (see etl.vocabulary)
origin              text       mpps, ris, schedule, adt, report, image or order
status_code         text       status as sent
slot_at             timestamp  scheduled: start of the booked slot
station             text       station name or AE title of the device, if said; room of a tracked arrival (A10)
actor_id            text       who did it: identifier
actor_authority     text       its authority
actor_name          text       name as sent; private
reason_code         text       reason code as sent (CID 9300, CID 7011, local)
detail              text       category or scheme detail, coded; never free text of a patient
is_inferred         boolean    derived by a rule, not stated by the sender
"""),
    "order": COMMON
    + IDENTIFIERS
    + PATIENT
    + DEMOGRAPHICS
    + PROCEDURE
    + WHEN
    + _columns("""
order_control       text       ORC-1 or FHIR status
order_status        text       ORC-5 or FHIR status as sent
priority            text       S stat, A asap, R routine, T timing critical, P preop; as sent
patient_class       text       E, I, O, ... (PV1-2) as sent
location            text       PV1-3 point of care
service             text       PV1-10 hospital service
reason              text       OBR-31 code or text; private
ordering_id         text       ordering provider identifier
ordering_authority  text       its authority
ordering_name       text       private
requested_at        timestamp  requested start (TQ1-7, ORC-7.4, OBR-27.4, OBR-36)
replaced_by         text       placer id of the order that replaces this one
station             text       scheduled station (IPC-9 AE title else IPC-7 name)
outside_prior       text       declared outside imaging: none, held, unavailable, imported
outside_modality    text       modality of the outside study
outside_body_part   text       body region of the outside study
duplicate_reason    text       OBR-48 medically necessary duplicate
"""),
    "report": COMMON
    + IDENTIFIERS
    + PATIENT
    + DEMOGRAPHICS
    + PROCEDURE
    + WHEN
    + _columns("""
status              text       partial, preliminary, final, corrected, addendum or cancelled
status_code         text       status as sent
priority            text       as sent
patient_class       text       as sent
interpreter_id      text       principal result interpreter
interpreter_authority text     its authority
interpreter_name    text       private
read_started_at     timestamp  OBR-32 component 2 (NDL start)
read_ended_at       timestamp  OBR-32 component 3 (NDL end)
assistant_id        text       assistant interpreter (trainee)
assistant_authority text       its authority
assistant_name      text       private
technician_id       text       technologist
technician_name     text       private
transcriptionist_id text       transcriptionist
transcriptionist_name text     private
exam_started_at     timestamp  OBR-7
exam_ended_at       timestamp  OBR-8
critical_category   text       critical result category by coded OBX
discrepancy         text       grade of the preliminary report by coded OBX: none, minor or major; empty: taken back
document_id         text       TXA-12 or DiagnosticReport id
text                text       report text; private, never published
"""),
    "appointment": COMMON
    + IDENTIFIERS
    + PATIENT
    + DEMOGRAPHICS
    + PROCEDURE
    + WHEN
    + _columns("""
status              text       booked, rescheduled, arrived, completed, cancelled, noshow, blocked, ...
slot_at             timestamp  start of the slot
duration_min        real       length of the slot, minutes
resource            text       station, room or AE title booked
reason_code         text       SCH-6/7, cancelation reason
"""),
    "patient_link": COMMON
    + WHEN
    + _columns("""
kind                text       same (identifiers sent together), merge, link or unlink
patient_id          text       surviving identifier
patient_authority   text       its authority
prior_id            text       prior identifier
prior_authority     text       its authority
"""),
    "room_move": COMMON
    + PATIENT
    + WHEN
    + _columns("""
visit_id            text       visit number with its namespace
kind                text       entered, left, not_entered (A32), not_left (A33) or void (the encounter says no more)
room                text       point of care^room of PL, or the name of a FHIR location
stay_ref            text       the FHIR encounter, whose last version tells all of its stays; NULL in HL7
stay_number         integer    place of the stay among the encounter's locations, from 0
"""),
    "instance": COMMON
    + IDENTIFIERS
    + PATIENT
    + DEMOGRAPHICS
    + PROCEDURE
    + _columns("""
accession_issuer    text       (0008,0051)
series_uid          text       Series Instance UID
sop_hash            text       SHA-256 of the SOP Instance UID, 32 hex digits
sop_class           text       SOP Class UID
study_at            timestamp  Study Date+Time
series_at           timestamp  Series Date+Time
acquired_at         timestamp  best acquisition clock
acquired_clock      text       rung used: acquisition_datetime, acquisition, content, series or study
acquired_precision  text       as at_precision
acquired_zone_source text      as at_zone_source
acquisition_duration_s real    (0018,9073), seconds
step_started_at     timestamp  Performed Procedure Step Start (0040,0244/0245)
step_ended_at       timestamp  Performed Procedure Step End (0040,0250/0251)
is_original         boolean    ImageType value 1 is ORIGINAL
is_time_synchronized boolean   (0018,1800) is Y
manufacturer        text       (0008,0070)
model               text       (0008,1090)
serial              text       (0018,1000)
software            text       (0018,1020)
station             text       (0008,1010)
ae_title            text       (0008,0055) else (0008,0054) else (0002,0016)
institution         text       (0008,0080)
department          text       (0008,1040)
operator            text       (0008,1070); private
body_part           text       (0018,0015) else anatomic region code meaning
view                text       (0018,5101) else view code meaning
protocol            text       (0018,1030)
series_description  text       (0008,103E)
study_description   text       (0008,1030)
contrast_agent      text       (0018,0010)
kvp                 real       (0018,0060), kV
exposure_mas        real       (0018,1152), mAs
exposure_time_ms    real       (0018,1150), ms
exposure_index      real       (0018,1411)
deviation_index     real       (0018,1413)
dap                 real       (0018,115E), dGy cm2
frames              integer    (0028,0008)
n_rows              integer    (0028,0010)
n_columns           integer    (0028,0011)
transfer_syntax     text       (0002,0010)
imported_at         timestamp  attribute modification time of an import (0400,0562)
import_source       text       source of previous values (0400,0564)
"""),
    "reject": COMMON
    + IDENTIFIERS
    + PATIENT
    + WHEN
    + _columns("""
series_uid          text       series of the rejected image
sop_hash            text       as in instance
title_code          text       KOS document title (113001, 113037, 113038, 113039)
reason_code         text       CID 7011 code
operator            text       private
"""),
    "charge": COMMON
    + IDENTIFIERS
    + PATIENT
    + WHEN
    + _columns("""
visit_id            text       visit number
charge_code         text       FT1-25 else FT1-7
quantity            real       FT1-10
modifiers           text       FT1-26
transaction_type    text       FT1-6: CG charge, CD credit
"""),
    "dose": COMMON
    + IDENTIFIERS
    + PATIENT
    + WHEN
    + _columns("""
irradiation_uid     text       irradiation event UID
ctdi_vol            real       mGy
dlp                 real       mGy cm
dap                 real       Gy m2
"""),
}

#: Who sent a message to whom, of what kind and when: of every message that is read,
#: also of one that gives no rows. Load adds these up; they are no raw table.
ENVELOPE = _columns("""
standard            text       hl7, dicom or fhir
source              text       as in COMMON
receiver            text       APP@FACILITY of MSH-5/6, receiving AE title (0002,0018)
kind                text       MSH-9 as type^trigger, sort of DICOM object with its modality, resourceType
message_at          timestamp  as in COMMON
facility_alias      text       as in COMMON
""")

#: Columns that load adds in front of every raw row.
LOADED = _columns("""
batch_id            integer    arrival sequence of the batch
file_id             text       hash of the file's content; of its header and size where that told all
position            integer    message or object number within the file, from 0
row_number          integer    row within that message, from 0
""")
