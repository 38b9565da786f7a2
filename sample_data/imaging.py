"""What a device makes of an exam: series, images, rejected images and dose. Times are whole seconds of true UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from sample_data.catalog import Procedure
from sample_data.mislabels import extra_uid, extra_view
from sample_data.story import Exam, Image, Series


@dataclass(frozen=True, slots=True)
class Recipe:
    """Series of a modality: (description, images, made later from others?) in order."""

    series: tuple[tuple[str, int, bool], ...]


RECIPES = {
    "CT": Recipe((("Topogram", 1, False), ("Axial 3.0", 2, False), ("Coronal MPR", 1, True))),
    "MR": Recipe((("Localizer", 1, False), ("T1 axial", 1, False), ("T2 axial", 1, False), ("MIP", 1, True))),
    "US": Recipe((("Still images", 3, False),)),
    "NM": Recipe((("Whole body", 1, False), ("Static", 1, False))),
    "PT": Recipe((("PET WB", 2, False),)),
    "XA": Recipe((("Fluoro", 1, False), ("Angio run", 2, False))),
}
#: Views by region for radiography; the number of views of the procedure cuts the list.
VIEWS = {
    "CHEST": ("PA", "LL", "AP"), "ABDOMEN": ("AP", "DECUB", "PA"), "PELVIS": ("AP", "INLET", "OUTLET"),
    "CSPINE": ("AP", "LL", "ODONTOID"), "LSPINE": ("AP", "LL", "OBL"),
}  # fmt: skip
LIMB_VIEWS = ("AP", "LL", "OBL", "AXIAL")
MAMMOGRAPHY_VIEWS = {"B": ("RCC", "LCC", "RMLO", "LMLO"), "L": ("LCC", "LMLO"), "R": ("RCC", "RMLO")}
#: CID 7011 reasons of rejected radiographs and their weights (positioning leads everywhere).
REJECT_REASONS = {
    "111209": 58, "111210": 12, "111211": 7, "111212": 7, "111207": 5, "111208": 3, "111214": 3, "111220": 5,
}  # fmt: skip
#: Chance that a technologist rejects an exposure, by number within the list; one is clearly above the action limit.
REJECT_SHARE = (0.045, 0.06, 0.075, 0.15, 0.055, 0.065, 0.05, 0.085, 0.035, 0.04, 0.05, 0.06)


#: An enhanced acquisition lasts one such part of the exam; the last one begins a fifteenth before its end.
LONG_SHARE = 20


def _uid(rng: Random) -> str:
    return f"2.25.{rng.getrandbits(100)}"


def views_of(procedure: Procedure) -> tuple[str, ...]:
    """Views of a projection exam; empty for cross-sectional ones."""
    if procedure.modality == "MG":
        return MAMMOGRAPHY_VIEWS[procedure.laterality]
    if procedure.modality != "DX":
        return ()
    return VIEWS.get(procedure.region, LIMB_VIEWS)[: int(procedure.views)]


def expose(rng: Random, exam: Exam, procedure: Procedure) -> None:
    """Fill `exam.series` and the dose between the exam's start and end."""
    start, end = exam.exam_started_at, exam.exam_ended_at
    if start is None or end is None:
        raise ValueError("an exam makes images only once it has started and ended")
    views = views_of(procedure)
    if views:
        _radiograph(rng, exam, views, start, end)
        _extra(exam, procedure, views, end)
    else:
        _scan(rng, exam, RECIPES[procedure.modality], start, end)
    if exam.device.sends_rdsr:
        is_ct = exam.modality == "CT"
        exam.dose_dlp = round(rng.lognormvariate(6.2, 0.4), 1) if is_ct else None
        exam.dose_dap = None if is_ct else round(rng.lognormvariate(-4.0, 0.6), 5)


def _moments(start: datetime, end: datetime, count: int) -> list[datetime]:
    """`count` instants from shortly after the start to shortly before the end."""
    seconds = int((end - start).total_seconds())
    first, last = seconds // 12, seconds - seconds // 15
    step = (last - first) / max(1, count - 1)
    return [start + timedelta(seconds=first + int(n * step)) for n in range(count)]


def _scan(rng: Random, exam: Exam, recipe: Recipe, start: datetime, end: datetime) -> None:
    lasting = int((end - start).total_seconds()) // LONG_SHARE if exam.device.is_enhanced else 0
    moments = iter(_moments(start, end, sum(count for _, count, is_derived in recipe.series if not is_derived)))
    for number, (description, count, is_derived) in enumerate(recipe.series, start=1):
        if is_derived:  # reformats are computed after the patient has left
            late = end + timedelta(seconds=rng.randrange(60, 1200))
            times = [late + timedelta(seconds=n) for n in range(count)]
        else:
            times = [next(moments) for _ in range(count)]
        images = [Image(_uid(rng), at, duration_s=0 if is_derived else lasting) for at in times]
        exam.series.append(Series(_uid(rng), number, description, times[0], images, is_derived))


def _radiograph(rng: Random, exam: Exam, views: tuple[str, ...], start: datetime, end: datetime) -> None:
    share = 0.0
    if exam.device.sends_rejects and exam.technologist:
        share = REJECT_SHARE[int(exam.technologist.id[1:]) % 100 - 1] * (0.4 if exam.modality == "MG" else 1.0)
    shots: list[tuple[str, str | None]] = []
    for view in views:
        while rng.random() < share and len(shots) < 12:
            shots.append((view, rng.choices(list(REJECT_REASONS), list(REJECT_REASONS.values()))[0]))
        shots.append((view, None))
    images = []
    for (view, reason), at in zip(shots, _moments(start, end, len(shots)), strict=True):
        uid, rejected_at = _uid(rng), at + timedelta(seconds=rng.randrange(20, 90)) if reason else None
        side = view[0] if exam.modality == "MG" else ""
        images.append(Image(uid, at, view.removeprefix(side), reason, rejected_at, side))
    exam.series.append(Series(_uid(rng), 1, exam.dicom_text, images[0].at, images))


def _extra(exam: Exam, procedure: Procedure, views: tuple[str, ...], end: datetime) -> None:
    """One view more than the name says, between the last one and the end."""
    view = extra_view(exam, views, VIEWS.get(procedure.region, LIMB_VIEWS)) if procedure.modality == "DX" else None
    if view is not None:
        images = exam.series[0].images
        later_s = int((end - images[-1].at).total_seconds()) // 2
        images.append(Image(extra_uid(exam), images[-1].at + timedelta(seconds=later_s), view))
