"""Scored proposals: how well each harmonized procedure agrees with a name and its headers.

The score is the product of one factor an attribute: 1 where name and procedure agree, less where the name does not say
it, least where it says something else. Every factor of a disagreement or a doubt lies below `AUTO_ACCEPT`, so a name
is accepted only in full agreement, and never across laterality or contrast. String distance orders equal scores and
reads misspelt words as the nearest known ones, both for proposals only.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from etl.procedure_names import CONTRAST_MATTERS, REFERENCE, Attributes, normalize, parse_name, rows, vocabulary

#: From this score on, and with no other procedure as good, a name is taken without a person.
AUTO_ACCEPT = 0.9
#: Below this score nothing is proposed.
WORTH_SHOWING = 0.3
#: Factors of an attribute: contradicted, not said although it matters, a word nobody knows, views left to the default.
OTHER, UNSAID, UNKNOWN_WORD, COMPLETE = 0.2, 0.7, 0.8, 0.95
#: The region taken from the header's body part, or the header's body part speaking against the name's region.
BY_HEADER, AGAINST_HEADER = 0.85, 0.85
#: Likeness from which on an unknown word is read as a known one, and the least letters of such a word.
ALIKE, SHORTEST = 0.8, 4
#: Modalities that name the same kind of exam when they stand in a header.
SAME_MODALITY = {"CR": "DX", "RG": "DX", "PET": "PT", "RF": "XA", "ANGIO": "XA", "MAMMO": "MG"}
#: Modalities whose exams are counted in views.
PROJECTIONS = frozenset({"DX", "MG", "RF", "XA", "BMD"})
#: Kinds whose exams also make images of other kinds: hybrid scanners, spot films, densitometry on a plain device.
ALSO_MAKES = {"PT": {"CT", "MR"}, "NM": {"CT"}, "XA": {"DX"}, "BMD": {"DX"}}


@dataclass(frozen=True, slots=True)
class Procedure:
    """One row of the harmonized table; `regions` and `foci` hold the parts of a combined exam.

    `is_complete` marks what a name without a view count means.
    """

    id: str
    name: str
    modality: str
    regions: frozenset[str]
    foci: frozenset[str]
    laterality: str
    contrast: str
    views: str
    guidance: str
    loinc: str
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Match:
    """Outcome for one name: `method` is site, code, text, proposed, ambiguous, conflict or none; `score` 0 to 1.

    `proposal` is what a person is offered where no procedure is accepted, `others` the next best, `evidence` why.
    """

    procedure: str | None
    method: str
    score: float
    proposal: str | None = None
    evidence: str = ""
    others: tuple[str, ...] = ()


NO_MATCH = Match(None, "none", 0.0)


def _parts(text: str) -> frozenset[str]:
    return frozenset(part for part in text.split("+") if part)


@lru_cache(maxsize=1)
def loinc() -> dict[str, str]:
    """LOINC code to harmonized procedure, the subset that radops ships; of several codes the usual one first."""
    return {row["loinc"]: row["procedure"] for row in rows(REFERENCE / "procedure_loinc.csv")}


@lru_cache(maxsize=1)
def procedures() -> tuple[Procedure, ...]:
    """The harmonized table that radops ships (`etl/reference/procedures.csv`), with its first LOINC code."""
    codes = {procedure: code for code, procedure in reversed(loinc().items())}
    return tuple(
        Procedure(
            row["procedure"], row["name"], row["modality"], _parts(row["region"]), _parts(row["focus"]),
            row["laterality"], row["contrast"], row["views"], row["guidance"], codes.get(row["procedure"], ""),
            row["complete"] == "true",
        )
        for row in rows(REFERENCE / "procedures.csv")
    )  # fmt: skip


@lru_cache(maxsize=1)
def body_parts() -> dict[str, frozenset[str]]:
    """DICOM body part to regions; a region is its own body part."""
    own = {region: frozenset({region}) for p in procedures() for region in p.regions}
    return own | {row["body_part"]: _parts(row["region"]) for row in rows(REFERENCE / "body_parts.csv")}


@lru_cache(maxsize=1)
def near_regions() -> dict[str, frozenset[str]]:
    """DICOM body part to the regions that it does not speak against: its own, those around and those within."""
    near: dict[str, set[str]] = {}
    for row in rows(REFERENCE / "region_within.csv"):
        near.setdefault(row["region"], set()).add(row["within"])
        near.setdefault(row["within"], set()).add(row["region"])
    return {
        part: own.union({"WHOLEBODY"}, *(near.get(region, set()) for region in own))
        for part, own in body_parts().items()
        if part != "WHOLEBODY"
    }


def fits_modality(modality: str, header: str) -> bool:
    """Whether images of a header's modality can be of an exam of `modality`."""
    kind, seen = kind_of(modality), kind_of(header)
    return kind == seen or seen in ALSO_MAKES.get(kind, ())


def kind_of(modality: str) -> str:
    """The modality under which exams of its kind are kept."""
    return SAME_MODALITY.get(modality, modality)


@lru_cache(maxsize=1)
def _of_kind() -> dict[str, tuple[Procedure, ...]]:
    kinds = {kind_of(p.modality) for p in procedures()}
    return {kind: tuple(p for p in procedures() if kind_of(p.modality) == kind) for kind in kinds}


def span(views: str) -> tuple[int, int]:
    """Least and most of a count of views as the table writes it: `3`, `1-2`, `4+`."""
    low, _, high = views.rstrip("+").partition("-")
    return int(low), 99 if views.endswith("+") else int(high or low)


