"""Conformance of one FHIR file: JSON rules, required elements, bound codes and times; and our own reading beside it.

Findings name the element, the rule and the page of the standard (R4), never a value of the resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from etl.lint import Finding
from etl.site import Site
from etl.sources import fhir
from etl.sources.fhir_file import Body, Item, items
from etl.sources.fhir_resource import values

#: Types that we read: their page of the standard defines their elements.
READ = frozenset(fhir.HANDLERS)
#: Type -> elements of cardinality 1.. ; below a parent only where that parent is there.
REQUIRED: dict[str, tuple[str, ...]] = {
    "ServiceRequest": ("status", "intent", "subject"),
    "DiagnosticReport": ("status", "code"),
    "ImagingStudy": ("status", "subject", "series.uid", "series.modality", "series.instance.uid",
                     "series.instance.sopClass"),
    "Procedure": ("status", "subject"),
    "Task": ("status", "intent"),
    "Appointment": ("status", "participant", "participant.status"),
    "Patient": ("link.other", "link.type"),
    "Encounter": ("status", "class"),
}  # fmt: skip


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PRIORITY = _codes("routine urgent asap stat")
#: (type, element) -> codes of its required value set, of R4 and R5 together.
BOUND: dict[tuple[str, str], frozenset[str]] = {
    ("ServiceRequest", "status"): _codes("draft active on-hold revoked completed entered-in-error unknown"),
    ("ServiceRequest", "intent"): _codes(
        "proposal plan directive order original-order reflex-order filler-order instance-order option"
    ),
    ("ServiceRequest", "priority"): _PRIORITY,
    ("DiagnosticReport", "status"): _codes(
        "registered partial preliminary modified final amended corrected appended cancelled entered-in-error unknown"
    ),
    ("ImagingStudy", "status"): _codes("registered available cancelled entered-in-error unknown inactive"),
    ("Procedure", "status"): _codes(
        "preparation in-progress not-done on-hold stopped completed entered-in-error unknown"
    ),
    ("Task", "status"): _codes(
        """draft requested received accepted rejected ready cancelled in-progress on-hold failed completed
        entered-in-error"""
    ),
    ("Task", "priority"): _PRIORITY,
    ("Appointment", "status"): _codes(
        "proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist"
    ),
    ("Appointment", "participant.status"): _codes("accepted declined tentative needs-action"),
    ("Encounter", "status"): _codes(
        """planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown on-hold discharged
        completed discontinued"""
    ),
    ("Encounter", "location.status"): _codes("planned active reserved completed"),
    ("Patient", "gender"): _codes("male female other unknown"),
    ("Patient", "link.type"): _codes("replaced-by replaces refer seealso"),
}

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")
_DATE = r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?"
_DATE_TIME, _INSTANT = re.compile(_DATE + r"\Z"), re.compile(_DATE.replace(")?)?)?", ")))") + r"\Z")
#: Names of elements that are times, at any depth.
INSTANTS = _codes("lastUpdated issued")
DATE_TIMES = _codes(
    """authoredOn occurrenceDateTime started performedDateTime effectiveDateTime created lastModified birthDate start
    end cancellationDate"""
)
#: Appointment.start and .end are instants, but whole dateTimes satisfy both.
JSON, PRIMITIVES, META, CONTAINED = "JSON format", "Data types: primitive", "Resource: meta", "References: contained"


def lint(data: bytes) -> list[Finding]:
    """Findings of every resource of a file, in order. Never raises for what the file holds."""
    parsed = fhir.parse(data, Site())
    found = [Finding(r.position, "error", "resource", fhir.REASONS[r.reason], JSON) for r in parsed.rejected]
    found += [Finding(d.position, "error", d.field, d.reason.replace("_", " "), _page(d.field)) for d in parsed.defects]
    rejected = {r.position for r in parsed.rejected}
    for position, item in enumerate(items(data)):
        if position not in rejected and not item.is_deleted:
            found += _findings(position, item)
    return sorted(dict.fromkeys(found), key=lambda finding: finding.position)


def _page(field: str) -> str:
    return field.partition(".")[0]


def _findings(position: int, item: Item) -> Iterator[Finding]:
    body = item.body
    kind = str(body["resourceType"])
    for path in REQUIRED.get(kind, ()):
        if _is_missing(body, path):
            yield Finding(position, "error", f"{kind}.{path}", "required but missing", kind)
    for (owner, path), codes in BOUND.items():
        if owner == kind and any(value not in codes for value in values(body, path) if isinstance(value, str)):
            yield Finding(position, "error", f"{kind}.{path}", "code not in its value set", kind)
    identifier = body.get("id")
    if not isinstance(identifier, str) or not _ID.match(identifier):
        severity: Any = "error" if identifier is not None else "warning"
        yield Finding(position, severity, f"{kind}.id", "not 1 to 64 letters, digits, - or .", PRIMITIVES)
    if kind in READ:
        for path in ("meta.source", "meta.lastUpdated"):
            if not values(body, path):
                rule = "missing: nothing says which server this is from, or when it was written"
                yield Finding(position, "warning", f"{kind}.{path}", rule, META)
    yield from _inside(position, kind, body)


def _is_missing(body: Body, path: str) -> bool:
    parent, _, name = path.rpartition(".")
    owners = values(body, parent) if parent else [body]
    return any(isinstance(owner, dict) and owner.get(name) in (None, "", [], {}) for owner in owners)


def _inside(position: int, kind: str, body: Body) -> Iterator[Finding]:
    """What holds for every element: nothing empty, times whole and with a zone, contained references resolved."""
    contained = {str(each.get("id")) for each in values(body, "contained") if isinstance(each, dict)}
    stack: list[tuple[str, Any]] = [(kind, body)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, list):
            stack += [(path, each) for each in node]
        elif isinstance(node, dict):
            stack += [(f"{path}.{name}", value) for name, value in node.items()]
        name = path.rpartition(".")[2]
        if node in (None, "", [], {}) and not name.startswith("_"):
            yield Finding(position, "error", path, "empty: an element that is there has a value", JSON)
        elif isinstance(node, str):
            if name in INSTANTS and not _INSTANT.match(node):
                yield Finding(position, "error", path, "no instant: seconds and offset are required", PRIMITIVES)
            elif name in DATE_TIMES and not _DATE_TIME.match(node):
                yield Finding(position, "error", path, "no dateTime: a time needs seconds and offset", PRIMITIVES)
            elif name == "reference" and node.startswith("#") and node[1:] not in contained and node != "#":
                yield Finding(position, "error", path, "contained resource not found", CONTAINED)
