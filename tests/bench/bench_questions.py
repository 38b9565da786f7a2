"""What a user waits for: every page over three spans of days, and questions beside who else could answer them.

Pages are asked for as the browser does, of the application in this process (`radops serve` runs two of them). Questions
go through `sql.query.metric`, beside statements for DuckDB on the same snapshot with the same threads (one written by
hand, which tells less, and the one shown beside a number, which tells as much), pandas, SQLite in memory and
PostgreSQL, all in turns; times are the least of the rounds. Every answer must equal ours, or the bench ends. Peers that
are not installed are named as missing. What must be loaded holds the latest days with at most `rows` exams; a question
for more days is asked of those, and of ours too. Ratios to DuckDB are of the processor, ours to the statement; those to
the others are by the clock, theirs to ours.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars as pl

from sql.answer_files import drop_others
from sql.definitions import is_current
from sql.engine import SETTINGS
from sql.filters import NO_VALUE
from sql.query import metric
from sql.snapshot import POINTER, Snapshot, open_snapshot
from tests.bench.bench_warehouse import EXAMS, QUICK_EXAMS, cost, make_network, prepared
from tests.bench.pages import measure_pages, measure_put_down, measure_scopes
from tests.bench.peers import ByHand, Pandas, Peer, Rows, Shown, Source, SQLite, has_pandas
from tests.bench.postgres import PostgreSQL, programs
from tests.bench.questions import DAY, QUESTIONS, Question, Window
from tests.bench.told import lines

__all__ = ["lines", "measure", "run"]

#: Exams at most of a peer that must be loaded.
ROWS = 2_000_000
DAYS = 90
#: Seconds after which the same is not asked again.
ENOUGH = 20.0
#: Relative difference between two engines' values that is one of rounding.
TOLERANCE = 1e-9
#: Group and period as text -> n and value.
Told = dict[tuple[str, ...], tuple[int, float]]
Facts = dict[str, Any]
Ask = Callable[[], Any]


class DifferentAnswerError(RuntimeError):
    """A peer does not say what radops says; names the question and tells no value."""


@contextmanager
def beside(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[list[Peer], list[str]]]:
    """Peers that are installed, and the names of those that are not."""
    folder = programs()
    makers: tuple[tuple[str, Callable[[], Peer] | None], ...] = (
        ("duckdb", lambda: ByHand(connection)),
        ("shown", lambda: Shown(connection)),
        ("pandas", Pandas if has_pandas() else None),
        ("sqlite", SQLite),
        ("postgresql", None if folder is None else lambda: PostgreSQL(folder)),
    )
    found: list[Peer] = []
    try:
        for _, maker in makers:
            found += [maker()] if maker else []
        yield found, [name for name, maker in makers if maker is None]
    finally:
        for peer in found:
            peer.close()


def held_since(connection: duckdb.DuckDBPyConnection, rows: int) -> date | None:
    """First of the latest days that have at most so many exams together; None where all have."""
    days = connection.execute(
        f"""SELECT CAST({DAY["fct_exam"]} AS DATE) AS day, sum(count(*)) OVER (ORDER BY day DESC) AS n
            FROM fct_exam WHERE exam_local IS NOT NULL GROUP BY day ORDER BY day DESC"""
    ).fetchall()
    fitting = [day for day, n in days if n <= rows]
    if days and not fitting:
        raise ValueError(f"the latest day alone has more than {rows:,} exams")
    return None if len(fitting) == len(days) else fitting[-1]


def ours(snapshot: Snapshot, question: Question, window: Window) -> pl.DataFrame:
    """The answer with nothing kept from before."""
    fresh = replace(snapshot, _cache=type(snapshot._cache)())
    return metric(fresh, question.metric, **question.asked(window))


def told_by_us(question: Question, frame: pl.DataFrame) -> Told:
    """Our answer by group and period."""
    found: Told = {}
    for start, group, n, value in frame.select("period_start", "group_value", "n", "value").iter_rows():
        if value is not None:
            found[question.keys(start, group)] = (int(n), float(value))
    return found


def told_by(rows: Rows) -> Told:
    """A peer's answer by group and period; it may be text, as psql gives it, and dates may have a time."""
    return {tuple(map(_word, row[:-2])): (int(row[-2]), float(row[-1])) for row in rows if row[-1] is not None}


def _word(key: Any) -> str:
    if key is None or (isinstance(key, float) and math.isnan(key)):
        return NO_VALUE
    return f"{key:%Y-%m-%d}" if isinstance(key, date) else str(key)


def must_equal(question: Question, peer: str, theirs: Told, mine: Told) -> None:
    """Raises DifferentAnswerError."""
    if theirs.keys() != mine.keys():
        raise DifferentAnswerError(f"{peer}, {question.id}: {len(theirs)} groups, ours {len(mine)}, or others")
    for key, (n, value) in mine.items():
        other_n, other = theirs[key]
        if n != other_n or not math.isclose(value, other, rel_tol=TOLERANCE, abs_tol=0):
            raise DifferentAnswerError(f"{peer}, {question.id}: another answer for a group")


