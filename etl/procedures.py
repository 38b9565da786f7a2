"""Procedure harmonization: what a facility calls an exam -> one harmonized procedure, or the unmapped queue.

Order: the site's own map (by day, `stg_decision`), then a coded translation (an id of the harmonized table, a LOINC
code), then the name parsed to attributes that must all agree with exactly one procedure (`etl.procedure_match`). Doubt
about laterality or contrast never merges; a name that headers contradict is left to a person (`stg_label`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import polars as pl

from etl.procedure_match import NO_MATCH, Match, Procedure, loinc, match_name, procedures
from etl.procedure_names import Attributes, normalize, parse_name, rows

__all__ = [
    "Match",
    "Procedure",
    "is_loinc",
    "match_name",
    "normalize",
    "parse_name",
    "procedures",
    "resolve",
    "site_map",
]

#: Columns that `resolve` adds; texts hold harmonized ids and words of the tables only, never words of the name.
RESULT = {
    "procedure": pl.String, "candidate": pl.String, "method": pl.String, "score": pl.Float64, "proposal": pl.String,
    "others": pl.String, "says": pl.String, "n_unknown": pl.Int32,
}  # fmt: skip
#: Coding systems that mean LOINC: HL7 table 0396, FHIR, DICOM (PS3.16 8), as an OID.
LOINC_SYSTEMS = frozenset({"ln", "loinc", "http://loinc.org", "2.16.840.1.113883.6.1", "urn:oid:2.16.840.1.113883.6.1"})
#: No codes of the site's own.
NO_CODES: Mapping[str, str] = {}


def is_loinc(system: str | None) -> bool:
    """Whether a coding system, as sent, is LOINC."""
    return (system or "").strip().casefold() in LOINC_SYSTEMS


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
    """Codes that mean a procedure wherever they stand: our own ids."""
    return {p.id: p.id for p in procedures()}


def translated(code: str, system: str | None, site_loinc: Mapping[str, str] = NO_CODES) -> str | None:
    """The procedure of a code with its system: our own id, or LOINC by the shipped subset, then by the site's table."""
    if is_loinc(system):
        return loinc().get(code) or site_loinc.get(code)
    return coded().get(code)


def match(
    codes: list[str], texts: list[str], modality: str = "", body_part: str = "", translation: str | None = None
) -> Match:
    """The outcome for one local name with all its codes and texts, the sender's own first.

    A `translation` (see `translated`) comes before the text; without one, an id of our own among the codes does.
    """
    known = translation or next((coded()[code] for code in codes if code in coded()), None)
    if known:
        return Match(known, "code", 1.0)
    found = [match_name(text, modality, codes[0] if codes else "", body_part) for text in texts]
    accepted = {m.procedure for m in found if m.procedure}
    if len(accepted) > 1:  # the sender's two texts name two exams
        return Match(None, "ambiguous", 0.5, found[0].procedure or found[0].proposal, "texts name two procedures")
    return max(found, key=lambda m: (m.procedure is not None, m.score, m.proposal or ""), default=NO_MATCH)


def _one(row: dict[str, str | None], site_loinc: Mapping[str, str]) -> tuple[object, ...]:
    codings = [(row["code"], row["system"]), (row["alternate_code"], row["alternate_system"])]
    codes = [code for code, _ in codings if code]
    known = next((found for code, system in codings if (found := translated(code or "", system, site_loinc))), None)
    texts = [t for t in (row["text"], row["alternate_text"]) if t]
    modality, body_part = row["modality"] or "", (row["body_part"] or "").upper()
    taken = match(codes, texts, modality, translation=known)
    # The body part proposes only: what the images say against a procedure is judged exam by exam, by all of them.
    shown = taken if taken.procedure else match(codes, texts, modality, body_part, known)
    candidate = taken.procedure or match(codes, texts, translation=known).procedure
    said = parse_name(texts[0], codes[0] if codes else "") if texts else Attributes()
    return (taken.procedure, candidate, shown.method, shown.score, shown.proposal, " ".join(shown.others) or None,
            said.words() or None, len(said.unknown))  # fmt: skip


def resolve(names: pl.DataFrame, site_loinc: Mapping[str, str] = NO_CODES) -> pl.DataFrame:
    """Add the columns of `RESULT` to distinct names.

    `names` has text columns code, text, system, alternate_code, alternate_text, alternate_system, modality and
    body_part (any may be NULL); the result keeps its rows and order. `candidate` is what the name itself says, also
    where the modality beside it keeps it from being taken as `procedure`. `site_loinc` holds the site's own codes.
    """
    matches = [_one(row, site_loinc) for row in names.iter_rows(named=True)]
    found = pl.DataFrame(matches, schema=RESULT, orient="row")
    return pl.concat([names, found], how="horizontal")
