"""The truth of a run as Parquet tables, written in chunks while stories arrive. Columns are those of `SCHEMAS`.

Sessions, repeats and prior cases need neighbours in time: see `neighbours.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sample_data.device_clock import daily
from sample_data.dicom_envelopes import dicom_envelopes
from sample_data.envelope import Envelope, Flow
from sample_data.hl7_dialect import LABORATORY
from sample_data.neighbours import Neighbours
from sample_data.network import Network
from sample_data.recorded import Record, Row, is_countable
from sample_data.rooms import is_assigned, standing, tracked
from sample_data.senders import told
from sample_data.story import Exam
from sample_data.volume import Day

CHUNK = 8_000
_KINDS = {"t": pa.string(), "at": pa.timestamp("us"), "n": pa.int64(), "x": pa.float64(), "is": pa.bool_()}


def _schema(text: str) -> pa.Schema:
    pairs = (word.split(":") for word in text.split())
    return pa.schema([(name, _KINDS[kind]) for name, kind in pairs])


SCHEMAS = {
    "exam": _schema("""accession:t facility:t modality:t device:t procedure:t region:t laterality:t contrast:t
        service_line:t priority:t patient_class:t patient:t ordered_at:at booked_at:at scheduled_at:at door_at:at
        arrived_at:at exam_started_at:at exam_ended_at:at images_available_at:at read_started_at:at
        first_prelim_at:at last_prelim_at:at first_final_at:at last_final_at:at critical_found_at:at
        critical_communicated_at:at critical_category:t discrepancy:t discontinued_reason:t interpreter:t assistant:t
        n_addenda:n n_corrections:n n_images:n n_rejected:n wrvu:x is_cancelled:is is_no_show:is is_discontinued:is
        is_declared_repeat:is has_study:is has_order:is has_report:is study_uid:t procedure_local:t"""),
    "session": _schema("device:t facility:t modality:t started_at:at ended_at:at n_exams:n"),
    "repeat": _schema("accession:t facility:t prior_accession:t prior_facility:t days:x is_same_facility:is kind:t"),
    "room_move": _schema("accession:t facility:t device:t room:t patient:t kind:t at:at encounter:t"),
    "reject": _schema("sop_uid:t accession:t device:t facility:t modality:t reason:t view:t operator:t at:at"),
    "read": _schema("accession:t facility:t interpreter:t role:t read_at:at read_started_at:at wrvu:x true_min:x"),
    "appointment": _schema("""appointment_id:t accession:t facility:t device:t slot_at:at duration_min:x status:t
        slot_told_at:at cancelled_at:at"""),
    "prior_case": _schema("""accession:t patient:t facility:t availability:t modality:t region:t declared_at:at
        is_repeated:is"""),
    "procedure": _schema("facility:t code:t text:t procedure:t is_mapped_by:t"),
    "clock": _schema("""accession:t facility:t device:t device_at:at anchor_at:at device_ended_at:at
        anchor_ended_at:at"""),
    "device": _schema("device:t facility:t modality:t clock_offset_s:n drift_s_day:n has_mpps:is"),
    "device_clock": _schema("device:t facility:t day:at ahead_s:n is_set:is"),
    "image": _schema("sop_uid:t accession:t device:t facility:t modality:t view:t operator:t at:at is_rejected:is"),
    "label": _schema("""accession:t facility:t procedure:t tells_modality:is tells_body_part:is tells_laterality:is
        tells_contrast:is tells_views:is wrong_modality:is wrong_body_part:is wrong_laterality:is wrong_contrast:is
        wrong_views:is"""),
    "sender": _schema("facility:t source:t last_at:at"),
    "message": _schema("facility:t source:t standard:t kind:t day:at n_messages:n n_defective:n"),
    "fault": _schema("facility:t source:t standard:t kind:t day:at field:t reason:t n_defects:n"),
    "quarantine": _schema("path:t position:n reason:t"),
    "volume": _schema("day:at is_holiday:is expected_orders:x"),
}  # fmt: skip
_INSTANTS = [field.name for field in SCHEMAS["exam"] if field.type == _KINDS["at"] and field.name != "scheduled_at"]


def _spent(exam: Exam) -> float | None:
    """Minutes from the begin of reading to the end of dictation."""
    begin, end = exam.read_started_at, exam.dictated_at
    return None if begin is None or end is None else (end - begin).total_seconds() / 60


class Table:
    """One Parquet file, written in row groups of `CHUNK`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema, self.rows = schema, list[Row]()
        self.writer = pq.ParquetWriter(path, schema, compression="zstd")

    def add(self, row: Row) -> None:
        """Append a row; it must have exactly the columns of the schema."""
        self.rows.append(row)
        if len(self.rows) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        self.writer.write_table(pa.Table.from_pylist(self.rows, schema=self.schema))
        self.rows.clear()

    def close(self) -> None:
        """Write what is left."""
        if self.rows:
            self._flush()
        self.writer.close()


