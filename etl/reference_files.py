"""Files that radops may not ship, taken into the site folder: LOINC releases, fee schedules, local dictionaries.

Every file is read as its publisher writes it; a file of another layout is named with what it lacks, and then nothing
is written.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from etl.errors import UnreadableInputError
from etl.mapping import decision_key
from etl.plain_values import decimal
from etl.procedure_match import Procedure, kind_of, loinc, match_name, procedures
from etl.site_merge import merge

#: Modality types of the LOINC/RSNA Radiology Playbook that DICOM writes otherwise.
PLAYBOOK_MODALITIES = {"XR": "DX", "MRA": "MR", "MRI": "MR", "CTA": "CT", "RFA": "XA", "PET": "PT", "SPECT": "NM"}
PLAYBOOK_SIDES = {"left": "L", "right": "R", "bilateral": "B"}
MODALITY, LATERALITY = "rad.modality.modality type", "rad.anatomic location.laterality"
#: Attributes of the Playbook that no harmonized procedure has: a code with one of them is left out.
BEYOND = ("rad.maneuver.", "rad.subject", "rad.reason for exam")
#: States of a LOINC code that is no longer to be used.
RETIRED = frozenset({"DEPRECATED", "DISCOURAGED"})
PROFESSIONAL = "26"

Row = dict[str, str]


def _read(path: Path, delimiter: str = "") -> list[list[str]]:
    """Cells of a CSV file in UTF-8, else Windows-1252; comma, semicolon or tab as its first line has it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    first = text.partition("\n")[0]
    parted = delimiter or max(",;\t", key=first.count)
    try:
        return list(csv.reader(text.splitlines(), delimiter=parted))
    except csv.Error as error:
        raise UnreadableInputError(f"{path} is no CSV file") from error


def _table(path: Path, wanted: Sequence[str]) -> list[Row]:
    """Rows by column name, case ignored; raises UnreadableInputError naming the columns that are missing."""
    cells = _read(path)
    head = [name.strip().casefold() for name in cells[0]] if cells else []
    if missing := [name for name in wanted if name.casefold() not in head]:
        raise UnreadableInputError(f"{path}: missing column {', '.join(missing)}")
    places = {name: head.index(name.casefold()) for name in wanted}
    return [{name: line[at].strip() if at < len(line) else "" for name, at in places.items()} for line in cells[1:]]


def load_loinc(playbook: Path, table: Path | None, folder: Path) -> dict[str, int]:
    """`LoincRsnaRadiologyPlaybook.csv`, with the states of `Loinc.csv`, into the site's loinc.csv.

    A code is taken where its name says exactly one harmonized procedure and its parts say nothing else; codes that
    radops ships, and those of the site, stay as they are.
    """
    parts: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    names: Row = {}
    for row in _table(playbook, ("LoincNumber", "LongCommonName", "PartTypeName", "PartName")):
        names[row["LoincNumber"]] = row["LongCommonName"]
        parts[row["LoincNumber"]][row["PartTypeName"].casefold()].add(row["PartName"].casefold())
    states = {r["LOINC_NUM"]: r["STATUS"].upper() for r in _table(table, ("LOINC_NUM", "STATUS"))} if table else {}
    known = {p.id: p for p in procedures()}
    found: list[Row] = []
    for code, name in sorted(names.items()):
        said = match_name(name)
        if said.procedure and states.get(code) not in RETIRED and _agrees(known[said.procedure], parts[code]):
            found.append({"loinc": code, "procedure": said.procedure, "name": name})
    taken = [row for row in found if row["loinc"] not in loinc()]
    path = folder / "loinc.csv"
    own = {row["loinc"] for row in _table(path, ("loinc",))} if path.is_file() else set()
    new = merge(folder, "loinc.csv", (row for row in taken if row["loinc"] not in own), lambda row: row["loinc"])
    return {"codes": len(names), "agree with a procedure": len(found), "new": new}


