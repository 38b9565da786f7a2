"""Versions of the metrics' definitions: a metric that computes otherwise than its history says has a new version.

    python -m sql.versions                      give new metrics the first line of their history
    python -m sql.versions raise ID "what"      the definition of a metric changed: version, day and reason
    python -m sql.versions same ID ...          the SQL reads otherwise and gives the same numbers

A digest covers what the numbers come from: unit, kind, statistic, choices, anchor and the body's syntax tree. A change
of a mart below is not seen here: raise the versions of the metrics that read it.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import sqlglot

from sql.catalog import Catalog, Metric, read_metric
from sql.headers import SQL

FIRST = "first definition"
_HISTORY = re.compile(r"^-- history: .*\n", re.MULTILINE)


def digest(metric: Metric) -> str:
    """What a metric computes, as twelve hex digits: the same for another layout or other comments."""
    tree = sqlglot.parse_one(metric.body, read="duckdb").sql(dialect="duckdb", comments=False, normalize=True)
    told = (metric.unit, metric.kind, metric.statistic, repr(metric.choices), metric.anchor, tree)
    return text_digest("\0".join(told))


def text_digest(text: str) -> str:
    """Twelve hex digits of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def unrecorded(metrics: Iterable[Metric]) -> list[str]:
    """Ids of metrics that compute otherwise than the last line of their history says, or have none."""
    return [m.id for m in metrics if not m.history or m.history[-1].digest != digest(m)]


def record(path: Path, what: str, on: date) -> None:
    """Give a metric's file its next version with the reason; the first one where it has no history."""
    metric = read_metric(path)
    version = str(int(metric.version) + 1) if metric.history else metric.version
    text = path.read_text("utf-8").replace(f"-- version: {metric.version}\n", f"-- version: {version}\n")
    path.write_text(_with(text, f"-- history: {version} | {on} | {digest(metric)} | {what}\n"), "utf-8")


def restate(path: Path) -> None:
    """Put the digest of a metric's SQL as it is now into the last line of its history: its numbers did not change."""
    metric = read_metric(path)
    last = metric.history[-1]
    text = path.read_text("utf-8")
    path.write_text(text.replace(f"| {last.digest} | {last.what}\n", f"| {digest(metric)} | {last.what}\n"), "utf-8")


def _with(text: str, line: str) -> str:
    """The text with a line after the history, or after `since` where there is none."""
    lines = list(_HISTORY.finditer(text))
    end = lines[-1].end() if lines else text.index("\n", text.index("\n-- since:") + 1) + 1
    return text[:end] + line + text[end:]


def main(arguments: Sequence[str]) -> int:
    """The command line above; 1 where a definition changed without a new version, or the words are wrong."""
    paths = {m.id: SQL / "metrics" / f"{m.number}_{m.id}.sql" for m in Catalog.load().metrics.values()}
    today = datetime.now(UTC).date()
    match arguments:
        case []:
            for metric in Catalog.load().metrics.values():
                if not metric.history:
                    record(paths[metric.id], FIRST, today)
        case ["raise", name, what] if name in paths:
            record(paths[name], what, today)
        case ["same", *names] if set(names) <= paths.keys():
            for name in names:
                restate(paths[name])
        case _:
            print(__doc__, file=sys.stderr)
            return 1
    changed = unrecorded(map(read_metric, paths.values()))
    for name in changed:
        print(f"{name}: not what its version says; python -m sql.versions raise {name} WHY", file=sys.stderr)
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
