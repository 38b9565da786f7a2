"""The English of the printed report: what measures are called, and the sentences that its numbers are put into."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sql.written import THIN


class Turn(NamedTuple):
    """How it is said that a measure became worse or better."""

    worse: str
    better: str


TURNS: dict[str, Turn] = {
    "exams": Turn("Fewer exams", "More exams"),
    "report_p50": Turn("Half of the reports took longer", "Half of the reports came sooner"),
    "report_p90": Turn("The slowest tenth of reports took longer", "The slowest tenth of reports came sooner"),
    "within_target": Turn("Fewer reports met their target", "More reports met their target"),
    "order_to_exam": Turn("Longer from order to exam", "Shorter from order to exam"),
    "wait": Turn("Patients waited longer", "Patients waited less"),
    "first_read": Turn("First answers came later", "First answers came sooner"),
    "utilization": Turn("Devices were less busy", "Devices were busier"),
    "throughput": Turn("Fewer exams in a staffed hour", "More exams in a staffed hour"),
    "first_case": Turn("Fewer days began on time", "More days began on time"),
    "no_show": Turn("More patients did not come", "Fewer patients did not come"),
    "overtime": Turn("More overtime", "Less overtime"),
    "unused": Turn("More room unused", "Less room unused"),
    "repeats_30d": Turn("More exams were repeats", "Fewer exams were repeats"),
    "duplicates_30d": Turn("More exams had been done elsewhere", "Fewer exams had been done elsewhere"),
    "rejects": Turn("More images were rejected", "Fewer images were rejected"),
    "discontinued": Turn("More exams were given up", "Fewer exams were given up"),
    "waiting": Turn("More exams unread at the month's end", "Fewer exams unread at the month's end"),
    "past_target": Turn("Unread exams past their target", "No unread exam past its target"),
    "reads": Turn("Fewer reads", "More reads"),
    "reads_per_hour": Turn("Fewer reads an hour", "More reads an hour"),
    "after_hours": Turn("More reads after hours", "Fewer reads after hours"),
    "amended": Turn("More reports were amended", "Fewer reports were amended"),
}  # fmt: skip
#: Above a course.
COURSES = {
    "report_p90": "90 % of reports within",
    "within_target": "Reports within target",
    "utilization": "Busy share of staffed time",
    "no_show": "Patients who did not come to their slot",
    "repeats_30d": "Exams that repeat one of the 30 days before",
    "rejects": "Images rejected and taken again",
    "reads_per_hour": "Exams reported in an hour of reading",
    "after_hours": "Reads after hours",
}
THEMES = {"turnaround": "Turnaround", "utilization": "Utilization", "repeats": "Repeat imaging", "workload": "Workload"}
#: Under the title of a theme: clauses, each left out where its value is not known.
LEADS: dict[str, tuple[tuple[str, str], ...]] = {
    "turnaround": (
        ("report_p50", "Half of the final reports were there {} after the exam ended"),
        ("report_p90", "90 % within {}"),
        ("within_target", "{} met the target of their priority and class"),
    ),
    "utilization": (
        ("utilization", "Devices were busy for {} of their staffed time"),
        ("first_case", "{} of staffed days began on time"),
        ("no_show", "{} of booked patients did not come"),
    ),
    "repeats": (
        ("repeats_30d", "{} of exams had been done within the 30 days before"),
        ("duplicates_30d", "{} at another facility"),
        ("rejects", "{} of images were rejected and taken again"),
    ),
    "workload": (
        ("reads", "{} exams were reported"),
        ("reads_per_hour", "{} while somebody read"),
        ("after_hours", "{} of the reads were after hours"),
        ("waiting", "{} exams waited for their report when the month ended"),
        ("past_target", "{} of these past their target"),
    ),
}
ALL, ALL_OF = "All facilities", "All facilities of {name}"
NOTHING_WRONG = "Nothing became clearly worse, no target is missed and no unread exam is past its target."
NOTHING_GOOD = "Nothing became better by more than chance."
MISSED, MET = "Target missed: {label}", "Target met: {label}"
LEGEND = (
    "Under each value: the change since {before}, in words where it is more than chance or, for what is counted in "
    "full, at least a tenth; then n, the cases behind it. † fewer cases than the measure asks for. – not known."
)
CAPTION = "Each {grain}, the last begins on {end} and carries its value."
GREY = "Grey line: {everywhere}."
HOLLOW = "Hollow: a {grain} that is not whole, or few cases."
SCALED = "The scale does not begin at zero."
LEFT_OUT = "Not drawn: {n} smaller facilities."
SMALL_CELLS = {
    "as they are": "told as they are: for use inside",
    "masked": "counts of 1 to 10, and what would tell them, are masked; facilities' courses are left out",
}
MASKED = "Counts of 1 to 10 are masked, and further numbers from which they could be computed."
IS_MASKED = "masked"
NOT_OVER = (
    "{month} is not over in these data: they reach to {through}. Numbers of cases and sums are not compared with the "
    "month before."
)
BEGINS = "The data begin on {first}, so {before} is not whole: numbers of cases and sums are not compared with it."


def month(day: date) -> str:
    """A month by name."""
    return f"{day:%B %Y}"


def title(since: date, scope: str = "") -> str:
    """The title of a month's report; `scope` names the facilities that it is of, where it is of some only."""
    return f"Imaging report of {scope}, {month(since)}" if scope else f"Imaging report, {month(since)}"


def eyebrow(scope: str) -> str:
    """What stands small above the month on the first page."""
    return f"IMAGING REPORT OF {scope.upper()}" if scope else "IMAGING REPORT"


def everywhere(scope: str) -> str:
    """What stands for all facilities that a report is of."""
    return ALL_OF.format(name=scope) if scope else ALL


def day(on: date) -> str:
    """A day."""
    return f"{on.day} {on:%b %Y}"


def instant(at: datetime) -> str:
    """A UTC instant, to the minute."""
    return f"{day(at)} {at:%H:%M}{THIN}UTC"


def sentence(clauses: list[str]) -> str:
    """Clauses as one sentence."""
    text = ", ".join(clauses)
    return f"{text[0].upper()}{text[1:]}." if text else ""
