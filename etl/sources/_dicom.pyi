"""The compiled twin; its C files say what each function gives. A string instead of a result is a reason of refusal."""

from collections.abc import Callable
from typing import Any

LIMITS: tuple[int, int, int, int]
VERSION: int

def plan(levels: list[list[tuple[int, int]]], /) -> object: ...
def top(
    data: bytes, size: int, at: int, is_explicit: bool, is_big: bool, plan: object, stop: int, /
) -> tuple[dict[int, Any], int, int] | str: ...
def rest(data: bytes, size: int, at: int, is_explicit: bool, is_big: bool, /) -> int | str: ...
def table(rows: list[tuple[tuple[str, ...], int, tuple[int, ...], int, object]], /) -> object: ...
def fields(
    table: object,
    header: object,
    dataset: dict[int, Any],
    codec: int,
    is_big: bool,
    slow: Callable[[Any, Any, Any], Any],
    /,
) -> dict[str, Any]: ...
