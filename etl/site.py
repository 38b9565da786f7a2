"""The site: facilities, zones, senders and their habits. What differs by site lives here, never in code.

A site is a folder with `site.toml` and CSV files; the schema is `Site` and `CSV_FILES`. Aliases are compared without
case and outer blanks. A sender that no `[[sender]]` names gets the default habits and is shown as unmapped.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from etl.timestamps import Zone, zone_info
from sql.site_files import CSV_FILES

__all__ = ["CSV_FILES", "GRADES", "OPTIONAL_COLUMNS", "Facility", "Sender", "Site", "SiteError", "load_site"]

#: Columns that a file may lack: all of their values are then unknown.
OPTIONAL_COLUMNS = frozenset({"room"})


#: Grades of a preliminary report by its final one, the mildest first.
GRADES = ("none", "minor", "major")


class SiteError(ValueError):
    """The site folder cannot be used; the message names the file and the fix."""


@dataclass(frozen=True, slots=True)
class Facility:
    id: str
    name: str
    zone: str
    kind: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Habits of one sending application (MSH-3; FHIR: base of the server) and facility (MSH-4, empty: any)."""

    app: str
    facility: str = ""
    accession: str = "OBR-18"  # or IPC-1, OBR-3, a FHIR identifier type: site's choice first
    status: dict[str, str] = field(default_factory=dict)  # local ORC-5/OBR-25 code -> event code
    result_status: dict[str, str] = field(default_factory=dict)  # OBR-25 code -> report status, over table 0123
    obx: dict[str, str] = field(
        default_factory=dict
    )  # OBX-3.1 -> critical_category, critical_found, ... , outside_prior, discrepancy
    discrepancy: dict[str, str] = field(default_factory=dict)  # value of the discrepancy field, folded -> grade
    radiology: tuple[str, ...] = ()  # OBR-24 sections taken as imaging beyond the DICOM modalities
    is_mapped: bool = True


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: it is a key of the caches below
class Site:
    name: str = "unnamed site"
    default_zone: str = "UTC"
    facilities: tuple[Facility, ...] = ()
    senders: tuple[Sender, ...] = ()
    authorities: dict[str, str] = field(default_factory=dict)  # FHIR Identifier.system -> authority as HL7 names it
    folder: Path | None = None

    @lru_cache(maxsize=4096)  # noqa: B019 - a site lives as long as the process
    def facility_of(self, alias: str | None) -> Facility | None:
        """The facility that carries `alias`, or None."""
        wanted = (alias or "").strip().casefold()
        if not wanted:
            return None
        for facility in self.facilities:
            if wanted in (
                facility.id.casefold(),
                facility.name.casefold(),
                *(a.casefold() for a in facility.aliases),
            ):
                return facility
        return None

    @lru_cache(maxsize=4096)  # noqa: B019
    def alias_of(self, *candidates: str | None) -> str | None:
        """The first candidate that is a known alias, else the first that is not empty."""
        named = [c.strip() for c in candidates if c and c.strip()]
        return next((c for c in named if self.facility_of(c)), named[0] if named else None)

    @lru_cache(maxsize=4096)  # noqa: B019
    def zone_of(self, alias: str | None) -> Zone:
        """The zone for times without offset: the facility's, else the site's default, marked as assumed."""
        facility = self.facility_of(alias)
        if facility is None:
            return Zone(zone_info(self.default_zone), "assumed")
        return Zone(zone_info(facility.zone), "facility")

    @lru_cache(maxsize=4096)  # noqa: B019
    def sender_of(self, app: str, facility: str) -> Sender:
        """Habits of a sender; the default ones, marked unmapped, where the site names none."""
        for sender in self.senders:
            if sender.app.casefold() == app.casefold() and sender.facility.casefold() in (
                "",
                facility.casefold(),
            ):
                return sender
        return Sender(app, facility, is_mapped=False)


def _zone(name: str, where: str) -> str:
    try:
        zone_info(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SiteError(f"{where}: unknown time zone {name!r}; use an IANA name such as America/New_York") from error
    return name


def _sender(entry: dict[str, Any], where: str) -> Sender:
    """One [[sender]]; a discrepancy field and its grades come together or not at all."""
    grades = {str(value).strip().casefold(): grade for value, grade in entry.get("discrepancy", {}).items()}
    wrong = [str(grade) for grade in grades.values() if grade not in GRADES]
    if wrong:
        raise SiteError(f"{where}: unknown grade {wrong[0]!r} of a discrepancy; use {', '.join(GRADES)}")
    if bool(grades) != ("discrepancy" in entry.get("obx", {}).values()):
        raise SiteError(f"{where}: {entry['app']}: a discrepancy needs its field in obx and its values in discrepancy")
    return Sender(**{**entry, "radiology": tuple(entry.get("radiology", ())), "discrepancy": grades})


def load_site(folder: Path) -> Site:
    """Read `folder/site.toml`. Raises SiteError with the key that is wrong."""
    path = folder / "site.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SiteError(f"{path}: not found") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SiteError(f"{path}: {error}") from error
    try:
        facilities = tuple(
            Facility(
                **{
                    **entry,
                    "aliases": tuple(entry.get("aliases", ())),
                    "zone": _zone(entry["zone"], str(path)),
                }
            )
            for entry in data.get("facility", [])
        )
        senders = tuple(_sender(entry, str(path)) for entry in data.get("sender", []))
        authorities = {system: str(name) for system, name in data.get("authorities", {}).items()}
    except (TypeError, KeyError, AttributeError) as error:
        raise SiteError(f"{path}: wrong or missing key: {error}") from error
    head = data.get("site", {})
    return Site(
        name=head.get("name", "unnamed site"),
        default_zone=_zone(head.get("default_zone", "UTC"), str(path)),
        facilities=facilities,
        senders=senders,
        authorities=authorities,
        folder=folder,
    )
