"""How well names are harmonized: `python -m tests.harmonization.report [train|holdout]` (default: holdout).

`names.csv` holds invented facilities with names as several countries' and vendors' habits write them, each with what
the name says and the procedure that a person would choose; an empty procedure means that nobody can tell from the name
and its header alone, so it must stay unmapped. Facilities of `holdout` were not looked at while the tables were made.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from etl.procedure_match import AUTO_ACCEPT, Match, procedures
from etl.procedures import match, parse_name

NAMES = Path(__file__).parent / "names.csv"
ATTRIBUTES = ("modality", "region", "focus", "laterality", "contrast", "views", "subject", "guidance")


@dataclass(frozen=True)
class Result:
    """One labelled name, what the parser heard and what the matcher did."""

    row: dict[str, str]
    heard: dict[str, str]
    match: Match

    @property
    def weight(self) -> int:
        return int(self.row["weight"])

    @property
    def is_accepted(self) -> bool:
        return self.match.procedure is not None

    @property
    def is_right(self) -> bool:
        return self.match.procedure == (self.row["procedure"] or None)


def _joined(parts: Iterable[str]) -> str:
    return "+".join(sorted(parts))


def _result(row: dict[str, str]) -> Result:
    said = parse_name(row["text"], row["code"])
    heard = {name: getattr(said, name, "") for name in ATTRIBUTES} | {
        "region": _joined(said.regions), "focus": _joined(said.foci),
        "modality": said.modality or row["header"],
    }  # fmt: skip
    told = row | {name: _joined(row[name].split("+")) for name in ("region", "focus")}
    return Result(told, heard, match([row["code"]] if row["code"] else [], [row["text"]], row["header"]))


@lru_cache(maxsize=2)
def results(split: str) -> tuple[Result, ...]:
    """Every labelled name of a split, matched."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        return tuple(_result(row) for row in csv.DictReader(file) if row["split"] == split)


def share(part: Iterable[Result], whole: Iterable[Result], *, by_volume: bool = True) -> float:
    """Part of whole by exams, else by names; 1 of nothing."""
    counted = [sum(r.weight if by_volume else 1 for r in rows) for rows in (part, whole)]
    return counted[0] / counted[1] if counted[1] else 1.0


def crossings(found: Iterable[Result]) -> list[Result]:
    """Accepted names whose laterality or contrast is not what the label says, or whose label leaves it open."""
    known = {p.id: p for p in procedures()}

    def is_crossed(r: Result) -> bool:
        got, want = known[r.match.procedure or ""], known.get(r.row["procedure"])
        if want is None:
            return (r.row["laterality"] or "N") != got.laterality or (
                got.contrast != "N" and got.contrast != r.row["contrast"]
            )
        return (got.laterality, got.contrast) != (want.laterality, want.contrast)

    return [r for r in found if r.is_accepted and is_crossed(r)]


def scores(found: Iterable[Result], attribute: str) -> tuple[float, float, float]:
    """Precision, recall and F1 of one attribute over names that say it or were heard to say it."""
    pairs = Counter(
        (bool(r.heard[attribute]), bool(r.row[attribute]), r.heard[attribute] == r.row[attribute]) for r in found
    )
    right = pairs[True, True, True]
    heard = sum(n for (is_heard, _, _), n in pairs.items() if is_heard)
    told = sum(n for (_, is_told, _), n in pairs.items() if is_told)
    precision, recall = right / heard if heard else 1.0, right / told if told else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def summary(found: tuple[Result, ...]) -> dict[str, float]:
    """The figures that the goal is set in."""
    accepted = [r for r in found if r.is_accepted]
    right = [r for r in accepted if r.is_right]
    return {
        "names": len(found),
        "coverage by names": share(accepted, found, by_volume=False),
        "coverage by volume": share(accepted, found),
        "precision by names": share(right, accepted, by_volume=False),
        "precision by volume": share(right, accepted),
        "mappable names found": share(right, [r for r in found if r.row["procedure"]], by_volume=False),
        "crossings": len(crossings(found)),
        "right in first proposal": share(
            [r for r in found if r.row["procedure"] in (r.match.procedure, r.match.proposal) and r.row["procedure"]],
            [r for r in found if r.row["procedure"]],
            by_volume=False,
        ),
    }


def lines(split: str) -> list[str]:
    """The report as text."""
    found = results(split)
    facilities = sorted({r.row["facility"] for r in found})
    out = [f"{split}: {len(facilities)} facilities, accepted from a score of {AUTO_ACCEPT} on"]
    out += [f"  {name:<24}{value:>9.4g}" for name, value in summary(found).items()]
    out.append(f"  {'facility':<16}{'names':>6}{'by names':>10}{'by volume':>11}{'precision':>11}")
    for facility in facilities:
        own = tuple(r for r in found if r.row["facility"] == facility)
        s = summary(own)
        out.append(
            f"  {facility:<16}{len(own):>6}{s['coverage by names']:>10.3f}{s['coverage by volume']:>11.3f}"
            f"{s['precision by names']:>11.3f}"
        )
    out.append(f"  {'attribute':<16}{'precision':>10}{'recall':>10}{'F1':>10}")
    for attribute in ATTRIBUTES:
        precision, recall, f1 = scores(found, attribute)
        out.append(f"  {attribute:<16}{precision:>10.3f}{recall:>10.3f}{f1:>10.3f}")
    wrong = [r for r in found if r.is_accepted and not r.is_right]
    out += [
        f"  wrong: {r.row['facility']} {r.row['text']!r} -> {r.match.procedure}, not {r.row['procedure'] or 'unmapped'}"
        for r in wrong
    ]
    return out


def main() -> None:
    """Print the report of one split; `--missed` also lists mappable names that were not accepted."""
    split = next((a for a in sys.argv[1:] if not a.startswith("-")), "holdout")
    sys.stdout.write("\n".join(lines(split)) + "\n")
    if "--missed" in sys.argv:
        for r in results(split):
            if r.row["procedure"] and not r.is_accepted:
                sys.stdout.write(f"  missed: {r.row['text']!r} {r.row['procedure']} <- {r.match}\n")
            for name in ATTRIBUTES:
                if r.heard[name] != r.row[name]:
                    sys.stdout.write(f"  heard: {r.row['text']!r} {name} {r.heard[name]!r} for {r.row[name]!r}\n")


if __name__ == "__main__":
    main()
