"""Procedures as each facility names them: local codes and texts, how each one can be mapped, and invented fees."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

REFERENCE = Path(__file__).parents[1] / "etl" / "reference" / "procedures.csv"
#: The harmonized procedures that the network performs or charges, in their order; the table may grow beside them.
PERFORMED = Path(__file__).parent / "tables" / "procedures.csv"
#: A modality of the table that a facility without it performs on another device.
STAND_IN = {"DX": "CR"}
#: Every so many names of a facility: left to the text matcher; a name that says nothing.
EVERY_TEXT, EVERY_HOPELESS = 6, 17

MODALITY_WORDS = {
    "NORTH": {"MR": "MRI", "DX": "XR", "PT": "PET"},
    "EAST": {"DX": "XR", "CR": "XR", "NM": "NM"},
    "WEST": {"MR": "MRI", "MG": "Mammogram"},
    "SOUTH": {"DX": "XR", "MR": "MRI"},
}
REGION_WORDS = {
    "CSPINE": "CERVICAL SPINE", "TSPINE": "THORACIC SPINE", "LSPINE": "LUMBAR SPINE", "WHOLEBODY": "WHOLE BODY",
}  # fmt: skip
SIDE_WORDS = {"L": "LEFT", "R": "RIGHT", "B": "BILATERAL", "N": ""}
CONTRAST_WORDS = {
    "NORTH": {"WO": "WITHOUT CONTRAST", "W": "WITH CONTRAST", "WWO": "WITHOUT AND WITH CONTRAST"},
    "EAST": {"WO": "W/O CONTRAST", "W": "W CONTRAST", "WWO": "W/WO CONTRAST"},
    "WEST": {"WO": "WO Contrast", "W": "W Contrast", "WWO": "W WO Contrast"},
    "SOUTH": {"WO": "without contrast", "W": "with contrast", "WWO": "without and with contrast"},
}
VIEW_WORDS = {"NORTH": "{} VIEWS", "EAST": "{}V", "WEST": "{} views", "SOUTH": "{} views"}
CODE_FORMS = {
    "NORTH": "N{modality}{n:03d}",
    "EAST": "{mnemonic}",
    "WEST": "W-{n:04d}",
    "SOUTH": "SB-{modality}-{n:02d}",
}
HOPELESS = {
    "NORTH": "SPECIAL STUDY {}",
    "EAST": "MISC EXAM {}",
    "WEST": "Research protocol {}",
    "SOUTH": "Extra request {}",
}
#: wRVU by modality and contrast class; invented, of a plausible size.
WRVU = {
    ("CT", "WO"): 0.95, ("CT", "W"): 1.24, ("CT", "WWO"): 1.42, ("MR", "WO"): 1.46, ("MR", "W"): 1.78,
    ("MR", "WWO"): 2.22, ("DX", "N"): 0.2, ("US", "N"): 0.7, ("MG", "N"): 0.74, ("NM", "N"): 1.05, ("PT", "N"): 2.4,
    ("XA", "W"): 4.6, ("XA", "N"): 2.2,
}  # fmt: skip
CONTRAST_SUPPLY = "RAD-9001"  # a charge without work value


@dataclass(frozen=True, slots=True)
class Procedure:
    """One harmonized procedure of the reference table with its invented charge code and work value."""

    id: str
    name: str
    modality: str
    region: str
    focus: str
    laterality: str
    contrast: str
    views: str
    service_line: str
    is_follow_up: bool
    charge: str
    wrvu: float


@dataclass(frozen=True, slots=True)
class LocalName:
    """What one facility calls a procedure. `mapped_by` is site, text or none (nobody can tell)."""

    facility: str
    procedure: str
    code: str
    text: str
    mapped_by: Literal["site", "text", "none"]


def procedures() -> dict[str, Procedure]:
    """The harmonized procedures of the network, in the order of `PERFORMED`."""
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        known = {row["procedure"]: row for row in csv.DictReader(file)}
    with PERFORMED.open(encoding="utf-8", newline="") as file:
        rows = [known[row["procedure"]] for row in csv.DictReader(file)]
    return {
        r["procedure"]: Procedure(
            r["procedure"], r["name"], r["modality"], r["region"], r["focus"], r["laterality"], r["contrast"],
            r["views"], r["service_line"], r["follow_up"] == "true", f"RAD-{1001 + n}",
            WRVU[r["modality"], r["contrast"]],
        )
        for n, r in enumerate(rows)
    }  # fmt: skip


def _text(facility: str, p: Procedure) -> str:
    regions = " AND ".join(REGION_WORDS.get(r, r) for r in p.region.split("+"))
    words = (
        MODALITY_WORDS[facility].get(p.modality, p.modality),
        regions,
        p.focus,
        SIDE_WORDS[p.laterality],
        VIEW_WORDS[facility].format(p.views).replace("1 VIEWS", "1 VIEW").replace("1 views", "1 view")
        if p.views
        else "",
        CONTRAST_WORDS[facility].get(p.contrast, "") if p.modality in ("CT", "MR") else "",
    )
    text = " ".join(word for word in words if word)
    return (
        text
        if facility in ("NORTH", "EAST")
        else " ".join(w if w in ("CT", "XR", "MRI") else w.capitalize() for w in text.split())
    )


def local_names(facility: str, modalities: set[str]) -> list[LocalName]:
    """Names of every procedure that a facility with these modalities performs."""
    names = []
    for n, p in enumerate(procedures().values(), start=1):
        if p.modality not in modalities and STAND_IN.get(p.modality) not in modalities:
            continue
        code = CODE_FORMS[facility].format(modality=p.modality, n=n, mnemonic=p.id.replace("_", ""))
        is_plain = not p.focus
        if n % EVERY_HOPELESS == EVERY_HOPELESS - 1:
            names.append(LocalName(facility, p.id, code, HOPELESS[facility].format(n), "none"))
        elif n % EVERY_TEXT == len(facility) % EVERY_TEXT and is_plain:
            names.append(LocalName(facility, p.id, code, _text(facility, p), "text"))
        else:
            names.append(LocalName(facility, p.id, code, _text(facility, p), "site"))
    return names
