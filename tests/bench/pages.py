"""Every page of the dashboard over three spans of days: what the first who asks waits for, and those after.

`first` is asked of an application that has just been made, so that no answer is kept; what the engine holds of the file
stays, and what the process learned of pages. `unlearned` is the first view of a page in this process. `again` gets the
answer as it was sent; `made_again` is another colour scheme, which is drawn from kept results. Statements are those
that reach the engine. `shown` is how long the page's metrics take asked one by one by the statements that are shown,
of 90 days. Scopes are all facilities and each of them alone, as its manager has it: one first view of each. Answers
that lie beside the snapshot are removed first; once they are put down (`app.beforehand`), scopes are asked again.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import duckdb

from app.beforehand import put_down
from app.pages import PAGES
from app.server import create_app
from app.state import exam_href
from sql.answer_files import beside
from sql.engine import SETTINGS
from sql.snapshot import POINTER, Snapshot, open_snapshot
from tests.bench import shown

#: Days of a view: the default ones, so many, and all.
SPANS = {"28d": None, "90d": 90, "all": 0}
#: Pages that show the same whatever the days.
DAYLESS = ("definitions", "exam")
#: The span of which the statements that are shown are asked beside.
SHOWN = "90d"
#: Spans of which every scope is asked, and facilities at most, of all sizes.
SCOPED, MOST_FACILITIES = ("90d", "all"), 100
#: Seconds after which a view is not asked again.
ENOUGH = 30.0
_HEADERS = {"Accept-Encoding": "br", "Host": "127.0.0.1"}


class Counted:
    """A connection whose statements are counted, those of its cursors too."""

    def __init__(self, connection: Any, seconds: list[float]) -> None:
        self._connection, self._seconds = connection, seconds

    def execute(self, *arguments: Any) -> Any:
        """As of the connection; how long it took is noted."""
        return self._timed(self._connection.execute, arguments)

    def _submit(self, *arguments: Any) -> Any:
        """As of the connection, by which a snapshot asks; how long it took is noted."""
        return self._timed(self._connection._submit, arguments)

    def _timed(self, ask: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        begun = time.perf_counter()
        try:
            return ask(*arguments)
        finally:
            self._seconds.append(time.perf_counter() - begun)

    def cursor(self) -> Counted:
        """A cursor that counts to the same sum."""
        return Counted(self._connection.cursor(), self._seconds)

    def __enter__(self) -> Counted:
        self._connection.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._connection.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def counting() -> Iterator[list[float]]:
    """Seconds of each statement of the snapshots that are opened meanwhile."""
    seconds: list[float] = []
    connect = duckdb.connect
    with patch("sql.snapshot.duckdb.connect", lambda *a, **k: Counted(connect(*a, **k), seconds)):
        yield seconds


def addresses(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    """Page -> (path, what its address says beside the days); of one exam, one that counts and has half of all behind
    it, as a list links to it."""
    middle = snapshot.execute(
        """SELECT exam_key, placed_local FROM fct_exam WHERE is_countable ORDER BY
           abs(epoch(placed_local) - (SELECT median(epoch(placed_local)) FROM fct_exam WHERE is_countable)), exam_key
           LIMIT 1"""
    )
    more = "".join(f"&{exam_href(*row).partition('?')[2]}" for row in middle.iter_rows())
    return {page.name: (page.path, more if page.name == "exam" else "") for page in PAGES}


def _days(snapshot: Snapshot, days: int | None) -> str:
    if days is None:
        return ""
    if not days:
        return "&period=all"
    until = snapshot.data_through.date() + timedelta(days=1)
    return f"&since={until - timedelta(days=days)}&until={until}&compare=previous"


def _get(client: Any, address: str) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor."""
    begun, cpu = time.perf_counter(), time.process_time()
    answer = client.get(address, headers=_HEADERS)
    took = (time.perf_counter() - begun) * 1e3, (time.process_time() - cpu) * 1e3
    if answer.status_code != 200:
        raise RuntimeError(f"a view was answered with {answer.status_code}")
    return took


