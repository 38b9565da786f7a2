"""The sieve of a run: bits that tell of most numbers that the run does not have them.

It has a bit for each way in which a number can begin, of eight to sixteen times as many as there are numbers, set where
one does. Numbers are hashes, so a tenth of those that are not there pass. Who asks in order looks at it in order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
Octets = npt.NDArray[np.uint8]
#: Bits for each number, at least.
_EACH = 8


def n_octets(n: int) -> int:
    """Octets of the sieve of `n` numbers."""
    return 1 << (_n_begin(n) - 3)


def _n_begin(n: int) -> int:
    return max(_EACH * n - 1, 7).bit_length()


def _bits(numbers: Numbers, n: int) -> tuple[npt.NDArray[np.int64], Octets]:
    """Of each of `numbers` the octet that tells of it, and the bit in it."""
    begins = (numbers >> np.uint64(64 - _n_begin(n))).astype(np.int64)
    return begins >> 3, np.left_shift(1, begins & 7, dtype=np.uint8, casting="unsafe")


def passed(octets: Octets, numbers: Numbers, n: int) -> npt.NDArray[np.bool_]:
    """Which of `numbers` the sieve of `n` others lets through."""
    at, bit = _bits(numbers, n)
    return np.asarray(octets[at] & bit, np.bool_)


class Sieving:
    """The octets of the sieve of `n` numbers, made as these come in order."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._n_made, self._last = 0, np.uint8(0)

    def upto(self, numbers: Numbers) -> bytes:
        """The next octets, before the one that tells of the last of `numbers`."""
        if not len(numbers):
            return b""
        at, bit = _bits(numbers, self.n)
        firsts = np.flatnonzero(np.diff(at, prepend=-1))
        made = self._begun(int(at[-1]) + 1)
        made[at[firsts] - self._n_made] |= np.bitwise_or.reduceat(bit, firsts)
        self._n_made, self._last = int(at[-1]), made[-1]
        return made[:-1].tobytes()

    def rest(self) -> bytes:
        """The last octets, behind all numbers."""
        return self._begun(n_octets(self.n)).tobytes()

    def _begun(self, upto: int) -> Octets:
        octets = np.zeros(upto - self._n_made, np.uint8)
        octets[0] = self._last
        return octets
