"""Registration: a request becomes exams with numbers, identifiers and the facility's own words."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sample_data import losses
from sample_data.demand import Request
from sample_data.network import Network
from sample_data.story import Exam

#: Accession numbers by facility. WEST and SOUTH share a range on purpose: a number is unique in its facility only.
ACCESSIONS = {"NORTH": "NA{:08d}", "EAST": "E-{:07d}", "WEST": "{:07d}", "SOUTH": "{:07d}"}
FIRST_NUMBER = 1_000_000
WARDS = {"E": ("ED",), "I": ("3WEST", "4EAST", "ICU", "ONC"), "O": ("CLINIC", "OPD")}
TEMPORARY_NUMBER, HL7_MISSING, STUDY_MISSING = 0.02, 0.01, 0.004
PROTOCOLED = frozenset({"CT", "MR", "PT", "NM"})


class Registration:
    """Gives out numbers. `placer_of` foretells the placer number of a request's first exam."""

    def __init__(self, network: Network, rng: Random) -> None:
        self.network, self.rng = network, rng
        self.counts = dict.fromkeys(network.facilities, FIRST_NUMBER)
        self.by_code = {(f, name.code): name.procedure for (f, _), name in network.names.items()}

    def placer_of(self, request: Request) -> str:
        """Placer order number of the first exam of a request."""
        return f"P{request.number:07d}0"

    def true_procedure(self, exam: Exam) -> str:
        """What was really done, also where the facility's name does not say it."""
        return self.by_code[exam.facility, exam.code]

    def register(self, request: Request, now: datetime, replaced: Exam | None) -> list[Exam]:
        """The exams of a request, ordered `now`; one that replaces another belongs to the same visit."""
        rng, device = self.rng, request.room.device
        facility, letter = device.facility, request.patient_class
        referrer = rng.choice(self.network.of_role("referrer", facility))
        ward, visit = rng.choice(WARDS[letter]), f"V{request.number:08d}"
        door_at = now - timedelta(seconds=rng.randrange(600, 5400)) if letter == "E" else None
        is_temporary = letter == "E" and request.outside is None and rng.random() < TEMPORARY_NUMBER
        merged_at = now + timedelta(seconds=rng.randrange(7200, 172800)) if is_temporary else None
        mrn = f"T{request.number:08d}" if is_temporary else request.person.mrns[facility]
        if replaced is not None:
            visit, door_at, mrn, merged_at = replaced.visit, replaced.door_at, replaced.mrn, replaced.merged_at
        exams = []
        for n, procedure_id in enumerate(request.procedures):
            procedure = self.network.procedures[procedure_id]
            name = self.network.names[facility, procedure_id]
            is_clear = name.mapped_by != "none"
            self.counts[facility] += 1
            number = self.counts[facility]
            lost = losses.draw(rng)
            is_hl7_missing = request.is_returning and replaced is None and rng.random() < HL7_MISSING
            exam = Exam(
                accession=ACCESSIONS[facility].format(number),
                placer=f"{self.placer_of(request)[:-1]}{n}",
                filler=f"F{number}",
                requested_procedure=f"RP{number}",
                facility=facility,
                person=request.person,
                mrn=mrn,
                visit=visit,
                procedure=procedure_id if is_clear else None,
                code=name.code,
                text=name.text,
                dicom_text=procedure.name[:48] if is_clear else name.text,
                modality=device.modality,
                region=procedure.region if is_clear else "",
                laterality=procedure.laterality if is_clear else "",
                contrast=procedure.contrast if is_clear else "",
                service_line=procedure.service_line if is_clear else "",
                priority=request.priority,
                patient_class=letter,
                location=ward,
                reason_code=request.reason,
                referrer=referrer,
                device=device,
                ordered_at=now,
                door_at=door_at,
                outside=request.outside if n == 0 else None,
                study_uid=f"2.25.{rng.getrandbits(100)}",
                step_uid=f"2.25.{rng.getrandbits(100)}",
                lost=lost if facility != "SOUTH" else frozenset(),
                is_hl7_missing=is_hl7_missing and facility != "SOUTH",
                is_study_missing=rng.random() < STUDY_MISSING and facility in ("NORTH", "WEST"),
                merged_at=merged_at,
                replaces=replaced.placer if replaced is not None and n == 0 else "",
                duplicate_reason=request.duplicate_reason,
            )
            if device.modality in PROTOCOLED:
                exam.protocoled_at = now + timedelta(seconds=rng.randrange(60, 420))
            exams.append(exam)
        return exams
