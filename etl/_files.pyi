"""What `_files.c` makes. A string instead of a result is a reason of `etl.inbox.UnsafeFileError`."""

from collections.abc import Callable
from typing import TypeVar

Given = TypeVar("Given")
Answer = TypeVar("Answer")
VERSION: int

def open(path: str, /) -> int | str: ...
def begin(
    path: str,
    n: int,
    size: int,
    modified_ns: int,
    work: Callable[[bytes, int, Given, Callable[[int, int], bytes]], Answer | None],
    given: Given,
    /,
) -> tuple[Answer | int, bytes] | str: ...
def read(handle: int, n: int, at: int, /) -> bytes: ...
def close(handle: int, size: int, modified_ns: int, /) -> bool: ...
