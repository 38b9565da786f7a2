"""Attributes that Dash's components take only as wildcards."""

from __future__ import annotations

from typing import Any


def aria(label: str, **more: str) -> dict[str, Any]:
    """The name of an element for a screen reader, and more that it is told."""
    return {"aria-label": label, **{f"aria-{name}": value for name, value in more.items()}}


def silent() -> dict[str, Any]:
    """Keep an element from a screen reader."""
    return {"aria-hidden": "true"}


def data(name: str, value: str) -> dict[str, Any]:
    """A value that the browser's scripts and tests find an element by."""
    return {f"data-{name}": value}
