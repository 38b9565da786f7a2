"""A note of what is asked, for who listens: so that the same can be asked at once, and side by side, the next time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Call(NamedTuple):
    """A question with its arguments; the first one is the snapshot."""

    ask: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]


_NOTES: ContextVar[list[Call] | None] = ContextVar("notes", default=None)


def noted(ask: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The same question, written down where somebody listens."""

    @wraps(ask)
    def told(*args: Given.args, **options: Given.kwargs) -> Answer:
        notes = _NOTES.get()
        if notes is not None:
            notes.append(Call(told, args, options))
        return ask(*args, **options)

    return told


@contextmanager
def listening() -> Iterator[list[Call]]:
    """Every noted question that this thread asks meanwhile, in order."""
    notes: list[Call] = []
    token = _NOTES.set(notes)
    try:
        yield notes
    finally:
        _NOTES.reset(token)
