"""What never arrives: small, deterministic losses of single messages and stamps.

Emitters leave out what `Exam.lost` names; the truth then says what is left ("as recorded").
"""

from __future__ import annotations

from random import Random

#: Key -> (share of exams, what is not sent). Emitters test `key in exam.lost`.
LOSSES: dict[str, tuple[float, str]] = {
    "booking": (0.004, "the appointment message"),
    "arrived": (0.020, "the arrival status of the RIS"),
    "exam_started": (0.030, "the RIS status that the exam began (ORC-5 IP)"),
    "exam_ended": (0.030, "the RIS status that the exam ended (ORC-5 CM)"),
    "images_available": (0.020, "the RIS status that images are in the archive"),
    "mpps_create": (0.015, "the MPPS N-CREATE object"),
    "mpps_set": (0.020, "the MPPS N-SET object"),
    "read_started": (0.100, "the start of reading inside reports (OBR-32.2)"),
    "exam_times": (0.050, "exam start and end inside reports (OBR-7, OBR-8)"),
    "prelim": (0.010, "preliminary reports"),
    "final": (0.004, "final reports and all that follows them"),
    "charge": (0.010, "the charge"),
}


def draw(rng: Random) -> frozenset[str]:
    """Keys of `LOSSES` that one exam loses. Draws a fixed number of times, whatever the outcome."""
    return frozenset(key for key, (share, _) in LOSSES.items() if rng.random() < share)
