"""Users of the dashboard over HTTP: what they ask, when, and what they saw."""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb

from etl.publish import POINTER

PAGES = ("", "", "", "turnaround", "turnaround", "utilization", "repeats", "workload", "interoperability", "metric",
         "definitions")  # fmt: skip
BROWSER = {"Accept-Encoding": "gzip, deflate, br", "Host": "127.0.0.1"}


@dataclass(frozen=True)
class Users:
    """Those who ask at a port: for which facilities and modalities, and between what they think (seconds)."""

    port: int
    facilities: list[str]
    modalities: list[str]
    thinks: tuple[float, float] = (5, 10)

    @classmethod
    def of(cls, port: int, published: Path) -> Users:
        """Users of a folder of snapshots."""
        with duckdb.connect(str(published / POINTER), read_only=True) as con:
            found = [
                [str(value) for (value,) in con.execute(
                    f"SELECT {name} FROM fct_exam WHERE is_countable AND {name} IS NOT NULL GROUP BY 1 ORDER BY 1"
                ).fetchall()]
                for name in ("facility", "modality")
            ]  # fmt: skip
        return cls(port, *found)

    def view(self, chance: random.Random) -> str:
        """Address of a view: two in three default, a fifth filtered, the rest lists of exams."""
        kind = chance.random()
        if kind < 0.66:
            return f"/view/{chance.choice(PAGES)}?_scheme=light&"
        where = f"facility={chance.choice(self.facilities)}"
        where += f"&modality={chance.choice(self.modalities)}" * chance.randint(0, 1)
        page = chance.choice(PAGES[:-1]) if kind < 0.86 else "exams"
        return f"/view/{page}?_scheme=light&{where}"


@dataclass
class Told:
    """What users saw: seconds and statuses of views, of looks for a new snapshot, and how many were told to wait."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    looks: Counter[int] = field(default_factory=Counter)
    retried: int = 0
    sent: list[int] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """In milliseconds; of answers only, the refused are counted beside."""
        cuts = statistics.quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        return {
            "n_views": sum(self.statuses.values()), "p50_ms": cuts[49] * 1e3, "p95_ms": cuts[94] * 1e3,
            "p99_ms": cuts[98] * 1e3, "statuses": {str(key): n for key, n in sorted(self.statuses.items())},
            "looks": {str(key): n for key, n in sorted(self.looks.items())},
            "n_told_when": self.retried, "mean_view_bytes": round(statistics.fmean(self.sent or [0])),
        }  # fmt: skip


def get(line: HTTPConnection, path: str) -> tuple[int, bytes, str | None]:
    """Status, body, and after how many seconds to come again; raises as the connection does, the second time."""
    try:
        line.request("GET", path, headers=BROWSER)
        answer = line.getresponse()
    except (HTTPException, OSError):  # the server closed a connection that was idle: once more on a new one
        line.close()
        line.request("GET", path, headers=BROWSER)
        answer = line.getresponse()
    return answer.status, answer.read(), answer.headers.get("Retry-After")


def _tried(line: HTTPConnection, path: str) -> tuple[int, bytes, str | None]:
    """As `get`; status 0 where there is no answer."""
    try:
        return get(line, path)
    except (HTTPException, OSError):  # told as status 0 in the result
        line.close()
        return 0, b"", None


def user(users: Users, number: int, until: float, told: Told) -> None:
    """One user until a time; who does not think asks for something else each time."""
    chance, thinks = random.Random(number), users.thinks  # noqa: S311 - the same users each time
    line = HTTPConnection("127.0.0.1", users.port, timeout=60)
    looked = time.monotonic()
    time.sleep(chance.uniform(0, thinks[1]))
    while (begun := time.monotonic()) < until:
        path = users.view(chance)
        if not thinks[1]:
            path += f"&since=2026-{chance.randint(1, 9):02d}-{chance.randint(1, 28):02d}&until=2026-12-31"
        status, body, again = _tried(line, path)
        told.statuses[status] += 1
        told.retried += again is not None
        if status == 200:
            told.seconds.append(time.monotonic() - begun)
            told.sent.append(len(body))
        time.sleep(chance.uniform(*thinks) if thinks[1] else 0.1)
        if time.monotonic() - looked > 20 and thinks[1]:
            told.looks[_tried(line, "/snapshot")[0]] += 1
            looked = time.monotonic()
    line.close()


def crowd(users: Users, number: int, seconds: float) -> Told:
    """What so many users saw together."""
    told, until = Told(), time.monotonic() + seconds
    threads = [Thread(target=user, args=(users, n, until, told)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told
