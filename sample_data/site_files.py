"""The site folder of the simulated network, as a real site would write it by hand for `etl/site.py`."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from sample_data.catalog import CONTRAST_SUPPLY
from sample_data.dicom_import import import_ae
from sample_data.emit_fhir import BASE as FHIR_BASE
from sample_data.grading import CODING, SCORES
from sample_data.hl7_dialect import ADMISSION, BILLING, DICTATION, LABORATORY, RIS, Dialect
from sample_data.network import Network, is_closed, table
from sample_data.volume import is_holiday

STATUS = {"AR": "arrived", "IA": "images_available", "PR": "protocoled"}
OBX = {
    "OUTPRIOR": "outside_prior", "OUTMOD": "outside_modality", "OUTREGION": "outside_body_part",
    "CRITCAT": "critical_category", "CRITFOUND": "critical_found", "CRITCOMM": "critical_communicated",
}  # fmt: skip
#: Identifier systems of the FHIR server by the names that HL7 messages use.
AUTHORITIES = {
    "urn:example:south:mr": "SOUTH", "urn:example:south:vn": "SOUTH", "urn:example:net:pi": "NET",
    "urn:example:net:ei": "NET", "urn:example:cpoe:plac": "CPOE", "urn:example:riss:fill": "RISS",
}  # fmt: skip
#: Days behind the run for which the calendar is known.
CALENDAR_AHEAD = 60
HEADERS = {
    "devices.csv": "device,name,facility,modality,station,ae_title,manufacturer,model,serial,room",
    "staffing.csv": "device,weekday,opens,closes",
    "calendar.csv": "facility,date,kind",
    "shifts.csv": "shift,weekday,starts,ends,is_after_hours",
    "targets.csv": "metric,facility,modality,priority,patient_class,target,unit,source,valid_from,valid_to",
    "procedures.csv": "facility,code,text,procedure,decided_by,valid_from",
    "fees.csv": "charge_code,wrvu,valid_from,source",
}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _toml_table(values: dict[str, str]) -> str:
    return "{ " + ", ".join(f'{name} = "{value}"' for name, value in values.items()) + " }"


def _sender(dialect: Dialect) -> str:
    lines = [
        "[[sender]]", f'app = "{dialect.app}"', f'facility = "{dialect.sending}"',
        f'accession = "{"IPC-1" if dialect.is_251 and dialect in RIS.values() else "OBR-18"}"',
    ]  # fmt: skip
    if dialect in RIS.values():
        is_coding = dialect.facility in CODING
        codes = OBX | {"DISCREP": "discrepancy"} if is_coding else OBX
        lines += [f"status = {_toml_table(STATUS)}", f"obx = {_toml_table(codes)}"]
        lines += [f"discrepancy = {_toml_table(SCORES)}"] if is_coding else []
    return "\n".join(lines)


def site_toml(network: Network) -> str:
    """`site.toml`: facilities with zones and aliases, and each sender's habits."""
    parts = ['[site]\nname = "Simulated network"\ndefault_zone = "America/New_York"']
    for f in network.facilities.values():
        rooms = (r.device for r in network.rooms.values() if r.device.facility == f.id)
        aliases = [*f.aliases, *(name for d in rooms for name in (d.station, d.ae_title)), import_ae(f.id)]
        aliases += [] if f.id in RIS else [FHIR_BASE]
        quoted = ", ".join(f'"{alias}"' for alias in aliases)
        parts.append(
            f'[[facility]]\nid = "{f.id}"\nname = "{f.name}"\nzone = "{f.zone}"\nkind = "{f.kind}"\n'
            f"aliases = [{quoted}]"
        )
    senders = [*RIS.values(), DICTATION, *BILLING.values(), *ADMISSION.values(), LABORATORY]
    server = f'[[sender]]\napp = "{FHIR_BASE}"'
    names = "\n".join(f'"{system}" = "{name}"' for system, name in AUTHORITIES.items())
    return "\n\n".join([*parts, *map(_sender, senders), server, f"[authorities]\n{names}"]) + "\n"


def _rows(network: Network, start: date, days: int) -> dict[str, Iterable[Iterable[object]]]:
    devices = [r.device for r in network.rooms.values()]
    return {
        "devices.csv": [
            (
                d.id,
                d.name,
                d.facility,
                d.modality,
                d.station,
                d.ae_title,
                d.manufacturer,
                d.model,
                d.serial,
                d.site_room,
            )
            for d in devices
        ],
        "staffing.csv": [
            (r.device.id, weekday, _clock(r.opens_min), _clock(r.closes_min))
            for r in network.rooms.values()
            for weekday in sorted(r.weekdays)
        ],
        "calendar.csv": [
            (f, day, "closed" if is_closed(f, day) else "holiday")
            for day in (start + timedelta(days=n) for n in range(days + CALENDAR_AHEAD))
            for f in network.facilities
            if is_closed(f, day) or is_holiday(day)
        ],
        "shifts.csv": [
            (r["shift"], weekday, r["starts"], r["ends"], r["is_after_hours"])
            for r in table("site_shifts")
            for weekday in r["weekdays"]
        ],
        "targets.csv": [list(row.values()) for row in table("targets")],
        "procedures.csv": [
            (n.facility, n.code, n.text, n.procedure, "simulator", start)
            for n in network.names.values()
            if n.mapped_by == "site"
        ],
        "fees.csv": [
            *((p.charge, p.wrvu, start - timedelta(days=365), "invented") for p in network.procedures.values()),
            (CONTRAST_SUPPLY, 0.0, start - timedelta(days=365), "invented"),
        ],
    }


def write_site(folder: Path, network: Network, start: date, days: int) -> None:
    """Write `site.toml` and the CSV files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text(site_toml(network), encoding="utf-8")
    for name, rows in _rows(network, start, days).items():
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADERS[name].split(","))
            writer.writerows(rows)
