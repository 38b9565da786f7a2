"""One FHIR resource with what every reader needs: paths, times, references, its server, facility, zone and defects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from etl.records import Defect
from etl.site import Site
from etl.sources.fhir_file import Body, Item, parts_of
from etl.timestamps import BadTime, Stamp, Zone, parse_fhir

#: Elements of a repeating element that are looked at, and characters of a value that is not narrative.
MAX_REPEATS = 10_000
MAX_TEXT = 4_096
#: Where a resource names the place it belongs to; the first that the site knows is its facility.
PLACES = (
    "performer", "performer.actor", "performer.onBehalfOf", "location", "location.location", "locationReference",
    "location.reference", "participant.actor", "serviceProvider", "managingOrganization", "owner", "requestedPerformer",
    "series.performer.actor",
)  # fmt: skip
_NOBODY: Body = {}


@dataclass(frozen=True, slots=True)
class Reference:
    """A Reference: who is meant by type and id on a server, and by business identifier."""

    type: str
    id: str
    source: str
    identifier: Body
    display: str
    target: Body  # the resource itself, where it is contained or in the same file

    @property
    def is_known(self) -> bool:
        """It names something."""
        return bool(self.id or self.identifier or self.target)

    @property
    def name(self) -> str:
        """`base/Type/id`, one name for one resource of one server; '' without an id."""
        return f"{self.source}/{self.type}/{self.id}" if self.id else ""


class Resource:
    """One resource version and its file's directory."""

    __slots__ = (
        "body",
        "common",
        "contained",
        "defects",
        "is_deleted",
        "known",
        "position",
        "sender",
        "site",
        "source",
        "zone",
    )

    def __init__(self, item: Item, position: int, site: Site, known: dict[str, Body]) -> None:
        self.body, self.position, self.site, self.known = item.body, position, site, known
        self.is_deleted = item.is_deleted
        self.defects: list[Defect] = []
        self.contained = {str(each.get("id")): each for each in self.nodes("contained")}
        base = (parts_of(item.url) or ("",))[0]
        self.source = self.text("meta.source").partition("#")[0].rstrip("/") or base.rstrip("/")
        alias = self._alias()
        self.sender = site.sender_of(self.source, alias or "")
        self.zone: Zone = site.zone_of(alias)
        kind, identifier, version = str(self.body["resourceType"]), self.text("id"), self.text("meta.versionId")
        if not identifier and item.url.startswith("urn:"):
            self.body = {**self.body, "id": item.url}
            identifier = item.url
        self.common: dict[str, Any] = {
            "standard": "fhir",
            "source": self.source,
            "message_id": f"{kind}/{identifier}" + (f"/{version}" if version else "") if identifier else None,
            "message_at": self.instant("meta.lastUpdated"),
            "facility_alias": alias,
        }

    def _alias(self) -> str | None:
        for path in PLACES:
            for node in self.nodes(path):
                place = self.reference(node)
                for name in (*self._names(place), place.id):
                    if self.site.facility_of(name):
                        return name
        return self.source or None

    def _names(self, place: Reference) -> Iterator[str]:
        yield place.display
        yield _text(place.identifier.get("value"))
        yield _text(place.target.get("name"))
        yield from (_text(each.get("value")) for each in nodes(place.target, "identifier"))

    def defect(self, field: str, reason: str) -> None:
        """Count an element that could not be used, by its path."""
        self.defects.append(Defect(self.position, f"{self.body['resourceType']}.{field}", reason))

    def nodes(self, path: str) -> list[Body]:
        """The objects at a path, through all repetitions."""
        return nodes(self.body, path)

    def texts(self, path: str) -> list[str]:
        """The values at a path as text; numbers are taken as they are written."""
        return [text for value in values(self.body, path) if (text := self._bounded(path, value))]

    def text(self, path: str) -> str:
        """The first value at a path, '' where there is none."""
        return next(iter(self.texts(path)), "")

    def _bounded(self, path: str, value: Any) -> str:
        text = _text(value)
        if len(text) > MAX_TEXT:
            self.defect(path, "too_long")
            return ""
        return text

    def stamp(self, path: str) -> Stamp | None:
        """The time at a path; None, with a defect, if it is not one."""
        return self.stamp_of(self.text(path), path)

    def stamp_of(self, text: str, path: str) -> Stamp | None:
        """The time that was read at a path; None, with a defect, if it is not one."""
        if not text:
            return None
        try:
            return parse_fhir(text, self.zone)
        except BadTime as error:
            self.defect(path, str(error))
            return None

    def instant(self, path: str) -> Any:
        """UTC instant at a path, None where the value is a date or coarser."""
        stamp = self.stamp(path)
        return stamp.at if stamp else None

    def when(self, *paths: str) -> dict[str, Any]:
        """`at`, `at_precision`, `at_zone_source` of the first path that holds a time; empty where none does."""
        for path in paths:
            stamp = self.stamp(path)
            if stamp:
                return {"at": stamp.at, "at_precision": stamp.precision, "at_zone_source": stamp.zone_source}
        return {}

    @property
    def itself(self) -> Reference:
        """A reference to this resource."""
        return Reference(str(self.body["resourceType"]), self.text("id"), self.source, _NOBODY, "", self.body)

    def references(self, *paths: str) -> list[Reference]:
        """The references at the paths that name something."""
        return [r for path in paths for node in self.nodes(path) if (r := self.reference(node)).is_known or r.display]

    def reference(self, node: Body, depth: int = 0) -> Reference:
        """Read a Reference: `#contained`, relative, absolute, urn: inside a Bundle, or by identifier alone."""
        concept = node.get("reference")
        if isinstance(concept, dict) and depth == 0:  # R5 CodeableReference
            return self.reference(concept, 1)
        sent = _text(concept)
        identifier = node.get("identifier")
        identifier = identifier if isinstance(identifier, dict) else _NOBODY
        display, kind = _text(node.get("display")), _text(node.get("type"))
        if sent.startswith("#"):
            target = self.contained.get(sent[1:], _NOBODY)
            return Reference(_text(target.get("resourceType")) or kind, "", self.source, identifier, display, target)
        target = self.known.get(sent, _NOBODY)
        place = parts_of(sent)
        if place:
            base, kind, number, _ = place
            target = target or self.known.get(f"{kind}/{number}", _NOBODY)
            source = base.rstrip("/") if base and self.source else self.source
            return Reference(kind, number, source, identifier, display, target)
        kind = _text(target.get("resourceType")) or kind
        return Reference(kind, _text(target.get("id")) or sent, self.source, identifier, display, target)


def values(node: Any, path: str) -> list[Any]:
    """Everything at a dotted path, lists flattened."""
    found = [node]
    for name in _steps(path):
        step: list[Any] = []
        for each in found:
            value = each.get(name) if isinstance(each, dict) else None
            if isinstance(value, list):
                step += value[:MAX_REPEATS]
            elif value is not None:
                step.append(value)
        if not step:
            return step
        found = step[:MAX_REPEATS]
    return found


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def nodes(node: Any, path: str) -> list[Body]:
    """The objects at a path."""
    return [value for value in values(node, path) if isinstance(value, dict)]


def text_of(node: Any, path: str) -> str:
    """The first value at a path as text, '' where there is none."""
    return next((text for value in values(node, path) if (text := _text(value))), "")


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).strip()
    return text if text.isascii() and "\0" not in text else text.encode("utf-8", "replace").decode().replace("\0", "")
