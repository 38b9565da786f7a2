"""The manifest of a lake of raw rows: which raw store it is of, and which file holds which batches of which record."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from etl.spark.files import Part

#: Of this form; another is as good as none.
FORMAT = 1
#: Names of files of a lake: record, first and last batch, and the first digits of the SHA-256 of the file.
FILE = re.compile(r"raw/[a-z_]+/\d+-\d+-[0-9a-f]{16}\.parquet")


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows of one record type from batch `first` to batch `last`, in one file; no other has any of these."""

    record: str
    first: int
    last: int
    part: Part

    def meets(self, first: int | None, last: int | None) -> bool:
        """Whether it may hold rows of the batches from `first` to `last`; None where there are none."""
        return first is not None and last is not None and self.first <= last and self.last >= first


@dataclass(frozen=True, slots=True)
class Ledger:
    """What tells a raw store from others, as SHA-256: its first batch (`home`), its columns for Spark, and its
    `batches` up to the batch `upto`."""

    home: str
    columns: str
    upto: int
    batches: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A manifest."""

    ledger: Ledger
    stretches: tuple[Stretch, ...]

    def to_bytes(self) -> bytes:
        """As it is kept: JSON."""
        told = [[s.record, s.first, s.last, *s.part] for s in self.stretches]
        return json.dumps({"format": FORMAT, **asdict(self.ledger), "stretches": told}).encode("ascii")


def read_manifest(data: bytes | None) -> Kept | None:
    """The manifest that bytes hold; None where they hold none that this radops knows."""
    try:
        told = json.loads(data or b"")
        if told.pop("format") != FORMAT:
            return None
        return Kept(stretches=tuple(_stretch(*row) for row in told.pop("stretches")), ledger=Ledger(**told))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _stretch(record: str, first: int, last: int, name: str, *numbers: int) -> Stretch:
    if not FILE.fullmatch(name):
        raise ValueError(name)
    return Stretch(str(record), int(first), int(last), Part(name, *map(int, numbers)))
