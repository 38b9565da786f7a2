"""What is asked of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Run:
    """`exams` ordered over `days` local days from `start` on; the same run always gives the same stories."""

    exams: int
    days: int
    seed: int
    start: date
