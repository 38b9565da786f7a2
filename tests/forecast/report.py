"""How good is the forecast on simulated networks? `python -m tests.forecast.report` prints the table of the README.

Each network is simulated for 28 days more than the forecast may see. The back-test is the one that a snapshot holds;
the last columns say how many of the hidden days lay inside the intervals.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from tests.forecast.made import Forecast, Made, made_network
from tests.forecast.test_forecast import covered

#: Name -> exams, days seen, seed, first day. The forecast's half-lives were chosen on other seeds.
NETWORKS = {
    "40 exams a day, 200 days": (9_120, 200, 401, date(2026, 2, 1)),
    "80 a day, 240 days": (21_440, 240, 402, date(2026, 3, 1)),
    "120 a day, 150 days, holidays": (21_360, 150, 403, date(2026, 7, 20)),
}
LEVELS = {"network": (), "facility": ("facility",), "facility_modality": ("facility", "modality")}
_HEAD = ("Network", "By day and", "forecast", "last 4 weeks", "last week", "MASE", "in 80 %", "in 95 %",
         "hidden in 80 %", "hidden in 95 %")  # fmt: skip


def _line(name: str, level: str, made: Made, told: Forecast) -> str:
    sums = told.score.filter(level=level).group_by("model").agg(pl.col(pl.Int64, pl.Float64).sum())
    by_model = {row["model"]: row for row in sums.iter_rows(named=True)}
    ours = by_model["forecast"]
    errors = [by_model[model]["abs_error"] / by_model[model]["n_exams"]
              for model in ("forecast", "last_4_weeks", "seasonal_naive")]  # fmt: skip
    n_cells, in_80, in_95 = covered(made, told, LEVELS[level])
    shares = [ours["n_within_80"] / ours["n_days"], ours["n_within_95"] / ours["n_days"], in_80 / n_cells,
              in_95 / n_cells]  # fmt: skip
    cells = [name, level.replace("_", ", "), *(f"{error:.1%}" for error in errors),
             f"{ours['abs_error'] / ours['scale']:.2f}", *(f"{share:.0%}" for share in shares)]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def report() -> str:
    """The table in Markdown."""
    lines = [f"| {' | '.join(_HEAD)} |", f"|{' --- |' * len(_HEAD)}"]
    for name, size in NETWORKS.items():
        made = made_network(*size)
        told = made.forecast()
        lines += [_line(name, level, made, told) for level in LEVELS]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
