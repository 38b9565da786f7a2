"""A folder of files that belong together: written aside, synced, then put in place; the manifest tells a whole pack."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from etl.durable import sync, write_synced
from etl.errors import UnreadableInputError
from etl.lock import writer_lock

MANIFEST = "manifest.json"
#: Inside a folder whose pack is being replaced: the new files, and every name that is old or new.
ASIDE, NAMES = ".radops.tmp", "names.json"


def put(folder: Path, files: Mapping[str, bytes], manifest: str) -> None:
    """Make `folder` hold these files and the manifest that lists them.

    A new folder appears by one rename. In one that exists, the old manifest goes first and the new one comes last, so a
    folder with a manifest is always whole; files of the old pack that the new one lacks are removed, all others stay.
    Raises UnreadableInputError where a name is taken by a file that no manifest lists.
    """
    if folder.exists() and not folder.is_dir():
        raise UnreadableInputError(f"{folder} is not a folder")
    ours = _listed(folder)
    foreign = sorted(name for name in (*files, MANIFEST) if (folder / name).exists() and name not in ours)
    if foreign:
        raise UnreadableInputError(
            f"{folder} holds files of another origin: {', '.join(foreign)}; choose another --out"
        )
    aside = folder / ASIDE if folder.exists() else folder.parent / f".{folder.name}.tmp"
    aside.mkdir(parents=True, exist_ok=True)
    with writer_lock(aside / "lock"):
        pack = aside / "pack"
        if pack.exists():  # of a killed export
            shutil.rmtree(pack)
        _write(pack, {**files, MANIFEST: manifest.encode("utf-8")})
        if folder.exists():
            _replace(folder, pack, [*files], ours)
        else:
            os.rename(pack, folder)
        sync(folder)
        shutil.rmtree(aside)
    sync(folder.parent)


def _listed(folder: Path) -> set[str]:
    """Names that an earlier pack, or a killed export of one, has put into the folder."""
    found: set[str] = set()
    for path in (folder / MANIFEST, folder / ASIDE / NAMES):
        try:
            names = [entry["name"] for entry in json.loads(path.read_text("utf-8"))["files"]]
            found |= {MANIFEST, *(name for name in names if Path(name).name == name)}
        except FileNotFoundError:
            continue
        except (ValueError, TypeError, KeyError, AttributeError):
            raise UnreadableInputError(f"{path} is not the manifest of a pack; choose another --out") from None
    return found


def _write(pack: Path, files: Mapping[str, bytes]) -> None:
    pack.mkdir()
    for name, data in files.items():
        write_synced(pack / name, data)
    sync(pack)


def _replace(folder: Path, pack: Path, names: list[str], ours: set[str]) -> None:
    gone = ours - {*names, MANIFEST}
    write_synced(pack / NAMES, json.dumps({"files": [{"name": name} for name in (*names, *gone)]}).encode())
    os.replace(pack / NAMES, folder / ASIDE / NAMES)
    (folder / MANIFEST).unlink(missing_ok=True)
    sync(folder)
    for name in names:
        os.replace(pack / name, folder / name)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    sync(folder)
    os.replace(pack / MANIFEST, folder / MANIFEST)
