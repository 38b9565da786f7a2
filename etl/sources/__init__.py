"""Sources turn bytes into typed records and judge nothing. This module tells them apart by content."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from etl.records import Parsed
from etl.site import Site

_HL7 = re.compile(rb"\A(?:\xef\xbb\xbf)?[\s\x0b\x1c]*(?:MSH|FHS|BHS)[^\w\s]")
_JSON = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*[\[{]")
#: First groups and elements that a headerless dataset may begin with, little and big endian.
_DATASET = re.compile(rb"\A(?:[\x02\x08]\x00[\x00-\xff]\x00|\x00[\x02\x08]\x00[\x00-\xff])")


STANDARDS = ("hl7", "dicom", "fhir")


@dataclass(frozen=True, slots=True)
class Source:
    """One standard: `parse` gives its records, `messages` the bytes of each message by position."""

    parse: Callable[[bytes, Site], Parsed]
    messages: Callable[[bytes], list[bytes]]


def source(standard: str) -> Source:
    """The source of `hl7`, `dicom` or `fhir`."""
    module = import_module(f"etl.sources.{standard}")
    return Source(module.parse, module.messages)


def sniff(data: bytes) -> str | None:
    """`hl7`, `dicom` or `fhir` by content, None where it is none of them. Names and endings do not count."""
    if data[128:132] == b"DICM":
        return "dicom"
    if _HL7.match(data[:1024]):
        return "hl7"
    if _JSON.match(data[:1024]):
        return "fhir" if b'"resourceType"' in data else "dicom" if b'"vr"' in data else None
    return "dicom" if _DATASET.match(data[:8]) else None
