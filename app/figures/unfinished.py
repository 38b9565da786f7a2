"""Unfinished periods of a course: hollow, joined to nothing, and said in words. A line to them would read as a fall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from app import words
from app.texts import text

#: Spans that are named one by one.
_NAMED = 3


def parted(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows of one line in order, with a row without a value wherever one of two neighbours is unfinished."""
    return list(_parted(frame.to_dicts()))


def _parted(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        if number and (row["is_partial"] or rows[number - 1]["is_partial"]):
            yield dict.fromkeys(row) | {"period_start": row["period_start"], "is_partial": row["is_partial"]}
        yield row


def spans(frames: Sequence[pl.DataFrame]) -> str:
    """The unfinished periods of some lines by their first days, neighbours together; '' where all are finished."""
    told: dict[Any, bool] = {}
    for frame in frames:
        for day, is_partial in frame.drop_nulls("value").select("period_start", "is_partial").iter_rows():
            told[day] = told.get(day, False) or is_partial
    runs = [list(days) for is_partial, days in groupby(sorted(told), key=told.__getitem__) if is_partial]
    named = [words.day(run[0]) if len(run) == 1 else f"{words.day(run[0])} – {words.day(run[-1])}" for run in runs]
    return ", ".join([*named[:_NAMED], *(["…"] if len(named) > _NAMED else [])])


def told(frames: Sequence[pl.DataFrame]) -> str:
    """What stands below a figure about its unfinished periods; '' where all are finished."""
    found = spans(frames)
    return text("figure.unfinished.told", periods=found) if found else ""
