"""Pages: each a path, a name and a function from a context to components."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from app import notes
from app.context import Context
from app.editions import state_of
from app.pages import (
    admin,
    definitions,
    exam,
    exams,
    interoperability,
    live,
    mappings,
    metric,
    overview,
    repeats,
    reports,
    sqlpage,
    team,
    turnaround,
    utilization,
    workload,
)
from app.questions import Question
from sql.snapshot import Store


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `parent` is the menu entry that is marked for a page that has none, `look_every` the milliseconds
    between two looks for a new snapshot where they are not the usual ones."""

    path: str
    name: str
    icon: str
    render: Callable[[Context], Any]
    questions: Sequence[Question]
    parent: str = ""
    look_every: int = 0
    #: What the page shows beside the snapshot; a view is made anew where it changed.
    depends: Callable[[Store], Hashable] = lambda _: ()
    #: Whether a view is made for one person, and not for all who may see the same.
    is_personal: bool = False


PAGES: tuple[Page, ...] = (
    Page("/", "overview", "overview", overview.render, overview.QUESTIONS),
    Page("/live", "live", "live", live.render, live.QUESTIONS, look_every=live.LOOK_EVERY),
    Page("/turnaround", "turnaround", "turnaround", turnaround.render, turnaround.QUESTIONS),
    Page("/utilization", "utilization", "utilization", utilization.render, utilization.QUESTIONS),
    Page("/repeats", "repeats", "repeats", repeats.render, repeats.QUESTIONS),
    Page("/workload", "workload", "workload", workload.render, workload.QUESTIONS),
    Page("/interoperability", "interoperability", "systems", interoperability.render, interoperability.QUESTIONS),
    Page("/reports", "reports", "reports", reports.render, reports.QUESTIONS, depends=state_of),
    Page("/mappings", "mappings", "check", mappings.render, mappings.QUESTIONS),
    Page("/exams", "exams", "exams", exams.render, exams.QUESTIONS),
    Page("/exam", "exam", "exams", exam.render, exam.QUESTIONS, parent="exams"),
    Page("/metric", "metric", "definitions", metric.render, metric.QUESTIONS, parent="definitions"),
    Page("/sql", "sql", "sql", sqlpage.render, sqlpage.QUESTIONS),
    Page("/team", "team", "note", team.render, team.QUESTIONS, depends=notes.state_of, is_personal=True),
    Page("/definitions", "definitions", "definitions", definitions.render, definitions.QUESTIONS),
    Page("/admin", "admin", "admin", admin.render, admin.QUESTIONS),
)
MENU = tuple(page for page in PAGES if not page.parent)
BY_PATH = {page.path: page for page in PAGES}
#: Every question of every page: what can be downloaded.
QUESTIONS = {question.id: question for page in PAGES for question in page.questions}
