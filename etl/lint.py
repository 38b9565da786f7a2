"""What `lint` finds, in any standard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from the standard in message, object or resource `position`.

    `field` is an address such as PID-3, 0008,0050 or status; `chapter` says where the standard has the `rule`.
    """

    position: int
    severity: Severity
    field: str
    rule: str
    chapter: str