class Truth:
    """Collects stories; `close` writes the last rows."""

    def __init__(self, folder: Path, network: Network, horizon: datetime, *, has_dicom: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.network, self.horizon, self.has_dicom = folder, network, horizon, has_dicom
        self.tables = {
            name: Table(folder / f"{name}.parquet{'.part' if name == 'exam' else ''}", schema)
            for name, schema in SCHEMAS.items()
        }
        self.neighbours = Neighbours(network, self.add, has_imports=has_dicom)
        self.data_through = datetime.min
        self.last_told: dict[tuple[str, str], datetime] = {}
        self.flow = Flow()
        for name in network.names.values():
            known = None if name.mapped_by == "none" else name.procedure
            values = (name.facility, name.code, name.text, known, name.mapped_by)
            self.add("procedure", dict(zip(SCHEMAS["procedure"].names, values, strict=True)))
        for room in network.rooms.values():
            device = room.device
            self.add("device", {**{n: getattr(device, n) for n in SCHEMAS["device"].names[1:]}, "device": device.id})

    def add(self, table: str, row: Row) -> None:
        """Append a row to a table."""
        self.tables[table].add(row)

    def exam(self, exam: Exam) -> None:
        """All rows of one story."""
        record = Record(self.network, exam, self.horizon, has_dicom=self.has_dicom)
        row = record.row()
        self.add("exam", row)
        self.data_through = max([self.data_through, *(row[c] for c in _INSTANTS if row[c] is not None)])
        for source, at in told(record, row):
            self.last_told[exam.facility, source] = max(at, self.last_told.get((exam.facility, source), at))
        for envelope in dicom_envelopes(record):
            self.flow.add(envelope)
        self._clocks(record, row["device"])
        label = record.label()
        if label is not None:
            self.add("label", {"accession": exam.accession, "facility": exam.facility, **label})
        self._reads(exam, row)
        self._images(record)
        _, slot_at, state = record.booked()
        if state:
            self.add("appointment", {
                "appointment_id": exam.appointment, "accession": exam.accession, "facility": exam.facility,
                "device": exam.planned_device.id, "slot_at": slot_at, "duration_min": float(exam.slot_min),
                "status": state, "slot_told_at": record.slot_told(), "cancelled_at": record.cancelled(),
            })  # fmt: skip
        self._moves(record)
        self.neighbours.exam(exam, row, is_countable(row))

    def _clocks(self, record: Record, device: str | None) -> None:
        """What two clocks say of the exam's begin and end; each only where both say it."""
        (device_at, anchor_at), (device_ended_at, anchor_ended_at) = begin, end = record.clocks()
        if device is None or (None in begin and None in end):
            return
        row: Row = {"accession": record.exam.accession, "facility": record.exam.facility, "device": device}
        row |= {"device_at": None, "anchor_at": None, "device_ended_at": None, "anchor_ended_at": None}
        if None not in begin:
            row |= {"device_at": device_at, "anchor_at": anchor_at}
        if None not in end:
            row |= {"device_ended_at": device_ended_at, "anchor_ended_at": anchor_ended_at}
        self.add("clock", row)

    def _moves(self, record: Record) -> None:
        exam = record.exam
        if exam.is_hl7_missing:
            return
        known = {room.device.site_room.casefold(): room.device.id for room in self.network.rooms.values()}
        for kind, at, room in standing(exam):
            device = known.get(room.casefold()) or known.get(room.casefold().partition("^")[2] or "-")
            encounter = None if record.dialect else exam.placer
            self.add("room_move", {
                "accession": exam.accession, "facility": exam.facility, "device": device, "room": room,
                "patient": record.patient(), "kind": kind, "at": at, "encounter": encounter,
            })  # fmt: skip
        if is_assigned(exam):  # then they are arrivals of the visit, too
            arrivals = [move.at for move in tracked(exam) if move.kind == "entered"]
            self.data_through = max([self.data_through, *arrivals])

    def _reads(self, exam: Exam, row: Row) -> None:
        """Reads, with the minutes that were really spent; those of signing what another read are not told."""
        roles = (("preliminary", "assistant", "first_prelim_at"), ("final", "interpreter", "first_final_at"))
        for role, who, when in roles:
            if row[who] is not None and row[when] is not None:
                self.add("read", {
                    "accession": row["accession"], "facility": row["facility"], "interpreter": row[who], "role": role,
                    "read_at": row[when], "read_started_at": row["read_started_at"], "wrvu": row["wrvu"],
                    "true_min": _spent(exam) if role == "preliminary" or exam.assistant is None else None,
                })  # fmt: skip

    def _images(self, record: Record) -> None:
        exam = record.exam
        if not record.has_images:
            return
        device: dict[str, Any] = {"device": exam.device.id, "facility": exam.facility, "modality": exam.modality}
        for image in (image for series in exam.series for image in series.images):
            shared = {"sop_uid": image.sop_uid, "accession": exam.accession, **device, "view": image.view or None}
            shared["operator"] = exam.technologist.id if exam.technologist else None
            is_rejected = image.reject_reason is not None
            self.add("image", {**shared, "at": record.device_time(image.at), "is_rejected": is_rejected})
            if is_rejected:
                at = record.device_time(image.rejected_at)
                self.add("reject", {**shared, "reason": image.reject_reason, "at": at})

    def quarantine(self, path: str, position: int, reason: str) -> None:
        """A message that cannot be used: where it stands and why."""
        self.add("quarantine", {"path": path, "position": position, "reason": reason})

    def device_clocks(self, start: datetime) -> None:
        """What each device's clock is ahead, day by day of the run."""
        for room in self.network.rooms.values():
            for row in daily(room.device, start, self.horizon):
                self.add("device_clock", row)

    def message(self, envelope: Envelope) -> None:
        """A message of HL7 or FHIR; those of devices follow from the exam."""
        self.flow.add(envelope)

    def laboratory(self, wall: datetime) -> None:
        """A laboratory result, by its wall clock."""
        lab = LABORATORY
        at = wall.replace(tzinfo=self.network.zones[lab.facility]).astimezone(UTC).replace(tzinfo=None)
        self.flow.add(Envelope(lab.facility, f"{lab.app}@{lab.sending}", "hl7", "ORU^R01", at))

    def volume(self, days: list[Day], exams: int) -> None:
        """Orders that each day of a run of `exams` was expected to bring, without chance."""
        usual = exams / sum(day.expected for day in days)
        for day in days:
            at = datetime(day.day.year, day.day.month, day.day.day)
            expected = usual * day.expected
            self.add("volume", {"day": at, "is_holiday": day.is_holiday, "expected_orders": expected})

    def close(self) -> None:
        """Settle neighbours, close all tables and add the end of the data to every exam."""
        self.neighbours.close()
        for (facility, source), at in self.last_told.items():
            self.add("sender", {"facility": facility, "source": source, "last_at": at})
        for name, row in self.flow.rows():
            self.add(name, row)
        for table in self.tables.values():
            table.close()
        part = self.folder / "exam.parquet.part"
        source = pq.ParquetFile(part)
        schema = SCHEMAS["exam"].append(pa.field("data_through", _KINDS["at"]))
        with pq.ParquetWriter(self.folder / "exam.parquet", schema, compression="zstd") as writer:
            for group in range(source.num_row_groups):
                table = source.read_row_group(group)
                through = pa.array([self.data_through] * table.num_rows, _KINDS["at"])
                writer.write_table(table.append_column(schema.field("data_through"), through))
        part.unlink()
