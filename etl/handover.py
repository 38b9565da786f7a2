"""Results of parser processes on their way to the writer: megabytes each, read into room of their size.

What `multiprocessing` reads it gathers in pieces, and copies them twice more.
"""

from __future__ import annotations

import os
import pickle
from multiprocessing.connection import Connection
from typing import Any

#: Octets of the length that goes before a value.
_LENGTH = 8


def hand_over(connection: Connection, value: Any) -> None:
    """Write a value for `taken` on the other side. Raises OSError where nobody reads any more."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    for part in (len(data).to_bytes(_LENGTH, "little"), data):
        left = memoryview(part)
        while left:
            left = left[os.write(connection.fileno(), left) :]


def taken(connection: Connection) -> Any:
    """The next value. Raises EOFError or OSError where the other side ended before it was whole."""
    return pickle.loads(_read(connection, int.from_bytes(_read(connection, _LENGTH), "little")))  # noqa: S301 - our own


def _read(connection: Connection, size: int) -> bytearray:
    room = bytearray(size)
    left = memoryview(room)
    while left:
        n = os.readv(connection.fileno(), [left])
        if not n:
            raise EOFError
        left = left[n:]
    return room
