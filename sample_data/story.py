"""What happened: the plain facts that the department model makes and the emitters write as messages and files.

All instants are true UTC without tzinfo. A device's own clock runs ahead (`device_clock`); emitters add that to
everything that the device itself stamps (DICOM, MPPS). `None` means: it did not happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Device:
    """One modality of one facility, with its maker's habits."""

    id: str
    name: str
    facility: str
    modality: str
    station: str
    ae_title: str
    manufacturer: str
    model: str
    serial: str
    clock_offset_s: int = 0
    drift_s_day: int = 0
    set_on: int = 1  # day of the month on which a clock that drifts is set right
    has_mpps: bool = False
    is_implicit_vr: bool = False
    is_enhanced: bool = False  # enhanced multi-frame objects (one object a series)
    writes_zone_offset: bool = False  # (0008,0201) present
    writes_acquisition_datetime: bool = True  # else Acquisition Date + Time only
    sends_rejects: bool = False  # KOS rejection notes
    sends_rdsr: bool = False
    room: str = ""  # as those who tell of it name it, '' where nobody does
    site_room: str = ""  # as the site's table has it


@dataclass(frozen=True, slots=True)
class Person:
    """A patient. `mrns` maps facility to its record number; `enterprise` is the network's identifier."""

    id: str
    family: str
    given: str
    birth_date: date
    sex: str
    enterprise: str
    mrns: dict[str, str]


@dataclass(frozen=True, slots=True)
class Staff:
    """A radiologist, trainee, technologist or referrer."""

    id: str
    family: str
    given: str
    role: str
    facility: str = ""


@dataclass(slots=True)
class Image:
    """One exposure or acquisition that became an object. `reject_reason` is a CID 7011 code."""

    sop_uid: str
    at: datetime
    view: str = ""
    reject_reason: str | None = None
    rejected_at: datetime | None = None
    laterality: str = ""  # of mammograms, whose views do not say it
    duration_s: int = 0  # of an enhanced object, which says it


@dataclass(slots=True)
class Series:
    """A series and its representative objects; `n_objects` is what the modality really made."""

    series_uid: str
    number: int
    description: str
    started_at: datetime
    images: list[Image] = field(default_factory=list)
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class OutsidePrior:
    """Outside imaging of the patient as declared at order entry; imported studies also arrive as DICOM."""

    status: str  # imported, held, unavailable, none
    modality: str = ""
    region: str = ""
    study_uid: str = ""
    institution: str = ""
    taken_at: datetime | None = None
    imported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Addendum:
    """A report version after the first final: kind is `corrected` or `addendum`."""

    kind: str
    at: datetime
    author: Staff


@dataclass(slots=True)
class Exam:
    """One requested procedure and all that became of it."""

    accession: str
    placer: str
    filler: str
    requested_procedure: str
    facility: str
    person: Person
    mrn: str
    visit: str
    procedure: str | None  # harmonized id, None for a name nobody mapped
    code: str  # local code as the facility's systems send it
    text: str  # local name
    dicom_text: str  # the scanner's own name for it
    modality: str
    region: str
    laterality: str
    contrast: str
    service_line: str
    priority: str  # S, A, R
    patient_class: str  # E, I, O
    location: str
    reason_code: str
    referrer: Staff
    device: Device
    ordered_at: datetime
    technologist: Staff | None = None
    door_at: datetime | None = None
    booked_at: datetime | None = None
    slot_at: datetime | None = None
    slot_min: int = 0
    appointment: str = ""
    rescheduled_from: datetime | None = None
    arrived_at: datetime | None = None
    room_entered_at: datetime | None = None
    room_left_at: datetime | None = None
    protocoled_at: datetime | None = None
    exam_started_at: datetime | None = None
    exam_ended_at: datetime | None = None
    images_available_at: datetime | None = None
    read_started_at: datetime | None = None
    dictated_at: datetime | None = None
    prelim_at: datetime | None = None
    last_prelim_at: datetime | None = None
    final_at: datetime | None = None
    interpreter: Staff | None = None
    assistant: Staff | None = None
    critical_category: str = ""
    critical_found_at: datetime | None = None
    critical_communicated_at: datetime | None = None
    score: str = ""  # of the preliminary report by the one who signs, as sent; '' where none is coded
    new_score: str = ""  # and what it is changed to at `rescored_at`
    rescored_at: datetime | None = None
    addenda: list[Addendum] = field(default_factory=list)
    cancelled_at: datetime | None = None
    no_show_at: datetime | None = None
    discontinued_at: datetime | None = None
    discontinued_reason: str = ""  # CID 9300 code
    replaced_by: str = ""  # placer of the order that replaced this one
    outside: OutsidePrior | None = None
    study_uid: str = ""
    step_uid: str = ""  # SOP Instance UID of the MPPS
    series: list[Series] = field(default_factory=list)
    charges: list[tuple[str, float, float]] = field(default_factory=list)  # code, quantity, wRVU each
    dose_dlp: float | None = None
    dose_dap: float | None = None
    lost: frozenset[str] = frozenset()  # stamps and messages that never arrive: see sample_data.losses
    is_hl7_missing: bool = False  # the study exists, its order and report never arrive
    is_study_missing: bool = False  # the order exists, its images never reach the archive
    resigned_at: datetime | None = None  # the final report signed again, unchanged
    merged_at: datetime | None = None  # `mrn` was a temporary record number until this merge
    replaces: str = ""  # placer of the order that this one replaces
    rescheduled_at: datetime | None = None  # when the slot was moved away from `rescheduled_from`
    moved_from: Device | None = None  # the device of the order and the booking, where the exam was done on another
    duplicate_reason: str = ""  # why the order repeats what was done before, as the referrer declares it

    @property
    def planned_device(self) -> Device:
        """The device that order and booking name."""
        return self.moved_from or self.device
