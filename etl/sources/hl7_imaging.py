"""Is this order, result, booking or document an imaging exam? One decision table, first row that answers.

| # | Evidence | Answer |
|---|---|---|
| 1 | an IPC or ZDS segment in the group (IHE RAD TF-2: 4.4, 4.2) | imaging |
| 2 | OBR-24 is one of the sender's own `radiology` sections, or the sender's `radiology` holds `*` | imaging |
| 3 | OBR-24 is an imaging modality of DICOM or an imaging section of table 0074 | imaging |
| 4 | OBR-24 is anything else | not imaging |
| 5 | the procedure code is decided in the site's procedures.csv, is one of the harmonized table, or is a CPT code 70010-79999 | imaging |
| 6 | the procedure's text names a modality and a body region | imaging |
| 7 | an order detail of another kind (pharmacy, diet, supply, blood) | not imaging |
| 8 | no detail at all (ORC-only cancel or status change), a booking or a document: the sender is mapped by the site | imaging |
| 9 | an ORC-only cancel or status change of an unmapped sender | imaging: it only touches an exam that others know |
| 10 | nothing | not imaging |
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from etl import procedure_names, procedures
from etl.site import Site
from etl.sources.hl7_message import NO_SEGMENT, Message, Segment

#: DICOM modalities of radiology (PS3.3 C.7.3.1.1.1) as sent in OBR-24 or IPC-5. PT is PET here, see AMBIGUOUS.
MODALITIES = frozenset(
    "CR CT MR US DX MG NM PT RF XA RG IO PX BI BDUS BMD IVUS".split()  # noqa: SIM905
)
#: Table 0074 (diagnostic service section) and common words -> DICOM modality; '' is imaging of unknown modality.
SECTIONS: dict[str, str] = {
    "RAD": "", "RX": "RG", "XRC": "RF", "CTH": "XA", "CUS": "US", "OUS": "US", "RUS": "US", "VUS": "US",
    "NMR": "MR", "NMS": "NM", "IMG": "", "XR": "DX", "MRI": "MR", "PET": "PT", "DXA": "BMD", "FL": "RF",
}  # fmt: skip
#: PT is physical therapy in table 0074 and PET in DICOM: alone it decides nothing.
AMBIGUOUS = frozenset({"PT"})

#: Segments that detail an order of another department (chapter 4).
OTHER_DETAILS = frozenset("RXO RXE RXD RXG RXA RXR RXC ODS ODT RQD RQ1 BPO BPX BTX STF SPM SAC VAR".split())  # noqa: SIM905

#: Coding systems (table 0396, FHIR URI) whose codes 70010-79999 are radiology.
_CPT_SYSTEMS = frozenset({"C4", "CPT", "CPT4", "CPT-4", "C5", "HTTP://WWW.AMA-ASSN.ORG/GO/CPT"})
_CPT_RADIOLOGY = re.compile(r"7\d{4}\Z", re.ASCII)


def modality_of(segments: Mapping[str, Segment], message: Message) -> str | None:
    """DICOM modality: IPC-5, else OBR-24 through table 0074."""
    stated = message.part(segments.get("IPC", NO_SEGMENT)[5], 1).upper()
    section = message.part(segments.get("OBR", NO_SEGMENT)[24], 1).upper()
    for code in (stated, section):
        mapped = SECTIONS.get(code, code if code in MODALITIES or code == stated else "")
        if mapped:
            return mapped
    return None


def is_imaging(message: Message, segments: Mapping[str, Segment], details: frozenset[str] | set[str]) -> bool:
    """Rows 1-7 and 9-10 for an order or result group; `details` names the segments of the group."""
    if "IPC" in segments or "ZDS" in segments:
        return True
    order = segments.get("OBR")
    sections = message.sender.radiology
    if "*" in sections:
        return order is not None or not (details & OTHER_DETAILS)
    if order is None:
        return not (details & OTHER_DETAILS)
    section = message.part(order[24], 1)
    known = section.upper()
    if section in sections or (known and known not in AMBIGUOUS):
        return section in sections or known in MODALITIES or known in SECTIONS
    return is_imaging_procedure(message, order[4]) or is_imaging_procedure(message, order[44])


def is_imaging_procedure(message: Message, coded: str) -> bool:
    """Rows 5 and 6 for a coded field (CE, CWE): first and alternate coding."""
    if not coded:
        return False
    parts = [message.text(part) for part in message.components(coded)[:6]]
    parts += [""] * (6 - len(parts))
    codings = [(code, text, system) for code, text, system in (parts[:3], parts[3:])]
    return names_imaging(message.site, message.common["facility_alias"], codings)


def names_imaging(site: Site, alias: str | None, codings: Iterable[tuple[str, str, str]]) -> bool:
    """Rows 5 and 6 for codings (code, text, system) of a facility, of any standard."""
    facility = site.facility_of(alias)
    decided = procedures.site_map(site.folder)
    for code, text, system in codings:
        if (facility.id if facility else "", code) in decided or procedures.translated(code, system):
            return True
        if system.upper() in _CPT_SYSTEMS and _CPT_RADIOLOGY.match(code):
            return True
        if text and _names_an_exam(text[:200]):
            return True
    return False


@lru_cache(maxsize=65536)
def _names_an_exam(text: str) -> bool:
    said = procedure_names.parse_name(text)
    is_therapy = said.modality == "PT" and "pet" not in text.casefold()
    return bool(said.modality and said.regions and not is_therapy)
