"""What `_rows.c` makes."""

from typing import Any

VERSION: int

def add(rows: list[tuple[Any, ...]], columns: tuple[str, ...], position: int, row: dict[str, Any], /) -> bool: ...
def put(rows: list[tuple[Any, ...]], position: int, values: list[Any], /) -> None: ...
def columns(
    chunks: list[tuple[str, list[tuple[Any, ...]]]], names: tuple[str, ...], kinds: str, /
) -> tuple[object, object]: ...
