"""Procedure harmonization: what a facility calls an exam -> one harmonized procedure, or the unmapped queue.

Order: the site's own map, then a code of the harmonized table, then the name parsed to attributes (modality,
region, focus, laterality, contrast, views, guidance) that must all agree with exactly one procedure. Doubt about
laterality or contrast never merges; a name whose modality contradicts the header's is left to a person.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import polars as pl

REFERENCE = Path(__file__).parent / "reference"
#: Modalities that name the same kind of exam when they stand in a header.
SAME_MODALITY = {"CR": "DX", "RG": "DX", "PET": "PT", "RF": "XA", "ANGIO": "XA", "MAMMO": "MG"}
#: Modalities whose contrast use must be said before a name may match.
CONTRAST_MATTERS = frozenset({"CT", "MR"})
RESULT = {"procedure": pl.String, "method": pl.String, "score": pl.Float64, "proposal": pl.String}
_VIEWS = re.compile(r"\b(\d) ?(?:v|vw|vws|view|views)\b")
_SLASHED = (
    (re.compile(r"\bw\s*/\s*wo\b|\bw\s*(?:/|&)\s*w\s*/?\s*o\b"), " wwo "),
    (re.compile(r"\bw\s*/\s*o\b"), " wo "),
)
_AGENT = r"(?: (?:iv|contrast|con|dye|gad\w*))"
_WITH, _WITHOUT = r"(?:with|w)", r"(?:without|wo)"
#: Contrast phrases, tried in order; the words around them decide, so "with 3D" says nothing about contrast.
_CONTRAST = tuple(
    (value, re.compile(rf"\b(?:{pattern})"))
    for value, pattern in (
        ("", rf"{_WITH} oral contrast\b"),  # oral only: left to a person
        ("WWO", rf"(?:wwo|{_WITH}{_AGENT}* (?:and )?{_WITHOUT}|{_WITHOUT}{_AGENT}* (?:and )?{_WITH})\b{_AGENT}*"),
        ("WO", rf"{_WITHOUT}\b(?:{_AGENT}+|$)|(?:wo|noncontrast|unenhanced|non contrast)\b"),
        ("W", rf"{_WITH}(?:{_AGENT}+|$)|(?:post contrast|contrast|enhanced)\b"),
    )
)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One row of the harmonized table; `regions` holds the parts of a combined exam."""

    id: str
    name: str
    modality: str
    regions: frozenset[str]
    focus: str
    laterality: str
    contrast: str
    views: str
    guidance: str
    loinc: str


@dataclass(slots=True)
class Attributes:
    """What a name says. Empty means: not said."""

    modality: str = ""
    regions: set[str] = field(default_factory=set)
    focus: str = ""
    laterality: str = ""
    contrast: str = ""
    views: str = ""
    guidance: str = ""
    implied: dict[str, str] = field(default_factory=dict)
    is_contradictory: bool = False
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Match:
    """Outcome for one name: `method` is site, code, text, proposed, ambiguous, conflict or none; `score` 0 to 1.

    `proposal` is what a person is offered where no procedure is accepted.
    """

    procedure: str | None
    method: str
    score: float
    proposal: str | None = None


NO_MATCH = Match(None, "none", 0.0)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@lru_cache(maxsize=1)
def procedures() -> tuple[Procedure, ...]:
    """The harmonized table that radops ships (`etl/reference/procedures.csv`)."""
    return tuple(
        Procedure(
            row["procedure"], row["name"], row["modality"], frozenset(row["region"].split("+")), row["focus"],
            row["laterality"], row["contrast"], row["views"], row["guidance"], row["loinc"],
        )
        for row in _rows(REFERENCE / "procedures.csv")
    )  # fmt: skip


@lru_cache(maxsize=1)
def _words() -> dict[tuple[str, ...], tuple[tuple[str, str], ...]]:
    found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for row in _rows(REFERENCE / "procedure_words.csv"):
        found.setdefault(tuple(row["phrase"].split()), []).append((row["attribute"], row["value"]))
    return {phrase: tuple(meanings) for phrase, meanings in found.items()}


def normalize(text: str) -> str:
    """Lower-case words with single blanks; slashes of `W/O` and `W/WO` unfolded, other punctuation dropped."""
    line = text.casefold()
    for pattern, meaning in _SLASHED:
        line = pattern.sub(meaning, line)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", line).split())


def parse_name(text: str) -> Attributes:
    """Attributes that a name states, by the longest known phrases from left to right."""
    said, line = Attributes(), normalize(text)
    line = _take_contrast(said, line)
    views = _VIEWS.search(line)
    if views is not None:
        said.views, line = views.group(1), _VIEWS.sub(" ", line)
    words, known = line.split(), _words()
    longest = max(len(phrase) for phrase in known)
    at = 0
    while at < len(words):
        sizes = range(min(longest, len(words) - at), 0, -1)
        size = next((n for n in sizes if tuple(words[at : at + n]) in known), 0)
        for attribute, value in known.get(tuple(words[at : at + size]), ()):
            _say(said, attribute, value)
        if not size:
            said.unknown.append(words[at])
        at += size or 1
    for attribute, value in said.implied.items():
        if not getattr(said, attribute):
            setattr(said, attribute, value)
    return said


