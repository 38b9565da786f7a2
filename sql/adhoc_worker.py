"""One statement in a process of its own: `python -m sql.adhoc_worker SNAPSHOT`, started by `sql.adhoc`.

It reads a line of JSON (`statement`, `limits`), answers a line of JSON and, where there are rows, an Arrow stream, and
ends. It ends too as soon as its input is closed: nobody waits then.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from sql.adhoc_judge import Refused, judge
from sql.adhoc_limits import Limits, bound_process, engine_settings
from sql.adhoc_take import TooLarge, take
from sql.engine import LATE_SETTINGS

_PLAN = "EXPLAIN "


class Planned(Exception):
    """An error of a statement's plan, and how many bytes stand before the statement there."""

    def __init__(self, error: duckdb.Error, shift: int) -> None:
        super().__init__(str(error))
        self.error, self.shift = error, shift


def main() -> None:
    """Answer the one line of input."""
    asked = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**asked["limits"])
    bound_process(limits)
    Thread(target=_end_with_parent, daemon=True).start()
    answer(Path(sys.argv[1]), asked["statement"], limits, sys.stdout.buffer)
    os._exit(0)  # what the engine would still tidy up goes with the process


def _end_with_parent() -> None:
    """End at once where the parent is no more."""
    while os.read(0, 1024):
        pass
    os._exit(1)


def answer(snapshot: Path, statement: str, limits: Limits, into: BinaryIO) -> None:
    """Run a statement over a snapshot and write its answer, or why there is none."""
    began = time.perf_counter()
    try:
        with opened(snapshot, limits) as connection:
            judge(connection, statement)
            began = time.perf_counter()
            taken = take(_asked(connection, statement), limits.rows, limits.bytes)
        told = {"names": taken.names, "types": taken.types, "cut": taken.cut}
    except Refused as error:
        _say(into, {"problem": "refused", "message": str(error), "at": _place(statement, error.at)})
        return
    except TooLarge:
        _say(into, {"problem": "too_large", "message": ""})
        return
    except (MemoryError, duckdb.OutOfMemoryException):
        _say(into, {"problem": "memory", "message": ""})
        return
    except Planned as error:
        _say(into, _told(error.error, statement, error.shift))
        return
    except duckdb.Error as error:
        _say(into, _told(error, statement))
        return
    _say(into, told | {"seconds": time.perf_counter() - began})
    with pa.ipc.new_stream(into, taken.table.schema) as stream:
        stream.write_table(taken.table)
    into.flush()


def _asked(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyRelation:
    """A statement as a relation. Its errors do not say where they stand; those of its plan do."""
    try:
        return connection.sql(statement)
    except duckdb.Error:
        _plan(connection, statement)
        raise


def _plan(connection: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Plan a statement, for the error's sake. Raises Planned."""
    is_plan = statement.lstrip()[:7].lower() == "explain"
    try:
        connection.execute(statement if is_plan else _PLAN + statement)
    except duckdb.Error as error:
        raise Planned(error, 0 if is_plan else len(_PLAN)) from error


def opened(snapshot: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    """The snapshot, with the engine's walls around it; the last setting locks them all."""
    connection = duckdb.connect(str(snapshot), read_only=True, config=engine_settings(limits))
    for setting in LATE_SETTINGS:
        connection.execute(setting)
    return connection


def _say(into: BinaryIO, told: dict[str, Any]) -> None:
    into.write(json.dumps(told).encode("utf-8") + b"\n")
    into.flush()


def _told(error: duckdb.Error, statement: str, shift: int = 0) -> dict[str, Any]:
    """An error of the engine in its own words, with the place where it stands in the statement."""
    text = str(error)
    try:
        found = json.loads(text[text.index("{") :])
    except ValueError:
        return {"problem": "engine", "message": text}
    if found.get("exception_type") == "Out of Memory":
        return {"problem": "memory", "message": ""}
    told: dict[str, Any] = {
        "problem": "engine",
        "message": f"{found.get('exception_type', '')} Error: {found.get('exception_message', '')}",
    }
    if str(found.get("position", "")).isdecimal():
        start, length = int(found["position"]), 1
        if str(found.get("location", "")).startswith("["):
            start, length = (int(part) for part in found["location"].strip("[]").split(","))
        start = max(start - shift, 0)
        told |= {"at": _place(statement, start), "to": _place(statement, start + max(length, 1))}
    return told


def _place(statement: str, byte: int) -> int:
    """The sign, counted as browsers count (UTF-16), at which a byte of the statement stands."""
    before = statement.encode("utf-8")[:byte].decode("utf-8", "ignore")
    return len(before.encode("utf-16-le")) // 2


if __name__ == "__main__":
    main()
