"""A place of files, local or not: every write appears whole, and every failure is told without a secret."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from etl.durable import sync
from etl.errors import SettingsError, StoreError

#: Kinds of stores whose writes are whole by themselves: an object is there once all of it is.
WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"})
#: Seconds that a connection may take, and those without a byte.
CONNECT_SECONDS, READ_SECONDS = 10, 60
#: What an S3 service answers where another is there by now.
_CONDITION_FAILED = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
#: How names of files begin and end that are being written.
_BEGUN = re.compile(r"\..*\.part\d*")


class Seen(NamedTuple):
    """What was read under a name (None: nothing), and the mark by which the store knows it, where it has marks."""

    data: bytes | None
    mark: str = ""


@dataclass(frozen=True)
class Place:
    """A folder of a file system (`fs`, of fsspec). Names are relative to it, with `/` between their parts.

    Methods raise StoreError for whatever keeps a store from answering, naming the place and the kind of failure only.
    """

    url: str
    fs: Any
    root: str
    kind: str

    def path(self, name: str) -> str:
        """The path of a name in `fs`."""
        return f"{self.root.rstrip('/')}/{name}"

    def url_of(self, name: str) -> str:
        """The address of a name, for another engine."""
        return f"{self.url.rstrip('/')}/{name}"

    def below(self, name: str) -> Place:
        """The folder of that name in this one."""
        return Place(self.url_of(name), self.fs, self.path(name), self.kind)

    def read(self, name: str) -> bytes | None:
        """All bytes of a file; None where there is none."""
        with _told(self.url):
            try:
                return bytes(self.fs.cat_file(self.path(name)))
            except FileNotFoundError:
                return None

    def seen(self, name: str) -> Seen:
        """What is under a name now, for `swap`."""
        mark = ""
        if self.kind in ("s3", "s3a"):
            with _told(self.url), suppress(FileNotFoundError):  # the mark first: what comes between makes `swap` refuse
                mark = str(self.fs.info(self.path(name), refresh=True)["ETag"])
        return Seen(self.read(name), mark)

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """A file to read. Raises FileNotFoundError."""
        with _told(self.url):
            file = self.fs.open(self.path(name), "rb")
        with file:
            yield file

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        with _told(self.url):
            try:
                return int(self.fs.info(self.path(name))["size"])
            except FileNotFoundError:
                return None

    def get(self, name: str, target: Path) -> None:
        """Copy a file to this machine; whoever asks proves and syncs it. Raises FileNotFoundError."""
        with _told(self.url):
            self.fs.get_file(self.path(name), str(target))

    def names(self, prefix: str = "") -> list[str]:
        """Names of the files below a prefix that ends in `/` (or of all), in order, without those being written."""
        with _told(self.url):
            try:
                found = self.fs.find(self.path(prefix).rstrip("/"))
            except FileNotFoundError:
                return []
        start = len(self.path(""))
        return sorted(path[start:] for path in found if not _BEGUN.fullmatch(path.rpartition("/")[2]))

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of the files below a prefix that ends in `/`, by their names."""
        with _told(self.url):
            try:
                found = self.fs.find(self.path(prefix).rstrip("/"), detail=True)
            except FileNotFoundError:
                return {}
        start = len(self.path(""))
        return {path[start:]: int(info["size"]) for path, info in sorted(found.items())}

    def entries(self) -> list[str]:
        """Names of the files and folders right in it, in order."""
        with _told(self.url):
            try:
                found = self.fs.ls(self.root, detail=False)
            except FileNotFoundError:
                return []
        return sorted({path.rstrip("/").rpartition("/")[2] for path in found})

    def clear(self, name: str) -> None:
        """Remove a folder in it with all that lies there; one that is not there is removed already."""
        if not name.strip("/."):
            raise ValueError("a place itself is not removed")
        with _told(self.url), suppress(FileNotFoundError):
            self.fs.rm(self.path(name), recursive=True)

    def put(self, name: str, source: Path) -> None:
        """Copy a file of this machine to a name: whole, in place of what was there."""
        with self._begun(name) as begun, _told(self.url, "write"):
            self.fs.put_file(str(source), begun)

    def write(self, name: str, data: bytes, *, is_new: bool = False) -> None:
        """Write bytes under a name. With `is_new`, raises FileExistsError where it is taken."""
        if is_new and self.kind in ("s3", "s3a", "memory"):
            with _told(self.url, "new"):
                self.fs.pipe_file(self.path(name), data, mode="create")
            return
        if is_new and self.size(name) is not None:
            raise FileExistsError(name)
        with self._begun(name) as begun, _told(self.url, "write"):
            self.fs.pipe_file(begun, data)

    def swap(self, name: str, data: bytes, seen: Seen) -> None:
        """Write in place of what was seen. Raises StoreError where another is there by now; a store that cannot write
        under a condition is asked just before."""
        try:
            if seen.data is None:
                self.write(name, data, is_new=True)
            elif seen.mark:
                with _told(self.url, "new"):
                    self.fs.pipe_file(self.path(name), data, IfMatch=seen.mark)
            elif self.read(name) == seen.data:
                self.write(name, data)
            else:
                raise FileExistsError(name)
        except FileExistsError as error:
            raise StoreError(f"{self.url}: another writer was faster") from error

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is removed already."""
        with _told(self.url), suppress(FileNotFoundError):
            self.fs.rm_file(self.path(name))

    def prune(self) -> None:
        """Remove empty folders right below this one, where the kind of place has folders of its own."""
        if self.kind in WHOLE:
            return
        with _told(self.url):
            found = [path for path in self.fs.ls(self.root, detail=False) if self.fs.isdir(path)]
        for path in found:
            with suppress(OSError):  # not empty, or written to just now
                self.fs.rmdir(path)

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """A file to write, on this machine first: it appears under its name when the block ends well, else not."""
        with tempfile.NamedTemporaryFile(prefix="radops-", suffix=".part") as file:
            yield file
            file.flush()
            self.put(name, Path(file.name))

    @contextmanager
    def _begun(self, name: str) -> Iterator[str]:
        """A path to write to; what is there in the end gets its name by one rename where writes are not whole."""
        path = self.path(name)
        if self.kind in WHOLE:
            yield path
            return
        folder, _, last = path.rpartition("/")
        begun = f"{folder}/.{last}.part{os.getpid()}"
        with _told(self.url, "write"):
            self.fs.makedirs(folder, exist_ok=True)
        try:
            yield begun
            with _told(self.url, "write"):
                self._rename(begun, path)
        except BaseException:
            with suppress(OSError):
                self.fs.rm_file(begun)
            raise

    def _rename(self, begun: str, path: str) -> None:
        if self.kind in ("file", "local"):
            sync(Path(begun))
            os.replace(begun, path)
            sync(Path(path).parent)
        else:
            self.fs.mv(begun, path)


def open_place(url: str, endpoint: str = "") -> Place:
    """The place of a URL or path; `endpoint` is the address of an S3 service other than Amazon's.

    Nothing is asked of it yet. Raises SettingsError for a URL that fsspec does not know or that holds a secret.
    """
    import fsspec  # noqa: PLC0415 - only who keeps files elsewhere needs it

    check_url(url)
    kind = url.partition("://")[0] if "://" in url else "file"
    options: dict[str, Any] = {}
    if kind in ("s3", "s3a"):
        options = {
            "use_listings_cache": False, "endpoint_url": endpoint or None,
            "config_kwargs": {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS},
        }  # fmt: skip
    try:
        fs, root = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        extra = "radops[s3]" if kind in ("s3", "s3a") else "the package that fsspec asks for"
        raise SettingsError(f"{kind}:// needs one more package: pip install {extra}") from error
    except ValueError as error:
        raise SettingsError(f"{kind}:// is no kind of place that fsspec knows") from error
    return Place(url, fs, root, kind)


def check_url(url: str) -> str:
    """The URL, which logs may tell. Raises SettingsError where it holds a user, a password or parameters."""
    rest = url.partition("://")[2] or url
    if "::" in url or ("://" in url and re.search(r"[@?#]", rest)) or not rest:
        raise SettingsError("a place is a path or kind://name/folder; users and secrets come from the environment")
    return url


@contextmanager
def _told(url: str, doing: Literal["read", "write", "new"] = "read") -> Iterator[None]:
    """Failures of any kind of store as StoreError; for who reads, a missing name stays what it is, for who writes what
    must be new, a taken one (FileExistsError)."""
    try:
        yield
    except StoreError:
        raise
    except FileNotFoundError as error:
        if doing == "read":
            raise
        raise StoreError(f"{url}: there is no such bucket or folder") from error
    except Exception as error:
        if doing == "new" and (isinstance(error, FileExistsError) or _code(error) in _CONDITION_FAILED):
            raise FileExistsError(url) from error
        raise StoreError(f"{url}: {_reason(error)}") from error


def _code(error: BaseException) -> str:
    """The code by which an S3 service says what went wrong."""
    answer = getattr(error, "response", None) or getattr(error.__cause__, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""


def _reason(error: Exception) -> str:
    """What went wrong, without the text of the error, which may quote what was sent."""
    number = getattr(error, "errno", None)
    told = _code(error) or (os.strerror(number) if isinstance(number, int) else "")
    return f"{type(error).__name__}, {told}" if told else type(error).__name__
