"""Messages and their unusable fields, counted by the reader, are those that the simulator has sent and planted."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from sql.query import rows
from tests.truth.world import World

PLACE = ("facility", "sender", "standard", "kind", "day")
LIMIT = 100_000


def told(world: World, table: str, *columns: str) -> Counter[tuple[Any, ...]]:
    """Numbers of a published table by all columns but the last, added up over the others."""
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in rows(world.snapshot, table, columns=columns, limit=LIMIT).rows():
        counted[row[:-1]] += row[-1]
    return +counted


def truth(world: World, table: str, *columns: str) -> Counter[tuple[Any, ...]]:
    counted: Counter[tuple[Any, ...]] = Counter()
    for row in world.department.truth(table):
        day: date | None = row["day"] and row["day"].date()
        row |= {"sender": row["source"], "day": day}
        counted[tuple(row[name] for name in columns[:-1])] += row[columns[-1]]
    return +counted


def test_messages_are_those_that_were_sent(world: World) -> None:
    for number in ("n_messages", "n_defective"):
        columns = (*PLACE, number)
        assert told(world, "dq_system_flow", *columns) == truth(world, "message", *columns)


def test_faults_are_those_that_were_planted(world: World) -> None:
    columns = (*PLACE, "field", "reason", "n_defects")
    expected = truth(world, "fault", *columns)
    assert told(world, "dq_message_fault", *columns) == expected
    assert len({key[5:7] for key in expected}) >= 6
    assert any(key[4] is None for key in expected)  # of no day, so in no metric
    n_defective = truth(world, "message", *PLACE, "n_defective").total()
    assert 0 < n_defective < expected.total()  # a message with two counts once
    assert n_defective < 0.03 * truth(world, "message", *PLACE, "n_messages").total()
