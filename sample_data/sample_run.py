"""The small sample beside this file, across the autumn clock change. Its seed gives an exam of every fate.

`python -m sample_data.sample_run` writes it again: the same bytes as
`radops simulate --exams 240 --days 21 --seed 1176 --start 2026-10-19`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sample_data.simulate import Summary, simulate

FOLDER = Path(__file__).parent / "sample"
EXAMS, DAYS, SEED, START = 240, 21, 1176, date(2026, 10, 19)


def write_sample(folder: Path = FOLDER) -> Summary:
    """The sample as the simulator makes it now."""
    return simulate(folder, exams=EXAMS, days=DAYS, seed=SEED, start=START)


if __name__ == "__main__":
    write_sample()
