"""What image headers say of an exam, right or wrong: leftovers of the patient before, wrong sides, empty fields.

Every choice follows from the exam's number, so it draws nothing from the stream of chance. `told` and `wrong` are the
truth: which attributes the headers tell, and which of these contradict the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from sample_data.catalog import Procedure
from sample_data.story import Exam

#: Regions that Body Part Examined writes in other letters (PS3.16 annex L).
BODY_PARTS = {"ABDOMEN+PELVIS": "ABDOMENPELVIS", "CHEST+ABDOMEN+PELVIS": "CHESTABDPELVIS"}
#: Share of exams by device, and what the last protocol left in Body Part Examined.
LEFTOVER = {"E-CR1": (0.09, "CHEST"), "N-DX1": (0.02, "CHEST"), "S-DX1": (0.03, "CHEST"), "W-CT1": (0.02, "HEAD")}
#: Regions that such a leftover does not contradict.
AGREES = {"CHEST": {"CHEST"}, "HEAD": {"HEAD", "NECK"}}
WRONG_SIDE = {"N-DX1": 0.06, "E-CR1": 0.1, "N-MR1": 0.06, "W-MR1": 0.04, "S-MR1": 0.05}
NO_SIDE = frozenset({"S-DX1"})  # this maker leaves Laterality empty
NO_AGENT = frozenset({"E-CT1"})  # and this one Contrast/Bolus Agent
LEFT_AGENT = {"N-CT1": 0.02, "W-CT1": 0.02, "W-MR1": 0.01}  # named in an exam without contrast
DENIED_AGENT = {"W-CT1": 0.03}  # said to be none in an exam with contrast
EXTRA_VIEW = {"N-DX1": 0.05, "S-DX1": 0.02}
AGENTS = {"CT": "Iohexol", "MR": "Gadobutrol"}
OTHER_SIDE = {"L": "R", "R": "L"}


@dataclass(frozen=True, slots=True)
class Headers:
    """What the series of an exam say; None where the field is absent."""

    body_part: str | None
    side: str | None
    agent: str | None
    told: frozenset[str]
    wrong: frozenset[str]


def _happens(exam: Exam, what: str, share: float) -> bool:
    return crc32(f"{what}/{exam.facility}/{exam.accession}".encode()) % 10_000 < share * 10_000


def extra_view(exam: Exam, views: tuple[str, ...], known: tuple[str, ...]) -> str | None:
    """A view that was taken beyond those named."""
    left = [view for view in known if view not in views]
    is_taken = bool(exam.procedure and left) and _happens(exam, "view", EXTRA_VIEW.get(exam.device.id, 0.0))
    return left[0] if is_taken else None


def extra_uid(exam: Exam) -> str:
    """SOP Instance UID of the extra view."""
    return f"2.25.{int.from_bytes(blake2b(f'extra/{exam.study_uid}'.encode(), digest_size=12).digest())}"


def headers(exam: Exam, procedure: Procedure | None) -> Headers:
    """What the image headers of an exam say. `procedure` is what was done, None where its name does not tell it."""
    told, wrong = {"modality"}, set[str]()
    body_part = _body_part(exam, wrong)
    if body_part and body_part != "WHOLEBODY":
        told.add("body_part")
    side = _side(exam, wrong)
    if exam.laterality in OTHER_SIDE and (side or exam.modality == "MG"):
        told.add("laterality")
    agent = _agent(exam, wrong)
    if agent:
        told.add("contrast")
    if procedure is not None and procedure.views:
        told.add("views")
        seen = {(image.view, image.laterality) for series in exam.series for image in series.images}
        if len(seen) > int(procedure.views):
            wrong.add("views")
    if procedure is None:
        told.clear()
    return Headers(body_part, side, agent, frozenset(told), frozenset(wrong))


def _body_part(exam: Exam, wrong: set[str]) -> str | None:
    share, left = LEFTOVER.get(exam.device.id, (0.0, ""))
    if exam.region and not AGREES.get(left, set()) & {*exam.region.split("+")} and _happens(exam, "part", share):
        wrong.add("body_part")
        return left
    return BODY_PARTS.get(exam.region, exam.region) or None


def _side(exam: Exam, wrong: set[str]) -> str | None:
    side = exam.laterality if exam.laterality in ("L", "R", "B") else None
    if exam.modality == "MG" or exam.device.id in NO_SIDE:
        return None
    if side in OTHER_SIDE and _happens(exam, "side", WRONG_SIDE.get(exam.device.id, 0.0)):
        wrong.add("laterality")
        return OTHER_SIDE[side]
    return side


def _agent(exam: Exam, wrong: set[str]) -> str | None:
    if exam.modality not in AGENTS or exam.device.id in NO_AGENT:
        return None
    if exam.contrast == "WO" and _happens(exam, "agent", LEFT_AGENT.get(exam.device.id, 0.0)):
        wrong.add("contrast")
        return AGENTS[exam.modality]
    if exam.contrast not in ("W", "WWO"):
        return None
    if _happens(exam, "agent", DENIED_AGENT.get(exam.device.id, 0.0)):
        wrong.add("contrast")
        return "NONE"
    return AGENTS[exam.modality]