def _settle() -> None:
    """Leave what is loaded out of collections, as a process of the server does; what is left of earlier ones first."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _asked(published: Path, address: str, rounds: int) -> dict[str, Any]:
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        if sum(taken.get("first_ms", ())) > ENOUGH * 1e3:
            break
        with counting() as statements:
            client = create_app(published).server.test_client()
            client.get("/snapshot", headers=_HEADERS)  # opens the snapshot
            _settle()
            statements.clear()
            first = _get(client, address)
            facts = {"first_ms": first[0], "first_cpu_ms": first[1], "n_statements": len(statements),
                     "statements_ms": sum(statements) * 1e3, "longest_ms": max(statements, default=0.0) * 1e3,
                     "again_ms": _get(client, address)[0],
                     "made_again_ms": _get(client, address.replace("light", "dark"))[0]}  # fmt: skip
        for name, fact in facts.items():
            taken.setdefault(name, []).append(fact)
    least = {name: min(facts) for name, facts in taken.items()}
    return {**least, "n_statements": int(least["n_statements"]), "first_ms_of_rounds": taken["first_ms"]}


@contextmanager
def _opened(published: Path) -> Iterator[tuple[Snapshot, Any]]:
    """The snapshot, and a connection with which the engine lives on between; what a process does once is done."""
    pointer = published / POINTER
    with (
        closing(open_snapshot(pointer)) as snapshot,
        duckdb.connect(str(pointer.resolve()), read_only=True, config=SETTINGS) as held,
    ):
        _asked(published, "/view/definitions?_scheme=light", 1)
        yield snapshot, held


def measure_pages(published: Path, rounds: int, only: Collection[str] = ()) -> dict[str, Any]:
    """Facts by page (of `only` these, where given) and span, and the 95th percentile over all views of a span; times
    are the least of the rounds."""
    found: dict[str, Any] = {}
    with _opened(published) as (snapshot, held):
        for name, (path, more) in addresses(snapshot).items():
            if only and name not in only:
                continue
            unlearned = _asked(published, f"/view{path}?_scheme=light{more}", 1)
            for span, days in (SPANS if name not in DAYLESS else {"28d": None}).items():
                address = f"/view{path}?_scheme=light{_days(snapshot, days)}{more}"
                with shown.asking() as calls:
                    found[f"{name} {span}"] = _asked(published, address, rounds)
                if span == SHOWN:
                    found[f"{name} {span}"] |= shown.told(held, calls)
            for fact in ("first_ms", "first_cpu_ms", "n_statements"):
                found[f"{name} 28d"][f"unlearned_{fact}"] = unlearned[fact]
    return found | {"p95": _p95(found)}


def measure_put_down(published: Path, only: Collection[str] = ()) -> dict[str, Any]:
    """How long it takes to put answers down (by the clock and of the processor, without stepping aside), their MB, and
    then first views of each scope over all days."""
    begun, used = time.perf_counter(), time.process_time()
    put_down(published, 1.0)
    facts = {"s": time.perf_counter() - begun, "cpu_s": time.process_time() - used,
             "mb": beside((published / POINTER).resolve()).stat().st_size / 2**20}  # fmt: skip
    return facts | {"scopes": measure_scopes(published, only, SCOPED[-1:])}


def measure_scopes(
    published: Path, only: Collection[str] = (), spans: Collection[str] = SCOPED
) -> dict[str, dict[str, float]]:
    """First views of each scope by page and span: how many, the median, the 95th percentile and the longest of them,
    and that of all facilities, in milliseconds."""
    found: dict[str, dict[str, float]] = {}
    with _opened(published) as (snapshot, _):
        scopes = ["", *(f"&facility={quote(name)}" for name in _facilities(snapshot))]
        for name, (path, more) in addresses(snapshot).items():
            if name in DAYLESS or (only and name not in only):
                continue
            _asked(published, f"/view{path}?_scheme=light{more}", 1)
            for span in spans:
                address = f"/view{path}?_scheme=light{_days(snapshot, SPANS[span])}{more}"
                taken = [_asked(published, address + scope, 1)["first_ms"] for scope in scopes]
                found[f"{name} {span}"] = {"n": len(taken), "p50_ms": _at(50, taken), "p95_ms": _at(95, taken),
                                           "longest_ms": max(taken), "whole_ms": taken[0]}  # fmt: skip
    return found


def _facilities(snapshot: Snapshot) -> list[str]:
    """Facilities from the largest to the smallest; of very many, evenly spread."""
    names: list[str] = snapshot.execute(
        "SELECT facility FROM fct_exam WHERE facility IS NOT NULL GROUP BY facility ORDER BY count(*) DESC, facility"
    )["facility"].to_list()
    return names[:: -(-len(names) // MOST_FACILITIES) or 1]


def _p95(found: dict[str, Any]) -> dict[str, float]:
    facts: dict[str, float] = {}
    for span in SPANS:
        mine = [ms for name, view in found.items() if name.endswith(f" {span}") for ms in view["first_ms_of_rounds"]]
        if mine:
            facts[f"first_{span}_ms"] = _at(95, mine)
    for name in ("again_ms", "made_again_ms"):
        facts[name] = _at(95, [view[name] for view in found.values()])
    return facts


def _at(percent: int, values: list[float]) -> float:
    """Interpolated percentile; of one value that value."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]
