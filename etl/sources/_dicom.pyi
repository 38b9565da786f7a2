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
def making(
    rung: str,
    hashed: Callable[[str], str],
    numbers: tuple[int, ...],
    places: tuple[int, ...],
    told_at: int,
    exposed: tuple[tuple[int, int, bool], ...],
    /,
) -> object: ...
def template(
    head: bytes,
    at: int,
    is_explicit: bool,
    is_big: bool,
    meta: object,
    wanted: object,
    again: object,
    rows: tuple[object, tuple[Any, ...], tuple[Any, ...], dict[str, Any]] | None,
    /,
) -> object: ...
def match(
    data: bytes, size: int, templates: list[object], fetch: Callable[[int, int], bytes] | None, /
) -> tuple[int, int, dict[int, bytes]] | tuple[int, int, list[tuple[Any, ...]], list[tuple[Any, ...]]] | None: ...
def moment(day: bytes, clock: bytes | None, hours: dict[str, Any], stamp_type: type[Any], /) -> Any: ...
def instants(
    dataset: dict[int, Any], pairs: tuple[tuple[int, int], ...], hours: dict[str, Any], /
) -> list[Any] | None: ...
def table(rows: list[tuple[tuple[str, ...], int, tuple[int, ...], int, object, tuple[int, ...]]], /) -> object: ...
def fields(
    table: object,
    header: object,
    dataset: dict[int, Any],
    codec: int,
    is_big: bool,
    slow: Callable[[Any, Any, Any], Any],
    found: dict[str, Any],
    /,
) -> None: ...
def texts(dataset: dict[int, Any], tags: tuple[int, ...], codec: int, /) -> list[str] | None: ...
