"""Files to ingest at any place that fsspec reaches: what is there, and reading one as the scan saw it.

An object has no folder entry and no link: it is there once all of it is. What tells if it changed is its size, when it
was written, and the mark (ETag) that its store gives each version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from etl.errors import UnreadableInputError
from etl.store.place import WHOLE, Place, open_place

#: When a file was last written, under the names that kinds of stores have for it.
_WRITTEN = ("LastModified", "last_modified", "updated", "mtime", "created")
_MARKS = ("ETag", "etag", "generation", "md5Hash")
SECOND = 10**9


class RemoteError(Exception):
    """A remote file cannot be read as the scan saw it. Carries a reason word of `etl.inbox`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def listed(url: str, endpoint: str) -> Iterator[tuple[str, int, int]]:
    """URL, size and version of each file below `url`, sorted by path. Raises UnreadableInputError, SettingsError."""
    place = open_place(url, endpoint)
    try:
        found: dict[str, dict[str, Any]] = place.fs.find(place.root, detail=True)
        holder = place.root.partition("/")[0] if place.kind in WHOLE else place.root  # a bucket's folders are but names
        if not found and not place.fs.exists(holder):
            raise UnreadableInputError(f"{url}: there is no such bucket or folder")
    except (FileNotFoundError, PermissionError) as error:
        raise UnreadableInputError(f"{url}: {type(error).__name__}") from error
    except UnreadableInputError:
        raise
    except Exception as error:  # each kind of store has errors of its own, which may quote what was sent
        raise UnreadableInputError(f"{url}: cannot be listed ({type(error).__name__})") from error
    for path, info in sorted(found.items()):
        if info.get("type", "file") == "file":
            yield f"{place.kind}://{place.fs._strip_protocol(path)}", int(info["size"]), version(info)


def version(info: Mapping[str, Any]) -> int:
    """When a file was written, in nanoseconds; below a second stands what tells its version from others."""
    told = next((info[name] for name in _WRITTEN if info.get(name)), 0)
    if isinstance(told, str):
        told = datetime.fromisoformat(told)
    seconds = told.timestamp() if isinstance(told, datetime) else float(told)
    mark = next((str(info[name]) for name in _MARKS if info.get(name)), "")
    if not mark:
        return round(seconds * SECOND)
    digest = hashlib.blake2b(mark.encode(), digest_size=8).digest()
    return int(seconds) * SECOND + int.from_bytes(digest, "big") % SECOND


@cache
def _place(kind: str, bucket: str, endpoint: str) -> Place:
    return open_place(f"{kind}://{bucket}", endpoint)


class Remote:
    """A remote file, read in parts; when it is closed it must be as the scan saw it. Raises RemoteError."""

    __slots__ = ("fs", "path", "seen")

    def __init__(self, url: str, endpoint: str, seen: tuple[int, int]) -> None:
        kind, _, rest = url.partition("://")
        self.fs = _place(kind, rest.partition("/")[0], endpoint).fs
        self.path = self.fs._strip_protocol(url)
        self.seen = seen

    def part(self, at: int, n_bytes: int) -> bytes:
        """The bytes from `at`; fewer where the file ends."""
        if n_bytes <= 0 or at >= self.seen[0]:
            return b""
        with _told():
            return bytes(self.fs.cat_file(self.path, start=at, end=min(at + n_bytes, self.seen[0])))

    def check(self) -> None:
        """Is it as it was seen?"""
        with _told():
            info = self.fs.info(self.path)
        if (int(info["size"]), version(info)) != self.seen:
            raise RemoteError("changing")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise RemoteError("vanished") from error
    except Exception as error:
        raise RemoteError("read_error") from error
