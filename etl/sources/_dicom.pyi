"""The compiled twin; its C files say what each function gives. A string instead of a result is a reason of refusal."""

from collections.abc import Callable, Container
from typing import Any

LIMITS: tuple[int, int, int, int]
VERSION: int

def plan(levels: list[list[tuple[int, int]]], /) -> object: ...
def top(
    data: bytes, size: int, at: int, is_explicit: bool, is_big: bool, plan: object, stop: int, /
) -> tuple[dict[int, Any], int, int] | str: ...
def rest(data: bytes, size: int, at: int, is_explicit: bool, is_big: bool, /) -> int | str: ...
def differing(
    data: bytes, at: int, other: bytes, there: int, is_explicit: bool, is_big: bool, stop: int, kept: Container[int], /
) -> tuple[list[tuple[int, int, int, int]], int, int] | None: ...
def follow(
    data: bytes, steps: tuple[tuple[bytes, int, bool, int | None], ...], last: bytes, at: int, /
) -> tuple[dict[int, bytes], int] | None: ...
def moment(day: bytes, clock: bytes | None, hours: dict[str, Any], stamp_type: type[Any], /) -> Any: ...
def instants(dataset: dict[int, Any], pairs: tuple[tuple[int, int], ...], hours: dict[str, Any], /) -> list[Any]: ...
def outer(
    frames: list[Any], content: int, started: int, duration: int, /
) -> tuple[bytes, dict[bytes | None, bytes]] | None: ...
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
