"""The clock of a run: simpy's whole seconds since the start, and UTC instants without tzinfo."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import simpy


@dataclass(slots=True)
class Clockwork:
    """A simpy environment that starts at `start` (UTC) and stops at `horizon`."""

    start: datetime
    horizon: datetime
    env: simpy.Environment = field(default_factory=simpy.Environment)

    def at(self, seconds: float) -> datetime:
        """Instant of a simulated second."""
        return self.start + timedelta(seconds=int(seconds))

    def seconds(self, at: datetime) -> int:
        """Simulated second of an instant."""
        return int((at - self.start).total_seconds())

    def now(self) -> datetime:
        """The present of the run."""
        return self.at(self.env.now)