def _take_contrast(said: Attributes, line: str) -> str:
    """Note the contrast that `line` states and return it without that phrase; two different ones contradict."""
    for value, pattern in _CONTRAST:
        if pattern.search(line) is None:
            continue
        said.is_contradictory |= not value or said.contrast not in ("", value)
        said.contrast = value
        line = " ".join(pattern.sub(" ", line).split())
    return line


def _say(said: Attributes, attribute: str, value: str) -> None:
    if attribute == "region":
        said.regions.add(value)
    elif attribute == "neutral":
        return
    elif attribute.startswith("implied_"):
        said.implied[attribute.removeprefix("implied_")] = value
    else:
        before = getattr(said, attribute)
        said.is_contradictory |= attribute in ("modality", "laterality") and before not in ("", value)
        setattr(said, attribute, value)


def match_name(text: str, header_modality: str = "") -> Match:
    """The one harmonized procedure that agrees with every attribute of the name, or why there is none."""
    said = parse_name(text)
    header = SAME_MODALITY.get(header_modality, header_modality)
    if said.is_contradictory:
        return Match(None, "ambiguous", 0.0)
    modality = said.modality or header
    is_known_header = any(p.modality == header for p in procedures())
    if is_known_header and modality != header:
        return Match(None, "conflict", 0.0)
    agreeing = [p for p in procedures() if _agrees(p, said, modality)]
    if not agreeing:
        return NO_MATCH
    candidates = [p for p in agreeing if not said.views or p.views in ("", said.views)]
    # Names without a view count mean the complete study: the one with most views.
    best = max(candidates, key=lambda p: p.views, default=None)
    if best is None or sum(p.views == best.views for p in candidates) > 1:
        return Match(None, "ambiguous", 0.0)
    if said.unknown:  # a word that the table does not know may change the exam: propose, never accept
        return Match(None, "proposed", 0.8, best.id)
    return Match(best.id, "text", 1.0 if said.views == best.views else 0.9)


def _agrees(procedure: Procedure, said: Attributes, modality: str) -> bool:
    """Agreement on all that could make it another exam; views alone may stay unsaid."""
    is_contrast_free = not said.contrast and modality not in CONTRAST_MATTERS
    return (
        procedure.modality == modality
        and procedure.regions == said.regions
        and procedure.focus == said.focus
        and procedure.guidance == said.guidance
        and procedure.laterality == (said.laterality or "N")
        and (procedure.contrast == said.contrast or is_contrast_free)
    )


@lru_cache(maxsize=8)
def _site_map(path: Path, _version: tuple[int, int]) -> dict[tuple[str, str], str]:
    known = {p.id for p in procedures()}
    return {
        (row["facility"].strip(), row["code"].strip()): row["procedure"].strip()
        for row in _rows(path)
        if row["procedure"].strip() in known
    }


def site_map(site_folder: Path | None) -> dict[tuple[str, str], str]:
    """(facility, local code) -> harmonized procedure, as the site decided in `procedures.csv`."""
    path = site_folder / "procedures.csv" if site_folder else None
    if path is None or not path.is_file():
        return {}
    stat = path.stat()
    return _site_map(path, (stat.st_size, stat.st_mtime_ns))


def resolve(names: pl.DataFrame, site_folder: Path | None) -> pl.DataFrame:
    """Add `procedure`, `method`, `score` and `proposal` to distinct names.

    `names` has text columns facility, code, text, system, alternate_code, alternate_text, modality (any may be NULL);
    the result keeps its rows and order.
    """
    decided = site_map(site_folder)
    coded = {key: p.id for p in procedures() for key in (p.id, p.loinc) if key}

    def one(row: dict[str, str | None]) -> Match:
        facility = row["facility"] or ""
        codes = [c for c in (row["code"], row["alternate_code"]) if c]
        for code in codes:
            if (facility, code) in decided:
                return Match(decided[facility, code], "site", 1.0)
        for code in codes:
            if code in coded:
                return Match(coded[code], "code", 1.0)
        texts = [t for t in (row["text"], row["alternate_text"]) if t]
        found = [match_name(t, row["modality"] or "") for t in texts]
        return max(found, key=lambda m: (m.procedure is not None, m.score, m.proposal or ""), default=NO_MATCH)

    matches = [one(row) for row in names.iter_rows(named=True)]
    return names.with_columns(
        pl.Series(name, [getattr(m, name) for m in matches], dtype=kind) for name, kind in RESULT.items()
    )
