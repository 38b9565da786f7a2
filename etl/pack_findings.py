"""What is out of order and what is good in a month, from its scorecard: targets first, then clear changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import polars as pl

from etl import pack_words as words
from sql.leadership import ALL, MEASURES
from sql.written import clear_verdict, is_told

Row = Mapping[str, Any]
LABELS = {measure.name: measure.label for measure in MEASURES}
#: Measures whose value alone says that something is out of order, whatever it was before.
ALWAYS = "past_target"


class Finding(NamedTuple):
    """One point: what happened, the rows of the scorecard for which it holds, and how much it weighs."""

    told: str
    rows: list[dict[str, Any]]
    weight: float


#: Columns of the table of points: `side` is out_of_order or good, `rank` the place within it, the gravest 1.
COLUMNS: dict[str, Any] = {
    "side": pl.String, "rank": pl.Int64, "told": pl.String, "measure": pl.String, "facility": pl.String,
    "facility_name": pl.String, "unit": pl.String, "value": pl.Float64, "delta": pl.Float64, "n": pl.Int64,
}  # fmt: skip
WRONG, GOOD = "out_of_order", "good"


def findings_table(scorecard: pl.DataFrame, better: Mapping[str, str]) -> pl.DataFrame:
    """`findings` as a table of the pack: a row a point and place, columns `COLUMNS`."""
    rows = [
        {**row, "side": side, "rank": rank, "told": point.told}
        for side, points in zip((WRONG, GOOD), findings(scorecard, better), strict=True)
        for rank, point in enumerate(points, 1) for row in point.rows
    ]  # fmt: skip
    return pl.DataFrame([[row[name] for name in COLUMNS] for row in rows], schema=COLUMNS, orient="row")


def outcome(row: Row) -> str:
    """better, worse or empty: the change of a row where it is more than chance, or counted in full and noteworthy."""
    if row["verdict"] not in ("better", "worse") or row["is_small"] or not is_told(row["delta"], row["unit"]):
        return ""
    return clear_verdict(row["verdict"], is_clear=row["is_clear"], relative=row["relative"])


def against_target(row: Row, better: str) -> str:
    """met, missed or empty: a value beside the target of its measure."""
    if row["target"] is None or row["value"] is None or row["is_small"] or better not in ("lower", "higher"):
        return ""
    is_met = row["value"] <= row["target"] if better == "lower" else row["value"] >= row["target"]
    return "met" if is_met else "missed"


def findings(scorecard: pl.DataFrame, better: Mapping[str, str]) -> tuple[list[Finding], list[Finding]]:
    """(what is out of order, what is good), the gravest first; one point a measure, with the places it holds for.

    `better` says of a metric which way is good.
    """
    wrong: list[Finding] = []
    good: list[Finding] = []
    for (measure,), part in scorecard.group_by("measure", maintain_order=True):
        rows = part.to_dicts()
        name = words.TURNS[str(measure)]
        if measure == ALWAYS:
            wrong += _point(name.worse, [row for row in rows if row["value"]], 3.0)
            continue
        for side, said, way in ((wrong, words.MISSED, "missed"), (good, words.MET, "met")):
            judged = [row for row in rows if against_target(row, better.get(row["metric"], "neither")) == way]
            side.extend(_point(said.format(label=LABELS[str(measure)]), judged, 2.0))
        for side, said, way in ((wrong, name.worse, "worse"), (good, name.better, "better")):
            side.extend(_point(said, [row for row in rows if outcome(row) == way], 1.0))
    return sorted(wrong, key=_rank), sorted(good, key=_rank)


def _rank(finding: Finding) -> float:
    return -finding.weight


def _point(told: str, rows: list[dict[str, Any]], base: float) -> Iterable[Finding]:
    if not rows:
        return ()
    # A change that the whole shares weighs more than one of a single place; then by how large it is.
    is_whole = rows[0]["facility"] == ALL
    size = max((abs(row["relative"]) for row in rows if row["relative"] is not None), default=0.0)
    weight = base + (0.5 if is_whole else 0.0) + min(size, 1.0) * 0.4
    return (Finding(told, rows, weight),)
