"""What is asked of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sample_data.alteration import Alteration


@dataclass(frozen=True, slots=True)
class Run:
    """`exams` ordered over `days` local days from `start` on; the same run always gives the same stories."""

    exams: int
    days: int
    seed: int
    start: date
    alteration: Alteration | None = None
