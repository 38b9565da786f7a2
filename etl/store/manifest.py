"""The manifest of a snapshot at a place: what it is, which object holds it and how that is proven."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from etl.errors import StoreError

#: Of this form; a reader refuses another.
FORMAT = 1
#: Bytes of a manifest at most: what is longer is none.
MAX_BYTES = 64 * 1024
_ID = re.compile(r"\d{6,}-[0-9a-z]{1,12}")
_SHA = re.compile(r"[0-9a-f]{64}")


class Numbered(Protocol):
    """What tells a snapshot of a place, whatever its files are."""

    @property
    def snapshot_id(self) -> str:
        """Sequence and digest."""

    @property
    def seq(self) -> int:
        """Number of the publish."""

    @property
    def built_at(self) -> str:
        """When it was published."""

    @property
    def name(self) -> str:
        """Name of the manifest."""

    def is_same(self, other: Self) -> bool:
        """Whether both are of the same rows."""

    def to_bytes(self) -> bytes:
        """As it is kept."""


Made = TypeVar("Made", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One snapshot. `sha256` and `size` (bytes) are of its file; times are ISO 8601 in UTC."""

    snapshot_id: str
    seq: int
    digest: str
    signature: str
    built_at: str
    data_through: str
    size: int
    sha256: str
    written_at: str

    @property
    def file_name(self) -> str:
        """Name of the snapshot in a published folder."""
        return f"radops-{self.seq:06d}.duckdb"

    @property
    def object_name(self) -> str:
        """Name of the object: of its content, so that it never stands for another."""
        return f"radops-{self.seq:06d}-{self.sha256[:16]}.duckdb"

    @property
    def name(self) -> str:
        """Name of this manifest."""
        return f"radops-{self.seq:06d}.json"

    def is_same(self, other: Manifest) -> bool:
        """Whether both are of the same bytes, whenever they were put."""
        return (self.snapshot_id, self.size, self.sha256) == (other.snapshot_id, other.size, other.sha256)

    def to_bytes(self) -> bytes:
        """As it is kept: JSON."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode("ascii")


def read_manifest(data: bytes, where: str) -> Manifest:
    """The manifest that bytes hold. Raises StoreError where they hold none that this radops knows."""
    return parsed(data, where, _made)


def _made(told: dict[str, Any]) -> Manifest:
    made = Manifest(**told)
    texts = (made.digest, made.signature, made.built_at, made.data_through, made.written_at)
    if not (all(isinstance(text, str) for text in texts) and is_file(made.size, made.sha256)):
        raise ValueError
    return made


def is_file(size: object, sha256: object) -> bool:
    """Whether these tell a file: its bytes and its SHA-256."""
    return isinstance(size, int) and size > 0 and isinstance(sha256, str) and bool(_SHA.fullmatch(sha256))


def parsed(data: bytes, where: str, make: Callable[[dict[str, Any]], Made], most: int = MAX_BYTES) -> Made:
    """What `make` makes of the JSON object that bytes hold, if that tells a snapshot. Raises StoreError.

    `make` may raise ValueError, TypeError, KeyError and AttributeError for what it does not know.
    """
    try:
        if len(data) > most:
            raise ValueError
        told = json.loads(data)
        if told.pop("format") != FORMAT:
            raise ValueError
        made = make(told)
        if not _ID.fullmatch(made.snapshot_id) or not made.snapshot_id.startswith(f"{made.seq:06d}-"):
            raise ValueError
        datetime.fromisoformat(made.built_at)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{where}: what lies there is no manifest of a snapshot") from error
    return made


def instant(at: datetime | None) -> str:
    """A UTC time as manifests tell it."""
    return "" if at is None else f"{at.isoformat(timespec='seconds')}Z"


def now() -> str:
    """The present time, likewise."""
    return instant(datetime.now(UTC).replace(tzinfo=None))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
