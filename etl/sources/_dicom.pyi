"""The compiled twin; its C files say what each function gives. A string instead of a result is a reason of refusal."""

from collections.abc import Callable
from typing import Any

LIMITS: tuple[int, int, int, int]
VERSION: int

def plan(levels: list[list[tuple[int, int]]], frames: tuple[int, int, int, int] = ..., /) -> object: ...
def top(
    data: bytes, size: int, at: int, is_explicit: bool, is_big: bool, plan: object, stop: int, /
) -> tuple[dict[int, Any], int, int] | str: ...
def rest(
    data: bytes,
    size: int,
    at: int,
    is_explicit: bool,
    is_big: bool,
    fetch: Callable[[int, int], bytes] | None = ...,
    /,
) -> int | str: ...
def template(
    head: bytes, at: int, is_explicit: bool, is_big: bool, meta: object, wanted: object, again: object, /
) -> object: ...
def match(
    data: bytes, size: int, template: object, fetch: Callable[[int, int], bytes] | None, /
) -> tuple[dict[int, bytes], int] | None: ...
def slice(
    values: list[Any],
    envelope: list[Any],
    dataset: dict[int, Any],
    sop_hash: str,
    hours: dict[str, Any],
    codec: int,
    is_big: bool,
    exposure: object,
    plan: tuple[Any, ...],
    /,
) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None: ...
def moment(day: bytes, clock: bytes | None, hours: dict[str, Any], stamp_type: type[Any], /) -> Any: ...
def instants(dataset: dict[int, Any], pairs: tuple[tuple[int, int], ...], hours: dict[str, Any], /) -> list[Any]: ...
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
