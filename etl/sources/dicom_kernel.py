"""The compiled twin of the walk and of plain values where it was built; `compiled` is None where Python does all of it.

`built` is what there is. RADOPS_PURE_PYTHON=1 forces the twin in Python, and so does setting `compiled` to None.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from etl.sources.dicom_frames import FRAMES, fold
from etl.sources.dicom_walk import (
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_FRAGMENTS,
    MAX_VALUE,
    PIXELS,
    BrokenError,
    Dataset,
    Fetch,
    Walker,
    Wanted,
)

VERSION = 7


def _built() -> ModuleType | None:
    """The extension, unless there is none or one of another version."""
    try:
        from etl.sources import _dicom  # noqa: PLC0415 - it may be absent
    except ImportError:
        return None
    is_ours = (_dicom.VERSION, _dicom.LIMITS) == (VERSION, (MAX_DEPTH, MAX_ELEMENTS, MAX_VALUE, MAX_FRAGMENTS))
    return _dicom if is_ours else None


built = _built()
compiled: Any = None if os.environ.get("RADOPS_PURE_PYTHON") else built
_PLANS: dict[int, tuple[Wanted, object]] = {}


#: Has each element its VR? Is it big endian?
Encoding = tuple[bool, bool]


def top(
    data: bytes, size: int, at: int, encoding: Encoding, wanted: Wanted, stop: int = PIXELS
) -> tuple[Dataset, int, int]:
    """As `Walker.top`, with frames folded, of `size` octets whose first part is `data`. Raises BrokenError."""
    is_explicit, is_big = encoding
    if compiled is None:
        walked = Walker(data, explicit=is_explicit, big=is_big, size=size).top(at, wanted, stop)
        fold(walked[0])
        return walked
    found = compiled.top(data, size, at, is_explicit, is_big, plan_of(wanted), stop)
    if isinstance(found, str):
        raise BrokenError(found)
    told: tuple[Dataset, int, int] = found
    return told


def rest(data: bytes, size: int, at: int, encoding: Encoding, fetch: Fetch | None = None) -> int:
    """As `Walker.rest`; `fetch` reads the marks of fragments that lie behind `data`. Raises BrokenError."""
    is_explicit, is_big = encoding
    if compiled is not None:
        told = compiled.rest(data, size, at, is_explicit, is_big, fetch)
        if isinstance(told, str):
            raise BrokenError(told)
        last: int = told
        return last
    walker = Walker(data, explicit=is_explicit, big=is_big, size=size)
    walker.fetch = fetch
    return walker.rest(at)


def plan_of(wanted: Wanted) -> object:
    """`wanted` as the compiled twin takes it."""
    held = _PLANS.get(id(wanted))
    if held is None:  # few are ever asked for: of the data set, of file meta, of what is read again
        held = _PLANS[id(wanted)] = (wanted, compiled.plan(levels_of(wanted), FRAMES))
    return held[1]


def levels_of(wanted: Wanted) -> list[list[tuple[int, int]]]:
    """The tree as levels of (tag, number of the level within, -1 for a value); one that holds itself is one level."""
    levels: list[list[tuple[int, int]]] = []
    numbers: dict[int, int] = {}

    def number_of(level: Wanted) -> int:
        if id(level) not in numbers:
            numbers[id(level)] = len(levels)
            levels.append([])
            entries = ((tag, -1 if inner is None else number_of(inner)) for tag, inner in sorted(level.items()))
            levels[numbers[id(level)]].extend(entries)
        return numbers[id(level)]

    number_of(wanted)
    return levels
