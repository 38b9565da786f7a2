"""The manifest of a snapshot's marts as Parquet: which file holds each of them, and how that is proven."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from etl.store.manifest import FORMAT, is_file, parsed

#: Bytes of such a manifest at most: what is longer is none.
MAX_BYTES = 4 * 1024 * 1024
#: Its name in the folder of its snapshot.
FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class MartFile:
    """One mart: the name of its file at the place, its rows and their sum as in `meta_table`, its columns (name, type
    of DuckDB), and size (bytes) and SHA-256 of the file."""

    path: str
    n_rows: int
    digest: str
    columns: tuple[tuple[str, str], ...]
    size: int
    sha256: str

    def holds(self, n_rows: int, digest: str, columns: tuple[tuple[str, str], ...]) -> bool:
        """Whether it has these rows; when they were loaded may differ, as for any digest."""
        return (self.n_rows, self.digest, self.columns) == (n_rows, digest, columns)


@dataclass(frozen=True, slots=True)
class MartManifest:
    """The marts of one snapshot by name; `digest` is over all of them, times are ISO 8601 in UTC."""

    snapshot_id: str
    seq: int
    digest: str
    signature: str
    built_at: str
    data_through: str
    written_at: str
    marts: Mapping[str, MartFile]

    @property
    def name(self) -> str:
        """Name of this manifest."""
        return f"{self.snapshot_id}/{FILE}"

    def is_same(self, other: MartManifest) -> bool:
        """Whether both name the same files, whenever they were put."""
        return (self.snapshot_id, self.digest, self.marts) == (other.snapshot_id, other.digest, other.marts)

    def to_bytes(self) -> bytes:
        """As it is kept: JSON."""
        marts = {name: asdict(mart) for name, mart in self.marts.items()}
        told = {name: getattr(self, name) for name in self.__slots__} | {"marts": marts}
        return (json.dumps({"format": FORMAT, **told}, indent=1) + "\n").encode("ascii")


def read_mart_manifest(data: bytes, where: str) -> MartManifest:
    """The manifest that bytes hold. Raises StoreError where they hold none that this radops knows."""
    return parsed(data, where, _made, MAX_BYTES)


def _made(told: dict[str, Any]) -> MartManifest:
    marts = {str(name): _file(mart) for name, mart in told.pop("marts").items()}
    made = MartManifest(**told, marts=marts)
    texts = (made.digest, made.signature, made.built_at, made.data_through, made.written_at)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError
    return made


def _file(told: dict[str, Any]) -> MartFile:
    columns = tuple((str(name), str(kind)) for name, kind in told.pop("columns"))
    made = MartFile(**told, columns=columns)
    folder, _, name = made.path.partition("/")
    if not (is_file(made.size, made.sha256) and isinstance(made.n_rows, int) and isinstance(made.digest, str)):
        raise ValueError
    if not folder or not name.endswith(".parquet") or "/" in name or folder.startswith("."):
        raise ValueError
    return made
