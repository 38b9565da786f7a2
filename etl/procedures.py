"""Procedure harmonization: what a facility calls an exam -> one harmonized procedure, or the unmapped queue.

Order: the site's own map (by day, `stg_decision`), then a code of the harmonized table, then the name parsed to
attributes that must all agree with exactly one procedure (`etl.procedure_match`). Doubt about laterality or contrast
never merges; a name whose modality contradicts the header's is left to a person.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import polars as pl

from etl.procedure_match import NO_MATCH, Match, Procedure, match_name, procedures
from etl.procedure_names import normalize, parse_name, rows

__all__ = ["Match", "Procedure", "match_name", "normalize", "parse_name", "procedures", "resolve", "site_map"]

RESULT = {"procedure": pl.String, "method": pl.String, "score": pl.Float64, "proposal": pl.String}


@lru_cache(maxsize=8)
def _site_map(path: Path, _version: tuple[int, int]) -> frozenset[tuple[str, str]]:
    known = {p.id for p in procedures()}
    return frozenset(
        (row["facility"].strip(), row["code"].strip()) for row in rows(path) if row["procedure"].strip() in known
    )


def site_map(site_folder: Path | None) -> frozenset[tuple[str, str]]:
    """(facility, local code) of every name that the site decided in `procedures.csv`, from whatever day on."""
    path = site_folder / "procedures.csv" if site_folder else None
    if path is None or not path.is_file():
        return frozenset()
    stat = path.stat()
    return _site_map(path, (stat.st_size, stat.st_mtime_ns))


@lru_cache(maxsize=1)
def coded() -> dict[str, str]:
    """Codes that mean a procedure in themselves: our own ids and LOINC, where a row has one."""
    return {key: p.id for p in procedures() for key in (p.id, p.loinc) if key}


def match(codes: list[str], texts: list[str], modality: str = "", body_part: str = "") -> Match:
    """The outcome for one local name with all its codes and texts, the sender's own first."""
    for code in codes:
        if code in coded():
            return Match(coded()[code], "code", 1.0)
    found = [match_name(text, modality, codes[0] if codes else "", body_part) for text in texts]
    accepted = {m.procedure for m in found if m.procedure}
    if len(accepted) > 1:  # the sender's two texts name two exams
        return Match(None, "ambiguous", 0.5, found[0].procedure or found[0].proposal, "texts name two procedures")
    return max(found, key=lambda m: (m.procedure is not None, m.score, m.proposal or ""), default=NO_MATCH)


def resolve(names: pl.DataFrame) -> pl.DataFrame:
    """Add `procedure`, `method`, `score` and `proposal` to distinct names.

    `names` has text columns code, text, alternate_code, alternate_text, modality (any may be NULL); the result keeps
    its rows and order.
    """

    def one(row: dict[str, str | None]) -> Match:
        codes = [c for c in (row["code"], row["alternate_code"]) if c]
        texts = [t for t in (row["text"], row["alternate_text"]) if t]
        return match(codes, texts, row["modality"] or "")

    matches = [one(row) for row in names.iter_rows(named=True)]
    return names.with_columns(
        pl.Series(name, [getattr(m, name) for m in matches], dtype=kind) for name, kind in RESULT.items()
    )
