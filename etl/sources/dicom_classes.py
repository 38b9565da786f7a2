"""What an object is, by SOP class (PS3.4 B.5): image, rejection note, dose report, performed step, directory, other."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Sort = Literal["image", "key_objects", "dose_report", "step", "directory", "other"]

_ROOT = "1.2.840.10008.5.1.4.1.1."
#: Storage classes called "... Image Storage", and Enhanced US Volume, below the root.
_IMAGES = """
    1 1.1 1.1.1 1.2 1.2.1 1.3 1.3.1 2 2.1 2.2 3 3.1 4 4.1 4.3 4.4 5 6 6.1 6.2 6.3 7 7.1 7.2 7.3 7.4 12.1 12.1.1 12.2
    12.2.1 12.3 13.1.1 13.1.2 13.1.3 13.1.4 13.1.5 14.1 14.2 20 77.1 77.2 77.1.1 77.1.1.1 77.1.2 77.1.2.1 77.1.3 77.1.4
    77.1.4.1 77.1.5.1 77.1.5.2 77.1.5.4 77.1.5.5 77.1.5.6 77.1.5.7 77.1.6 77.1.7 77.1.8 77.1.9 128 128.1 130 481.1
    481.23 481.24 501.1 501.2.1 501.2.2 601.1 601.2
"""
SORTS: Mapping[str, Sort] = MappingProxyType({
    **{_ROOT + suffix: "image" for suffix in _IMAGES.split()},
    _ROOT + "88.59": "key_objects",
    _ROOT + "88.67": "dose_report",
    _ROOT + "88.76": "dose_report",  # Enhanced X-Ray Radiation Dose SR
    "1.2.840.10008.3.1.2.3.3": "step",
    "1.2.840.10008.1.3.10": "directory",
})  # fmt: skip
#: Every standard class that is not listed is other: reports, presentation states, segmentations, plans, waveforms, ...
STANDARD = "1.2.840.10008."
#: Modalities of objects that are no images though they may hold pixels (PS3.3 C.7.3.1.1.1).
NOT_IMAGES = frozenset(
    """ANN AU DOC ECG EEG EMG EOG EPS FID HD IOL KER KO LEN M3D OAM OPM OPV PLAN POS PR REG RESP RTDOSE RTINTENT RTPLAN
    RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SEG SMR SR SRF STAIN TEXTUREMAP TG VA""".split()  # noqa: SIM905
)


def sort_of(sop_class: str, modality: str, *, has_rows: bool) -> Sort:
    """What to read of an object. A private class is an image where it has rows and no other modality says otherwise."""
    known = SORTS.get(sop_class)
    if known or sop_class.startswith(STANDARD):
        return known or "other"
    return "image" if has_rows and modality not in NOT_IMAGES else "other"
