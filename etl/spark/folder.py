"""The folder of a run of Spark, on a disk that all hosts see or at any place of fsspec; what executors may tell."""

from __future__ import annotations

import gc
import hmac
import os
import re
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zipimport import zipimporter

from etl.errors import ClusterError, StoreError
from etl.faults import place as place_of
from etl.home import Home
from etl.inbox import named
from etl.pseudonym import load_key
from etl.store.place import Place, open_place


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a run. `here` is this machine's, for its owner's eyes only; `url` is that of a place elsewhere,
    empty where all hosts see `here`. It is sent to executors as it is."""

    here: Path
    url: str = ""
    endpoint: str = ""

    @property
    def place(self) -> Place:
        """The place elsewhere."""
        return _opened(self.url, self.endpoint)

    def below(self, name: str) -> Folder:
        """A folder in this one, made where that is needed."""
        (self.here / name).mkdir(mode=0o700)
        return Folder(self.here / name, self.url and f"{self.url}/{name}", self.endpoint)

    def put(self, name: str, data: memoryview) -> None:
        """Write a file under a name that is new."""
        if self.url:
            self.place.write(name, bytes(data))
            return
        with os.fdopen(os.open(self.here / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)

    def get(self, name: str) -> bytes:
        """All bytes of a file. Raises ClusterError where it is not there."""
        with suppress(FileNotFoundError):
            data = self.place.read(name) if self.url else (self.here / name).read_bytes()
            if data is not None:
                return data
        raise ClusterError(f"{name} is not there: do all hosts see the same {self.url or self.here}?")

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is removed already."""
        if self.url:
            self.place.remove(name)
        else:
            (self.here / name).unlink(missing_ok=True)


@cache
def _opened(url: str, endpoint: str) -> Place:
    return open_place(url, endpoint)


@contextmanager
def folder_of(home: Home, stage: str) -> Iterator[Folder]:
    """The folder of this run; what earlier runs of this home left is removed. Needs the writer's lock.

    Raises SettingsError, StoreError where it cannot be.
    """
    choices = home.settings
    shared = named(choices.spark_folder) if choices.spark_folder else home.root / "spark"
    own = hmac.digest(load_key(home.key_file), b"folder\x1f" + os.fsencode(home.root), "sha256").hex()[:12]
    start, name = f"{stage}-{own}-", uuid.uuid4().hex
    local = (shared if isinstance(shared, Path) else home.root / "spark").absolute()
    local.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in local.glob(f"{start}*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Folder(local / f"{start}{name}")
    place = None
    if not isinstance(shared, Path):
        place = open_place(shared, choices.s3_endpoint)
        for entry in place.entries():
            if entry.startswith(start):
                place.clear(entry)
        place.write(f"{start}{name}/begun", b"")  # a place that cannot be written to is told here
        folder = Folder(folder.here, place.url_of(f"{start}{name}"), choices.s3_endpoint)
    folder.here.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder.here, ignore_errors=True)
        if place is not None:
            with suppress(StoreError):  # the next run does it
                place.clear(f"{start}{name}")


@contextmanager
def quiet() -> Iterator[None]:
    """Errors on executors by their kind and place alone, since Spark writes their text to its logs."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - its text may quote a value
        raise RuntimeError(f"radops: {place_of(error)}") from None
    finally:
        forget_archives()
        keep_loaded(len(sys.modules))


def forget_archives() -> None:
    """Let Python open archives anew when it imports from them again.

    Spark has it read the directory of each that it holds before each task: of its own, held once a package, for 150 ms.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]


@cache
def keep_loaded(n_modules: int) -> None:
    """Look for garbage in what so many modules hold once, and not again.

    Spark has Python look through all that it holds after each task, and most of that is held for good.
    """
    gc.collect()
    gc.freeze()


def said(error: Exception) -> str:
    """What `quiet` and tasks said of an error that Spark passes on; empty where it is none of theirs."""
    own = re.findall(r"radops: (\w+ at [\w/.:; ]+)", str(error))
    return own[-1].strip() if own else ""
