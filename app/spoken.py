"""Metrics as the language of the request tells them: their words alone are other ones, never what they compute."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from sql.catalog import Metric
from sql.words import ENGLISH, language, said, speaking

#: Words of a metric that pages show.
WORDS = ("title", "question", "numerator", "denominator", "clock_start", "clock_stop", "includes", "excludes", "nulls",
         "target", "reference", "anchor")  # fmt: skip


def spoken(metric: Metric) -> Metric:
    """A metric in the language of the request; itself in English."""
    return metric if language() == ENGLISH else _translated(metric, language())


@lru_cache(maxsize=1024)
def _translated(metric: Metric, code: str) -> Metric:
    with speaking(code):
        changed: dict[str, Any] = {name: said(getattr(metric, name)) for name in WORDS}
    return replace(metric, **changed)
