"""One change of the department, so that its truth can be run again with the change made and a prediction be checked."""

from __future__ import annotations

from dataclasses import dataclass

from sample_data.network import Network, Room, Shift
from sample_data.story import Staff

EVERY_DAY = frozenset(range(1, 8))


@dataclass(frozen=True, slots=True)
class ExtraReader:
    """One more radiologist on the wall clock of NORTH, who reads what the shift `like` reads, at its pace."""

    like: str
    starts_min: int
    ends_min: int
    weekdays: frozenset[int] = EVERY_DAY

    def shift(self, network: Network) -> tuple[Staff, Shift]:
        """The radiologist and the hours, named as the shift that they are like."""
        pause = network.shifts[self.like].pause_min
        return (
            Staff("R199", "Extra", "Reader", "radiologist", "NORTH"),
            Shift(self.like, self.weekdays, self.starts_min, self.ends_min, pause, 1),
        )


@dataclass(frozen=True, slots=True)
class ExtraDevice:
    """A second device beside one, at some hours of its facility's wall clock."""

    device: str
    opens_min: int
    closes_min: int
    weekdays: frozenset[int] = EVERY_DAY

    def is_open(self, weekday: int, minute: int) -> bool:
        """Whether it takes patients at a wall clock."""
        return weekday in self.weekdays and self.opens_min <= minute < self.closes_min


@dataclass(frozen=True, slots=True)
class Sent:
    """The patients of one device are examined on another."""

    device: str
    to: str

    def room(self, network: Network, room: Room) -> Room:
        """Where a patient of a room is examined."""
        return network.rooms[self.to] if room.device.id == self.device else room


Alteration = ExtraReader | ExtraDevice | Sent
