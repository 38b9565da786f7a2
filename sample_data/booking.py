"""The appointment book: free slots of each device by local day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

from sample_data.network import Network, Room, is_closed

#: A planted story: this scanner is booked too tightly on Mondays (slot length shrinks to that share).
OVERBOOKED = {("W-MR1", 1): 0.62}
LONGEST_SEARCH_DAYS = 20
RESERVE = 0.20  # share of the slots beyond the outpatients' usual part


class Book:
    """Slots taken so far; past days are forgotten."""

    def __init__(self, network: Network, rng: Random) -> None:
        self.network, self.rng = network, rng
        self.taken: dict[tuple[str, date], set[int]] = {}

    def slot(self, room: Room, earliest: datetime, closed: tuple[datetime, datetime] | None) -> datetime:
        """A free slot on the first day with room from `earliest` (UTC) on; the first day is overbooked if none has."""
        facility = room.device.facility
        first = self.network.local(facility, earliest)
        for ahead in range(LONGEST_SEARCH_DAYS):
            day = first + timedelta(days=ahead)
            found = self._free(room, day, earliest, closed)
            if found is not None:
                return found
        day = next(d for d in (first + timedelta(days=n) for n in range(1, 8)) if d.isoweekday() in room.weekdays)
        return self.network.utc(
            facility, day, room.opens_min + self.rng.random() * (room.closes_min - room.opens_min - 30)
        )

    def _free(
        self, room: Room, day: datetime, earliest: datetime, closed: tuple[datetime, datetime] | None
    ) -> datetime | None:
        if day.isoweekday() not in room.weekdays or is_closed(room.device.facility, day):
            return None
        length = self.length_min(room, day.isoweekday())
        count = int((room.closes_min - room.opens_min) / length)
        limit = count if room.mix["O"] == 1 else max(1, int(count * min(1.0, room.mix["O"] + RESERVE)))
        taken = self.taken.setdefault((room.device.id, day.date()), set())
        if len(taken) >= limit:
            return None
        free = [n for n in range(count) if n not in taken]
        number = free[int(self.rng.random() ** 1.4 * len(free))]  # early slots go first
        at = self.network.utc(room.device.facility, day, room.opens_min + number * length)
        if at < earliest or (closed and closed[0] <= at < closed[1]):
            return None
        taken.add(number)
        return at

    def length_min(self, room: Room, weekday: int) -> float:
        """Length of a slot, minutes."""
        return room.slot_min * OVERBOOKED.get((room.device.id, weekday), 1.0) / self.network.speed

    def forget(self, before: date) -> None:
        """Drop the pages of past days."""
        for key in [key for key in self.taken if key[1] < before]:
            del self.taken[key]
