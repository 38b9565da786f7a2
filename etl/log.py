"""The log: one line a stage, to the terminal and as JSON to HOME/log/radops.log. No patient value."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

MAX_BYTES = 10 * 1024 * 1024  # the log is turned over beyond this, one old file is kept


@dataclass(frozen=True)
class Log:
    """Writes stages. `as_json` makes the terminal's lines JSON too; the file's always are."""

    folder: Path
    as_json: bool = False
    is_quiet: bool = False

    def stage(self, name: str, **facts: Any) -> None:
        """One line: what was done and its numbers."""
        path = self.folder / "radops.log"
        if path.exists() and path.stat().st_size > MAX_BYTES:
            path.replace(self.folder / "radops.log.1")
        with path.open("a", encoding="ascii") as file:
            _logger(file, structlog.processors.JSONRenderer(default=str)).info(name, **facts)
        if not self.is_quiet:
            renderer = structlog.processors.JSONRenderer(default=str) if self.as_json else _render
            _logger(sys.stderr, renderer).info(name, **facts)


def _logger(file: Any, renderer: Any) -> Any:
    return structlog.wrap_logger(
        structlog.WriteLogger(file),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"), renderer],
    )


def _render(_logger: Any, _method: str, facts: dict[str, Any]) -> str:
    name = facts.pop("event")
    facts.pop("at")
    return f"{name}: " + ", ".join(f"{key.replace('_', ' ')} {plain(value)}" for key, value in facts.items())


def plain(value: Any) -> str:
    """A value in words for a terminal line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, dict):
        return "; ".join(f"{k} {plain(v)}" for k, v in value.items()) or "none"
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    return str(value)
