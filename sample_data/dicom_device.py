"""How devices write DICOM: habits by maker, and what each stamps with its own clock into every object."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sample_data.device_clock import ahead
from sample_data.dicom_bytes import Encoded, Encoder
from sample_data.network import Facility, Network, offset_text
from sample_data.story import Device, Staff


@dataclass(frozen=True, slots=True)
class Maker:
    """Habits that all devices of one maker share."""

    charset: str = "ISO_IR 100"  # (0008,0005)
    codec: str = "latin-1"
    institution: int | None = 0  # number of the facility's alias in (0008,0080), None: left empty
    fraction: str = ""  # after the seconds of a TM or DT
    is_open: bool = False  # sequences and items of undefined length
    has_issuer: bool = True  # (0010,0021)
    has_code: bool = True  # procedure codes of the worklist are passed on
    software: str = "1.0"


MAKERS = {
    "SIEMENS": Maker(fraction=".000000", software="VB20A"),
    "GE MEDICAL SYSTEMS": Maker("ISO_IR 192", "utf-8", 1, is_open=True, software="dv26.0"),
    "Philips Medical Systems": Maker("ISO_IR 192", "utf-8", 0, ".000", software="3.1.8"),
    "Philips": Maker(fraction=".00", has_issuer=False, software="5.7.1"),
    "FUJIFILM Corporation": Maker(institution=None, has_code=False, software="A12"),
    "CANON": Maker(institution=1, is_open=True, software="V10.8"),
    "HOLOGIC, Inc.": Maker("ISO_IR 192", "utf-8", 1, software="AWS:1.11"),
    "Agfa": Maker(has_issuer=False, software="NX 23"),
}


def code(value: str, meaning: str, scheme: str = "DCM") -> dict[str, str]:
    """An item of a code sequence (PS3.3 table 8.8-1a)."""
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def person_name(staff: Staff) -> str:
    """A name as PN."""
    return f"{staff.family}^{staff.given}"


class Clock:
    """The wall clock of a device, with its error, as it stamps the objects of one exam.

    A device that writes (0008,0201) keeps to the offset of `anchor` for all of them; the others follow the zone.
    """

    def __init__(self, network: Network, device: Device, anchor: datetime, fraction: str) -> None:
        self.network, self.device, self.fraction = network, device, fraction
        self.offset: timedelta | None = None
        self.offset_text: str | None = None
        if device.writes_zone_offset:
            self.offset = network.offset(device.facility, anchor)
            self.offset_text = offset_text(self.offset)

    def _wall(self, at: datetime) -> datetime:
        at += ahead(self.device, at)
        return at + self.offset if self.offset is not None else self.network.local(self.device.facility, at)

    def date_time(self, at: datetime) -> tuple[str, str]:
        """DA and TM of an instant."""
        wall = self._wall(at)
        return (
            f"{wall.year:04d}{wall.month:02d}{wall.day:02d}",
            f"{wall.hour:02d}{wall.minute:02d}{wall.second:02d}{self.fraction}",
        )

    def stamp(self, prefix: str, at: datetime) -> dict[str, str]:
        """The pair `<prefix>Date` and `<prefix>Time`."""
        day, time = self.date_time(at)
        return {f"{prefix}Date": day, f"{prefix}Time": time}

    def moment(self, at: datetime, millisecond: int = 0) -> str:
        """DT of an instant."""
        day, time = self.date_time(at)
        return f"{day}{time[:6]}.{millisecond:03d}" if millisecond else day + time


class Station:
    """A device as an author of objects: its encoder and the elements that are in all of them."""

    def __init__(self, network: Network, device: Device) -> None:
        self.network, self.device = network, device
        self.maker = MAKERS[device.manufacturer]
        self.encoder = Encoder(device.is_implicit_vr, self.maker.codec, self.maker.is_open)
        facility: Facility = network.facilities[device.facility]
        number = self.maker.institution
        self.institution = None if number is None else (facility.name, *facility.aliases)[number]
        self.always: Encoded = self.encoder.encode({
            "SpecificCharacterSet": self.maker.charset,
            "Manufacturer": device.manufacturer,
            "InstitutionName": self.institution,
            "StationName": device.station,
            "InstitutionalDepartmentName": "Radiology",
            "ManufacturerModelName": device.model,
            "DeviceSerialNumber": device.serial,
            "SoftwareVersions": self.maker.software,
        })  # fmt: skip

    def clock(self, anchor: datetime) -> Clock:
        """Its clock during one exam."""
        return Clock(self.network, self.device, anchor, self.maker.fraction)