def _agrees(procedure: Procedure, parts: Mapping[str, set[str]]) -> bool:
    if any(kind.startswith(BEYOND) for kind in parts):
        return False
    modalities = {kind_of(PLAYBOOK_MODALITIES.get(part.upper(), part.upper())) for part in parts.get(MODALITY, ())}
    sides = {PLAYBOOK_SIDES[part] for part in parts.get(LATERALITY, ()) if part in PLAYBOOK_SIDES}
    is_guided = any(kind.startswith("rad.guidance for.") for kind in parts)
    return (
        (not modalities or kind_of(procedure.modality) in modalities)
        and sides == ({procedure.laterality} - {"N"})
        and is_guided == bool(procedure.guidance)
    )


def load_fees(file: Path, valid_from: date, folder: Path) -> dict[str, int]:
    """A relative value file of CMS (`PPRRVU*.csv`) into fees.csv: work RVU of the professional component (26).

    Its header stands below titles, the word WORK above the column RVU. Codes without work are left out; rows of the
    same code and day are replaced.
    """
    cells = _read(file, ",")
    at = next((n for n, line in enumerate(cells) if [c.strip().upper() for c in line[:2]] == ["HCPCS", "MOD"]), None)
    if at is None:
        raise UnreadableInputError(f"{file}: no header HCPCS, MOD as in PPRRVU*.csv of a CMS relative value file")
    above = [cell.strip().upper() for cell in cells[at - 1]] if at else []
    head = [cell.strip().upper() for cell in cells[at]]
    titles = [f"{above[n] if n < len(above) else ''} {cell}".strip() for n, cell in enumerate(head)]
    work = next((n for n, title in enumerate(titles) if title.endswith("WORK RVU")), None)
    if work is None:
        raise UnreadableInputError(f"{file}: no column of work RVU (WORK above RVU)")
    by_code: dict[str, dict[str, float]] = defaultdict(dict)
    for line in cells[at + 1 :]:
        value = decimal(line[work]) if len(line) > max(work, 1) else None
        if value is not None:  # else a footnote or an empty line
            by_code[line[0].strip()][line[1].strip()] = value
    rows = [
        {"charge_code": code, "wrvu": f"{value:g}", "valid_from": valid_from.isoformat(), "source": file.name}
        for code, values in sorted(by_code.items())
        if code and (value := values.get(PROFESSIONAL, values.get("", 0.0))) > 0
    ]
    if not rows:
        raise UnreadableInputError(f"{file}: no code with work RVU")
    new = merge(folder, "fees.csv", rows, lambda row: (row["charge_code"], row["valid_from"]))
    return {"codes with work": len(rows), "new": new}


def load_dictionary(  # noqa: PLR0913 - the columns that a person names
    file: Path, facility: str, *, code: str, text: str, procedure: str, decided_by: str, folder: Path
) -> dict[str, int]:
    """A facility's own list of codes into procedures.csv; `code`, `text` and `procedure` name its columns.

    Without a column of procedures a text that says exactly one is taken; the others are left to `radops map`.
    """
    columns = [name for name in (code, text, procedure) if name]
    known = {p.id for p in procedures()}
    taken: list[Row] = []
    listed = [row for row in _table(file, columns) if row[code]]
    for number, row in enumerate(listed, 2):
        said = row[text] if text else ""
        chosen = row[procedure] if procedure else match_name(said, "", row[code]).procedure or ""
        if chosen and chosen not in known:
            raise UnreadableInputError(f"{file}, row {number}: {chosen} is no harmonized procedure")
        if chosen:
            taken.append({"facility": facility, "code": row[code], "text": said, "procedure": chosen,
                          "decided_by": decided_by})  # fmt: skip
    return {"codes": len(listed), "with a procedure": len(taken), "new": _decide(folder, taken)}


def _decide(folder: Path, rows: Iterable[Row]) -> int:
    return merge(folder, "procedures.csv", rows, decision_key)