def _views(procedure: Procedure, said: Attributes) -> float:
    if not procedure.views:
        return OTHER if said.views and procedure.modality not in PROJECTIONS else 1.0
    if not said.views:
        return COMPLETE if procedure.is_complete else UNSAID
    (low, high), (least, most) = span(said.views), span(procedure.views)
    is_same = low == least and (high == most or said.views.endswith("+"))
    return 1.0 if is_same else COMPLETE if least <= low and high <= most else OTHER


def _contrast(procedure: Procedure, said: Attributes) -> float:
    if procedure.contrast == said.contrast:
        return 1.0
    if said.contrast:
        return OTHER
    return UNSAID if procedure.modality in CONTRAST_MATTERS and procedure.contrast != "N" else 1.0


def _sets(one: frozenset[str], other: set[str]) -> float:
    if one == other:
        return 1.0
    shared = len(one & other) / len(one | other)
    return max(OTHER, UNSAID * shared) if other else UNSAID / 2


def _laterality(procedure: Procedure, said: Attributes) -> float:
    if procedure.laterality == (said.laterality or "N"):
        return 1.0
    return OTHER if said.laterality else UNSAID


def score(procedure: Procedure, said: Attributes) -> float:
    """Agreement of all attributes but the modality, 0 to 1."""
    product = (
        _sets(procedure.regions, said.regions)
        * (1.0 if procedure.foci == said.foci else _sets(procedure.foci, said.foci) if said.foci else UNSAID)
        * _laterality(procedure, said)
        * _contrast(procedure, said)
        * _views(procedure, said)
        * (1.0 if procedure.guidance == said.guidance else OTHER)
        * UNKNOWN_WORD ** min(len(said.unknown), 4)
    )
    return round(product, 4)


@lru_cache(maxsize=65536)
def match_name(text: str, header_modality: str = "", code: str = "", body_part: str = "") -> Match:
    """The one harmonized procedure that agrees with every attribute of the name, or proposals and why none is taken.

    `body_part` is Body Part Examined of the images in upper case.
    """
    said = _mended(text, code)
    kind, header = kind_of(said.modality), kind_of(header_modality)
    if said.views and not kind and header and header not in PROJECTIONS:
        kind = "DX"  # counted in views, so made by projection whatever the header says
    evidence = [f"unknown words: {' '.join(said.unknown)}"] if said.unknown else []
    is_conflict = bool(kind and header in _of_kind() and not fits_modality(kind, header))
    if is_conflict:
        evidence.append(f"header modality {header_modality}")
    seen, factor = body_parts().get(body_part, frozenset()), 1.0
    if seen and not said.regions:
        said.regions, factor = set(seen), BY_HEADER
        evidence.append(f"region from header body part {body_part}")
    elif seen and not near_regions().get(body_part, said.regions) & said.regions:
        factor = AGAINST_HEADER
        evidence.append(f"header body part {body_part}")
    ranked = _ranked(said, kind or header, normalize(text)) if said.regions or said.foci else []
    if not ranked:
        return Match(None, "ambiguous" if said.is_contradictory else "conflict" if is_conflict else "none", 0.0)
    best, points = ranked[0][1], round(ranked[0][0] * factor, 4)
    others = tuple(p.id for _, p in ranked[1:3])
    if said.is_contradictory:
        evidence.append("the name contradicts itself")
        return Match(None, "ambiguous", points / 2, best.id, "; ".join(evidence), others)
    if is_conflict:
        return Match(None, "conflict", points / 2, best.id, "; ".join(evidence), others)
    if points >= AUTO_ACCEPT and (len(ranked) == 1 or ranked[1][0] * factor < points):
        return Match(best.id, "text", points, None, "; ".join(evidence), others)
    return Match(None, "proposed", points, best.id, "; ".join([*evidence, *_open(best, said)]), others)


def _mended(text: str, code: str) -> Attributes:
    """What the name says, unknown words read as the nearest known ones; they stay unknown, so it is never accepted."""
    said = parse_name(text, code)
    near = {word: get_close_matches(word, vocabulary(), 1, ALIKE) for word in said.unknown if len(word) >= SHORTEST}
    if not any(near.values()):
        return said
    line = " ".join((near.get(word) or [word])[0] for word in normalize(text).split())
    mended = parse_name(line, code)
    mended.unknown, mended.is_contradictory = said.unknown, said.is_contradictory or mended.is_contradictory
    return mended


def _ranked(said: Attributes, kind: str, line: str) -> list[tuple[float, Procedure]]:
    """Procedures of a modality worth showing, best first; among equal scores the nearest spelling first."""
    found = [(score(p, said), p) for p in _of_kind().get(kind, ())]
    best = max((points for points, _ in found), default=0.0)
    near = [(points, p) for points, p in found if points >= max(WORTH_SHOWING, best / 2)]
    if len(near) > 1 and best < AUTO_ACCEPT:
        alike = {p.id: SequenceMatcher(None, normalize(p.name), line, autojunk=False).ratio() for _, p in near}
        return sorted(near, key=lambda pair: (-pair[0], -alike[pair[1].id], pair[1].id))
    return sorted(near, key=lambda pair: (-pair[0], pair[1].id))


def _open(procedure: Procedure, said: Attributes) -> list[str]:
    """What a person has to settle before the best proposal holds."""
    factors = {
        "laterality": _laterality(procedure, said), "contrast": _contrast(procedure, said),
        "views": _views(procedure, said), "region": _sets(procedure.regions, said.regions),
    }  # fmt: skip
    return [f"{name} {'differs' if f <= OTHER else 'not said'}" for name, f in factors.items() if f < AUTO_ACCEPT]
