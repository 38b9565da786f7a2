"""The network's patients: person number `n` is a pure function of seed and number, so nobody is stored."""

from __future__ import annotations

from collections import deque
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from sample_data.network import Network, table
from sample_data.story import Person

YOUNGEST, OLDEST = date(2024, 6, 1), date(1932, 1, 1)
RETURNING = 0.30  # share of orders for somebody seen recently
MEMORY = 3000  # recent patients that may come back by chance


@lru_cache(maxsize=1)
def _names() -> tuple[list[str], dict[str, list[str]]]:
    rows = table("names")
    return [r["family"] for r in rows], {"F": [r["given_f"] for r in rows], "M": [r["given_m"] for r in rows]}


class Population:
    """Makes people and remembers the last few who came."""

    def __init__(self, network: Network, seed: int) -> None:
        self.facilities = [(f.id, f.prefix) for f in network.facilities.values()]
        self.seed = seed
        self.count = 0
        self.recent: deque[tuple[Person, str]] = deque(maxlen=MEMORY)

    def person(self, number: int) -> Person:
        """Person `number`, with a record number at every facility and one of the network."""
        rng = Random(self.seed * 1_000_003 + number)  # noqa: S311 - a simulation
        family, given = _names()
        sex = "F" if rng.random() < 0.53 else "M"
        age_days = (YOUNGEST - OLDEST).days
        born = OLDEST + timedelta(days=int(rng.betavariate(1.3, 1.6) * age_days))
        return Person(
            f"P{number:07d}",
            rng.choice(family),
            rng.choice(given[sex]),
            born,
            sex,
            f"N{70000000 + number}",
            {facility: f"{prefix}{1000000 + number * 7 % 9000000:07d}" for facility, prefix in self.facilities},
        )

    def newcomer(self) -> Person:
        """Somebody who was never here."""
        self.count += 1
        return self.person(self.count)

    def somebody(self, rng: Random, facility: str, *, sex: str = "") -> Person:
        """A recent patient of the facility or a newcomer, of the wanted sex."""
        if self.recent and rng.random() < RETURNING:
            for _ in range(8):
                person, seen_at = self.recent[rng.randrange(len(self.recent))]
                if seen_at == facility and sex in ("", person.sex):
                    return person
        person = self.newcomer()
        while sex not in ("", person.sex):
            person = self.newcomer()
        self.recent.append((person, facility))
        return person
