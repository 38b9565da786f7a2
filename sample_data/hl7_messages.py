"""Whole messages of one exam, each as bytes: orders, status, bookings, reports, documents, charges, merges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sample_data.grading import score_at
from sample_data.hl7_dialect import Dialect, Writer
from sample_data.hl7_segments import imaging, msh, ndl, obr, obx, obx_time, orc, pid, pv1, segment, tq1, xcn
from sample_data.network import Network
from sample_data.rooms import is_assigned
from sample_data.story import Addendum, Exam

#: What the reports say; the escapes are those of 2.7.
REPORT_TEXT = "EXAM: {name}.\\.br\\FINDINGS: No acute abnormality \\T\\ no change.\\.br\\IMPRESSION: As above."
OUTSIDE_NAMES = {"OUTMOD": "Outside modality", "OUTREGION": "Outside region"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Paper for one message: its network, dialect, exam, control id and time of sending."""

    network: Network
    dialect: Dialect
    exam: Exam
    control: str
    sent_at: datetime

    def writer(self) -> Writer:
        """Writes the times and values of this message."""
        return Writer(self.network, self.dialect, self.sent_at)


def order(sheet: Sheet) -> bytes:
    """A new order, or one that replaces another (RP with RO), with the outside imaging question where it was asked."""
    w, exam = sheet.writer(), sheet.exam
    segments = [msh(w, w.dialect.order, sheet.control), pid(w, exam), pv1(w, exam)]
    if exam.replaces:
        old = {1: "1", 2: f"{exam.replaces}^CPOE", 24: exam.modality}
        segments += [
            segment("ORC", {1: "RP", 2: f"{exam.replaces}^CPOE", 9: w.time(exam.ordered_at)}),
            segment("OBR", old),
        ]
    segments.append(orc(w, exam, "RO" if exam.replaces else "NW", exam.ordered_at))
    if w.dialect.is_251:
        segments.append(tq1(w, exam))
    segments.append(obr(w, exam))
    if exam.outside is not None:
        segments.append(obx(1, "CE", "OUTPRIOR^Outside imaging^L", exam.outside.status.upper()))
        facts = {"OUTMOD": exam.outside.modality, "OUTREGION": exam.outside.region}
        segments += [
            obx(n, "ST", f"{code}^{OUTSIDE_NAMES[code]}^L", value)
            for n, (code, value) in enumerate(facts.items(), start=2)
            if value
        ]
    return w.finish([*segments, imaging(w, exam)])


def status_change(sheet: Sheet, code: str, at: datetime) -> bytes:
    """ORC-1 SC with the local or standard status in ORC-5."""
    w, exam = sheet.writer(), sheet.exam
    head = [msh(w, w.dialect.order, sheet.control), pid(w, exam), pv1(w, exam)]
    return w.finish([*head, orc(w, exam, "SC", at, {5: code}), obr(w, exam), imaging(w, exam)])


def cancel(sheet: Sheet) -> bytes:
    """ORC-1 CA."""
    w, exam = sheet.writer(), sheet.exam
    head = [msh(w, w.dialect.order, sheet.control), pid(w, exam), pv1(w, exam)]
    body = orc(w, exam, "CA", exam.cancelled_at, {5: "CA", 16: "CLINICAL"})
    return w.finish([*head, body, obr(w, exam), imaging(w, exam)])


def booking(sheet: Sheet, trigger: str, status: str, slot: datetime) -> bytes:
    """SIU: the slot in AIS-4, the device in AIL-3."""
    w, exam = sheet.writer(), sheet.exam
    kind = f"SIU^{trigger}^SIU_S12" if w.dialect.is_251 else f"SIU^{trigger}"
    schedule = {1: exam.placer, 2: f"{exam.appointment}^{w.dialect.filler_namespace}", 6: "ROUTINE", 25: status}
    if w.dialect.is_251:
        schedule |= {26: f"{exam.placer}^CPOE", 27: f"{exam.filler}^{w.dialect.filler_namespace}"}
    service = f"{exam.code}^{w.text(exam.text)}^L{exam.facility}"
    return w.finish(
        [
            msh(w, kind, sheet.control),
            segment("SCH", schedule),
            pid(w, exam),
            pv1(w, exam),
            "RGS|1|A",
            f"AIS|1|A|{service}|{w.time(slot)}|||{exam.slot_min}|MIN",
            f"AIL|1|A|{exam.planned_device.station}^^^{exam.facility}",
            *([] if w.dialect.is_251 else [obr(w, exam), imaging(w, exam)]),
        ]
    )


def report(sheet: Sheet, status: str, at: datetime, *, with_critical: bool) -> bytes:
    """ORU^R01 with reading times in OBR-32, exam times in OBR-7 and 8, and coded OBX for critical results.

    `status` is OBR-25, followed by OBX-11 where that differs (`FA`: an addendum to a final report).
    """
    w, exam = sheet.writer(), sheet.exam
    has_times = "exam_times" not in exam.lost
    read_at = exam.read_started_at if "read_started" not in exam.lost else None
    reader = exam.interpreter if exam.final_at or exam.assistant is None else None
    more = {
        7: w.time(exam.exam_started_at) if has_times else "",
        8: w.time(exam.exam_ended_at) if has_times else "",
        22: w.time(at),
        25: status[0],
        32: ndl(w, reader, read_at if w.dialect.writes_seconds else None),
        33: ndl(w, exam.assistant),
        34: ndl(w, exam.technologist),
    }
    text = REPORT_TEXT.format(name=w.text(exam.text))
    segments = [
        msh(w, "ORU^R01^ORU_R01" if w.dialect.is_251 else "ORU^R01", sheet.control),
        pid(w, exam),
        pv1(w, exam),
        orc(w, exam, "RE", at),
        obr(w, exam, more),
        obx(1, "FT", "GDT^Report", text, status[-1]),
    ]
    if with_critical:
        segments += _critical(w, exam)
    score = score_at(exam, w.sent_at) if status in ("F", "C") else ""
    if score:
        segments.append(obx(9, "CE", "DISCREP^Discrepancy^L", score))
    return w.finish([*segments, imaging(w, exam)])