def _in_turns(asks: dict[str, Ask], rounds: int) -> dict[str, tuple[float, float]]:
    """The least milliseconds of each, by the clock and of this process's processor time."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in asks}
    for _ in range(rounds):
        for name, ask in asks.items():
            if sum(wall for wall, _ in taken[name]) < ENOUGH * 1e3:
                cpu, begun = time.process_time(), time.perf_counter()
                ask()
                taken[name].append(((time.perf_counter() - begun) * 1e3, (time.process_time() - cpu) * 1e3))
    return {name: (min(wall for wall, _ in found), min(cpu for _, cpu in found)) for name, found in taken.items()}


def _times(snapshot: Snapshot, question: Question, window: Window, peers: Sequence[Peer], rounds: int) -> Facts:
    """Milliseconds and ratios of one question, which all answer alike. Raises DifferentAnswerError."""
    mine = told_by_us(question, ours(snapshot, question, window))
    if not mine:
        raise DifferentAnswerError(f"{question.id}: the snapshot has nothing to ask about")
    asks: dict[str, Ask] = {"ours": lambda: ours(snapshot, question, window)}
    for peer in peers:
        must_equal(question, peer.name, told_by(peer.ask(question, window)), mine)
        asks[peer.name] = partial(peer.ask, question, window)
    times = _in_turns(asks, rounds)
    outside, loaded = ({peer.name for peer in peers if is_so(peer)}
                       for is_so in (lambda peer: not peer.is_inside, lambda peer: peer.is_loaded))  # fmt: skip
    found: Facts = {"n_groups": len(mine)} | {f"{name}_ms": wall for name, (wall, _) in times.items()}
    found |= {f"{name}_cpu_ms": cpu for name, (_, cpu) in times.items() if name not in outside}
    for name in times.keys() - {"ours"}:
        if name in loaded:
            found[f"{name}_ours_ratio"] = times[name][0] / times["ours"][0]
        else:
            found[f"ours_{name}_ratio"] = times["ours"][1] / times[name][1]
    return found


def _question(snapshot: Snapshot, question: Question, windows: tuple[Window, Window], peers: Sequence[Peer],
              rounds: int) -> Facts:  # fmt: skip
    """Facts of one question; where peers hold fewer days than are asked for, of those days beside."""
    asked, held = windows
    if asked == held:
        return _times(snapshot, question, asked, peers, rounds)
    by_hand = _times(snapshot, question, asked, [peer for peer in peers if not peer.is_loaded], rounds)
    return by_hand | {"held": _times(snapshot, question, held, peers, rounds)}


def _windows(snapshot: Snapshot, since: date | None) -> dict[str, tuple[Window, Window]]:
    """Days asked for, and those of them that peers hold."""
    until = snapshot.data_through.date() + timedelta(days=1)
    asked = {
        f"{DAYS}d": Window(until - timedelta(days=DAYS), until, snapshot.data_through),
        "all": Window(None, None, snapshot.data_through),
    }
    return {name: (one, one if since is None else replace(one, since=max(since, one.since or since)))
            for name, one in asked.items()}  # fmt: skip


def measure_questions(pointer: Path, rows: int, rounds: int) -> dict[str, Any]:
    """Loading and asking, of every peer. Raises DifferentAnswerError."""
    snapshot = open_snapshot(pointer)
    connection = duckdb.connect(str(snapshot.path), read_only=True, config=SETTINGS)
    try:
        since = held_since(connection, rows)
        with beside(connection) as (peers, missing):
            found: dict[str, Any] = {"missing": ", ".join(missing) or "none", "held_since": since and str(since)}
            for peer in (each for each in peers if each.is_loaded):
                begun = time.perf_counter()
                peer.load(Source(connection, since))
                found[f"{peer.name}_load_s"] = time.perf_counter() - begun
            for question in QUESTIONS:
                for name, windows in _windows(snapshot, since).items():
                    found[f"{question.id}, {name}"] = _question(snapshot, question, windows, peers, rounds)
    finally:
        connection.close()
        snapshot.close()
    return found


def _facts(pointer: Path) -> Facts:
    """Of the snapshot; one that is not current is asked by its own table functions, which takes longer."""
    snapshot = open_snapshot(pointer)
    with duckdb.connect(str(snapshot.path), read_only=True, config=SETTINGS) as con:
        n, first, last = con.execute("SELECT count(*), min(exam_local), max(exam_local) FROM fct_exam").fetchall()[0]
        threads = con.execute("SELECT current_setting('threads')").fetchall()[0][0]
    found = {"n_exams": n, "n_days": (last - first).days + 1 if n else 0, "mb": snapshot.path.stat().st_size >> 20,
             "threads": threads, "is_current": is_current(snapshot)}  # fmt: skip
    snapshot.close()
    return found


@contextmanager
def grown(quick: bool) -> Iterator[Path]:
    """The published folder of a simulated network, copied to other places and days up to five years."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        network, _ = make_network(root, QUICK_EXAMS if quick else EXAMS)
        home = prepared(root / "grown", network, 1 if quick else 2)
        for stage in ("build", "publish"):
            cost(stage, RADOPS_HOME=str(home))
        yield home / "published"


def measure(published: Path, rows: int = ROWS, rounds: int = 3) -> dict[str, Any]:
    """Everything of a folder of snapshots; keys ending in `_ms` are milliseconds. Answers beside them are removed."""
    pointer = published / POINTER
    drop_others(published)
    return {
        "snapshot": _facts(pointer),
        "pages": measure_pages(published, rounds),
        "scopes": measure_scopes(published),
        "questions": measure_questions(pointer, rows, rounds),
        "put_down": measure_put_down(published),
    }


def run(quick: bool = False, published: Path | None = None, rows: int | None = None) -> dict[str, Any]:
    """Measure a folder of snapshots, else one that is grown: 17,000 exams with `quick`, 1.15 million without."""
    rounds = 2 if quick else 5
    if published is not None:
        return measure(published, rows or ROWS, rounds)
    with grown(quick) as made:
        return measure(made, rows or ROWS, rounds)


if __name__ == "__main__":
    print(json.dumps(run("--quick" in sys.argv, Path(sys.argv[1])), indent=2))
