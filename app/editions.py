"""Editions of the leadership pack: what was exported into the home, as its manifests tell. Read only, never asked anew.

Names come from the listing of the folder and from manifests, never from an address, so no address leads elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sql.snapshot import Store

#: Beside the published folder, in a home.
EXPORTS, MANIFEST = "exports", "manifest.json"
#: Names of files and months: nothing that leads elsewhere or ends a header.
_PLAIN, _PERIOD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"), re.compile(r"[0-9]{4}-[0-9]{2}")
#: Bytes of a manifest at most; a pack's has some twenty thousand.
MOST_BYTES = 4 * 2**20


class Damaged(RuntimeError):
    """A file that is not, or not any more, what the manifest says; names the file."""


class File(NamedTuple):
    """One file of an edition, as its manifest lists it; the manifest itself stands last."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Edition:
    """One pack that was exported; `key` is its folder's name, `digest` that of its manifest, `exported_at` is UTC."""

    key: str
    folder: Path
    period: str
    since: date
    until: date
    is_complete: bool
    is_masked: bool
    snapshot: str
    data_through: datetime
    filters: str
    product: str
    files: tuple[File, ...]
    digest: str
    exported_at: datetime

    @property
    def seq(self) -> int:
        """Number of the snapshot that it was made from."""
        return int(self.snapshot.partition("-")[0])

    def file(self, name: str) -> File | None:
        """The file of a name; None where the manifest does not list it."""
        return next((file for file in self.files if file.name == name), None)

    def kind(self, ending: str) -> File | None:
        """The first file whose name ends so."""
        return next((file for file in self.files if file.name.endswith(ending)), None)


def folder_of(store: Store) -> Path:
    """Where the editions of a store's home lie."""
    return store.folder.parent / EXPORTS


def state_of(store: Store) -> Hashable:
    """What a view of the editions depends on."""
    return tuple((edition.key, edition.digest, edition.exported_at) for edition in editions(folder_of(store)))


def editions(exports: Path) -> list[Edition]:
    """All editions, the latest month first, then the last exported; folders without a manifest are passed over."""
    found = [edition for key in _keys(exports) if (edition := _read(exports / key)) is not None]
    return sorted(found, key=lambda edition: (edition.since, edition.exported_at, edition.key), reverse=True)


def edition_of(exports: Path, key: str) -> Edition | None:
    """The edition in a folder of that name; None where there is none."""
    return _read(exports / key) if key in _keys(exports) else None


def content(edition: Edition, file: File) -> bytes:
    """A file as it was written. Raises Damaged where it is missing or has other bytes than its manifest says."""
    try:
        handle = os.open(edition.folder / file.name, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as opened:
            data = opened.read(file.size + 1)
    except OSError as error:
        raise Damaged(file.name) from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Damaged(file.name)
    return data


def _keys(exports: Path) -> list[str]:
    try:
        with os.scandir(exports) as found:
            return [entry.name for entry in found
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")]  # fmt: skip
    except OSError:
        return []


def _read(folder: Path) -> Edition | None:
    """The edition of a folder; None where its manifest is not there or not that of a pack."""
    try:
        handle = os.open(folder / MANIFEST, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as opened:
            raw, changed = opened.read(MOST_BYTES), os.fstat(opened.fileno()).st_mtime
        return _edition(folder, json.loads(raw), raw, datetime.fromtimestamp(changed, UTC).replace(tzinfo=None))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _edition(folder: Path, told: dict[str, Any], raw: bytes, exported_at: datetime) -> Edition:
    snapshot = told["snapshot"]
    digest = hashlib.sha256(raw).hexdigest()
    listed = [File(str(item["name"]), int(item["bytes"]), str(item["sha256"])) for item in told["files"]]
    files = (*listed, File(MANIFEST, len(raw), digest))
    if not _PERIOD.fullmatch(told["period"]) or not all(_PLAIN.fullmatch(file.name) for file in files):
        raise ValueError("a name in a manifest is no plain name")
    edition = Edition(
        folder.name, folder, str(told["period"]), date.fromisoformat(told["since"]), date.fromisoformat(told["until"]),
        bool(told["is_complete"]), told.get("small_cells", "as they are") == "masked", str(snapshot["id"]),
        datetime.fromisoformat(snapshot["data_through"]).replace(tzinfo=None), str(told["filters"]),
        str(told["product"]), files, digest, exported_at,
    )  # fmt: skip
    if edition.seq < 0:
        raise ValueError("a snapshot has a number")
    return edition
