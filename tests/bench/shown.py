"""What a page asks of metrics, put to the engine one by one by the statements that are shown beside the numbers."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import duckdb

from sql.noted import Call, listening
from sql.query import explain, metric


@contextmanager
def asking() -> Iterator[list[Call]]:
    """The questions of views that are made meanwhile."""
    asked: list[Call] = []

    @contextmanager
    def noting() -> Iterator[list[Call]]:
        with listening() as calls:
            yield calls
        asked.extend(calls)

    with patch("app.habits.listening", noting):
        yield asked


def statements(calls: Iterable[Call]) -> list[str]:
    """The statement of each question about a metric, once."""
    texts = (explain(*call.args[1:], **call.options).text for call in calls if call.ask is metric)
    return list(dict.fromkeys(texts))


def told(connection: duckdb.DuckDBPyConnection, calls: Iterable[Call]) -> dict[str, float]:
    """How many metrics were asked, and milliseconds of their statements by the clock and of the processor."""
    texts = statements(calls)
    begun, cpu = time.perf_counter(), time.process_time()
    for text in texts:
        with connection.cursor() as cursor:
            cursor.execute(text).fetchall()
    return {"n_metrics": len(texts), "shown_ms": (time.perf_counter() - begun) * 1e3,
            "shown_cpu_ms": (time.process_time() - cpu) * 1e3}  # fmt: skip
