"""Keys in the file of a run: of each that its sieve lets through the one page that can have it is read.

The page is found by the first keys of all pages.

To search all keys as memory looks at some twenty places for each, and every place that was not looked at before costs
a fault that gives the process sixteen pages and more: half a second of a night beside ten million exams.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from etl.run_file import HEAD, NO_ENTRIES, PAGE, Entries, Keys, Places, Run, Spots, first_keys, sieve
from etl.run_sieve import passed

#: Keys that are looked up at once: 2 MB of pages, so that the next ones are read to where these were.
_BLOCK = 1024


def look_up(path: Path, run: Run, asked: Keys) -> Entries:
    """Each of `asked`, which are sorted and distinct, with each place that a run tells of it."""
    if not run.n or not len(asked):
        return NO_ENTRIES
    asked = asked[passed(sieve(path, run), asked, run.n)]
    firsts = first_keys(path, run)
    with path.open("rb", buffering=0) as file:
        if sys.platform == "linux":
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        return joined([
            _looked_up(file.fileno(), run, firsts, asked[at : at + _BLOCK]) for at in range(0, len(asked), _BLOCK)
        ])  # fmt: skip


def _looked_up(file: int, run: Run, firsts: Keys, asked: Keys) -> Entries:
    # A key that is the first one of a page may be in those before it, and be the first one of several.
    begin = np.maximum(np.searchsorted(firsts, asked) - 1, 0)
    end = np.maximum(np.searchsorted(firsts, asked, "right"), 1)
    pages = distinct(_each(begin, end - begin))
    n_behind = len(firsts) * PAGE - run.n if pages[-1] == len(firsts) - 1 else 0
    keys = np.frombuffer(_read(file, HEAD, pages, PAGE * 8), np.uint64, len(pages) * PAGE - n_behind)
    told, spots = _spots(asked, keys)
    at = pages[spots // PAGE] * PAGE + spots % PAGE
    of_place = at // PAGE
    pages = distinct(of_place)
    octets = _read(file, run.at_places, pages, PAGE * 4)  # behind the last place octets of the sieve
    places = np.frombuffer(octets, np.uint32, len(octets) // 4)
    return told, places[np.searchsorted(pages, of_place) * PAGE + at % PAGE]


def _read(file: int, since: int, pages: Spots, size: int) -> bytes:
    """Pages of some octets that begin at `since`, one behind the other."""
    return b"".join([os.pread(file, size, at) for at in (since + pages * size).tolist()])


def found(asked: Keys, keys: Keys, places: Places) -> Entries:
    """Each of `asked` with each place that it has in the entries `keys` and `places`; `asked` and `keys` are sorted."""
    told, spots = _spots(asked, keys)
    return told, places[spots]


def _spots(asked: Keys, keys: Keys) -> tuple[Keys, Spots]:
    """Each of `asked` with each spot at which `keys` have it; both are sorted."""
    low = np.searchsorted(keys, asked)
    is_there = low < len(keys)
    is_there[is_there] = keys[low[is_there]] == asked[is_there]
    asked, low = asked[is_there], low[is_there]
    n = np.searchsorted(keys, asked, "right") - low
    return np.repeat(asked, n), _each(low, n)


def _each(starts: Spots, n: Spots) -> Spots:
    """`n` numbers from each start on."""
    return np.repeat(starts - np.cumsum(n) + n, n) + np.arange(n.sum())


def joined(parts: list[Entries]) -> Entries:
    """Entries one behind the other."""
    if not parts:
        return NO_ENTRIES
    return np.concatenate([keys for keys, _ in parts]), np.concatenate([places for _, places in parts])


def distinct(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The numbers in order, each once: `numpy.unique`, which hashes whole numbers and takes a hundred times as long."""
    ordered = np.sort(numbers)
    is_first = np.empty(len(ordered), np.bool_)
    is_first[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]
