"""Sections of the page of one metric: each answers one doubt about the number, for every metric that it applies to.

A section is a module with `QUESTIONS` and `cards(context, metric)`, which gives no cards where it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from app.context import Context
from app.questions import Question
from app.sections import course, forecast, groups, known, moved, peers, waiting
from sql.catalog import Metric


class Section(NamedTuple):
    """What a module of this package gives the page."""

    questions: Sequence[Question]
    cards: Callable[[Context, Metric], list[Any]]


#: In the order of the page.
SECTIONS: tuple[Section, ...] = (
    Section(course.QUESTIONS, course.cards),
    Section(waiting.QUESTIONS, waiting.cards),
    Section(moved.QUESTIONS, moved.cards),
    Section(groups.QUESTIONS, groups.cards),
    Section(forecast.QUESTIONS, forecast.cards),
    Section(peers.QUESTIONS, peers.cards),
    Section(known.QUESTIONS, known.cards),
)