def _critical(w: Writer, exam: Exam) -> list[str]:
    lines = [obx(2, "CE", "CRITCAT^Critical category^L", exam.critical_category)]
    stamps = (
        ("CRITFOUND^Critical found^L", exam.critical_found_at),
        ("CRITCOMM^Told^L", exam.critical_communicated_at),
    )
    for code, at in stamps:
        if at is not None and at <= w.sent_at:
            lines.append(obx_time(len(lines) + 2, code, w.time(at)))
    return lines


def document(sheet: Sheet, trigger: str, completion: str, addendum: Addendum | None) -> bytes:
    """MDM of EAST: a dictation (TXA-17 DI, TXA-4) or a signed addendum (TXA-22)."""
    w, exam = sheet.writer(), sheet.exam
    head = [msh(w, f"MDM^{trigger}", sheet.control), f"EVN|{trigger}|{w.header_time}", pid(w, exam), pv1(w, exam)]
    txa = {
        1: "1",
        2: "DI",
        3: "TX",
        4: w.time(exam.dictated_at if addendum is None else addendum.at),
        9: xcn(exam.interpreter),
        12: f"D{exam.filler}^{w.dialect.app}",
        14: f"{exam.placer}^CPOE",
        15: f"{exam.filler}^{w.dialect.filler_namespace}",
        17: completion,
    }
    if addendum is not None:
        signer = addendum.author
        txa[22] = f"{signer.id}^{signer.family}^{signer.given}^^^^^^NET^^^^^^{w.time(addendum.at)}"
    return w.finish([*head, segment("TXA", txa), "OBX|1|TX|GDT^Report||See dictation."])


def charge(sheet: Sheet, posted_at: datetime) -> bytes:
    """DFT^P03 with one FT1 a charge; a negative quantity is sent as a credit."""
    w, exam = sheet.writer(), sheet.exam
    segments = [
        msh(w, "DFT^P03^DFT_P03", sheet.control), f"EVN|P03|{w.header_time}", pid(w, exam), pv1(w, exam),
    ]  # fmt: skip
    for number, (code, quantity, _) in enumerate(exam.charges, start=1):
        fields = {
            1: str(number),
            4: w.time(posted_at),
            6: "CG" if quantity > 0 else "CD",
            7: code,
            10: f"{abs(quantity):g}",
            23: f"{exam.filler}^{w.dialect.filler_namespace}",
            25: f"{code}^{w.text(exam.text)}^LFEE",
        }
        if number == 1:
            fields[26] = "PC"
        segments.append(segment("FT1", fields))
        accession = {1: "1", 3: f"{exam.filler}^{w.dialect.filler_namespace}", 18: exam.accession, 24: exam.modality}
        segments.append(segment("OBR", accession))
    return w.finish(segments)


def admit(sheet: Sheet) -> bytes:
    """ADT^A04: an emergency patient registers at the door."""
    w, exam = sheet.writer(), sheet.exam
    kind = "ADT^A04^ADT_A01" if w.dialect.is_251 else "ADT^A04"
    event = f"EVN|A04|{w.header_time}"
    return w.finish([msh(w, kind, sheet.control), event, pid(w, exam), pv1(w, exam, exam.door_at)])


def merge(sheet: Sheet) -> bytes:
    """ADT^A40: the temporary number goes to the person's own."""
    w, exam = sheet.writer(), sheet.exam
    person = exam.person
    kind = "ADT^A40^ADT_A39" if w.dialect.is_251 else "ADT^A40"
    who = f"{person.mrns[exam.facility]}^^^{exam.facility}^MR~{person.enterprise}^^^NET^PI"
    name = f"{w.text(person.family)}^{w.text(person.given)}||{person.birth_date:%Y%m%d}|{person.sex}"
    return w.finish(
        [
            msh(w, kind, sheet.control),
            f"EVN|A40|{w.header_time}",
            f"PID|1||{who}||{name}",
            f"MRG|{exam.mrn}^^^{exam.facility}^MR",
        ]
    )


#: What is told of a room -> trigger, structure.
TRACKING = {"entered": ("A10", "ADT_A09"), "left": ("A09", "ADT_A09"), "not_entered": ("A32", "ADT_A21")}


def track(sheet: Sheet, kind: str, room: str, at: datetime) -> bytes:
    """ADT^A10, A09 and A32: a patient arrives in a room, leaves it, or did not arrive. EVN-6 says when.

    The room is where the patient is for a while (PV1-11; PV1-43 once it is left) or where `is_assigned` (PV1-3).
    """
    w, exam = sheet.writer(), sheet.exam
    trigger, structure = TRACKING[kind]
    number = 3 if is_assigned(exam) else 43 if kind == "left" else 11
    more = {} if kind == "not_entered" else {number: f"{room}^^{w.dialect.pv1_facility}"}
    event = f"EVN|{trigger}|{w.header_time}||||{w.time(at)}"
    return w.finish([msh(w, f"ADT^{trigger}^{structure}", sheet.control), event, pid(w, exam), pv1(w, exam, more=more)])
