"""Texts of the way of an exam: its stages, and its five definitions."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "ways.stage": "Stage",
    "ways.owner": "Owner",
    "ways.mean": "Mean per exam",
    "ways.part": "Part of the change",
    "ways.part.hint": "This stage's change by the change of the whole: the parts add up to 100 %",
    "ways.apart": "Of the exams that have the stage; does not add up",
    "ways.honest": "Exams that count: {fates}. Those that lack a milestone are left out whole. A milestone told before "
    "the one it follows counts as at the same instant ({crossed} times), one told after the final report as at it.",
    "way.booking": "Order to booking",
    "way.slot_wait": "Booking to arrival",
    "way.arrival": "Order to arrival, not booked",
    "way.begin": "Arrival to begin",
    "way.exam": "Begin to end",
    "way.archive": "End to archive",
    "way.read": "Archive to first report",
    "way.sign": "First to final report",
    "way.total": "Order to final report",
    "ways.whose": "Whose",
    "ways.clock": "Clock",
    "ways.from_to": "{start} to {stop}",
    "ways.p50": "Median",
    "ways.p90": "90 % within",
    "ways.within": "Within 4 weeks",
    "ways.own": "n by itself",
    "ways.own.hint": "Exams that this definition has when asked alone",
    "ways.why": "All five are right. They differ because their clocks start or stop elsewhere, because few long waits "
    "pull up a mean and not a median, and because each, asked alone, counts the exams that have its two stamps. Here "
    "only exams with every stamp are compared, so nothing but the definition differs.",
    "view.radiologist": "Radiologist",
    "view.grid": "Registry (ACR GRID)",
    "view.referrer": "Referrer",
    "view.nhs_england": "NHS England",
    "view.first_read": "First read",
}
