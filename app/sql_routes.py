"""Routes of the page SQL: its schema, a run, its cancellation, and a run's rows as a file."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from typing import Any

import polars as pl
from flask import Flask, Response, request

from app import failure
from app.bodies import ASK_AGAIN, Body
from app.comments import spoken_schema
from app.gate import Busy
from app.guard import person
from app.posted import posted
from app.sql_desk import Desk
from app.texts import text
from sql.adhoc import AdhocError, Rows
from sql.adhoc_schema import schema
from sql.csv_text import to_csv
from sql.snapshot import Snapshot, SnapshotError, Store
from sql.words import language

#: Bytes of a request at most: a statement's most signs as JSON, and what stands around it.
MAX_REQUEST = 700_000
#: Whole numbers that a browser holds exactly.
_EXACT = 2**53
#: What can be downloaded: ending, type, and how rows become bytes.
_FILES: dict[str, tuple[str, Callable[[Rows], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", lambda rows: to_csv(rows.frame)),
    "parquet": ("application/vnd.apache.parquet", lambda rows: _parquet(rows.frame)),
}
_UNPUBLISHED = ("nothing is published yet\n", 503)


def register(server: Flask, store: Store, desk: Desk) -> None:
    """Put the routes on a server. Only whoever may see all of a snapshot gets anything but 403."""
    kept: dict[tuple[str, str], Body] = {}

    @server.get("/sql/schema")
    def sql_schema() -> Response:
        if not person().sees_all:
            return _forbidden()
        try:
            snapshot = store.current()
        except SnapshotError:
            return _plain(*_UNPUBLISHED)
        key = (snapshot.id, language())
        if key not in kept:
            for old in [one for one in kept if one[0] != snapshot.id]:
                kept.pop(old, None)
            kept[key] = Body(json.dumps(spoken_schema(schema(snapshot))).encode("utf-8"), "application/json")
        return kept[key].answer(request, ASK_AGAIN)

    @server.post("/sql/run")
    def sql_run() -> Response:
        return _asked(store, desk, lambda snapshot, rows, _: _json(_shown(snapshot, rows)), 200)

    @server.post("/sql/file")
    def sql_file() -> Response:
        return _asked(store, desk, _file, 422)

    @server.post("/sql/cancel")
    def sql_cancel() -> Response:
        if not person().sees_all:
            return _forbidden()
        try:
            desk.cancel(person(), str(posted(MAX_REQUEST).get("token", "")))
        except ValueError as error:
            return _plain(f"{error}\n", 400)
        return Response(status=204)


Answer = Callable[[Snapshot, Rows, dict[str, Any]], Response]


def _asked(store: Store, desk: Desk, answer: Answer, problem_status: int) -> Response:
    """The answer to a statement; why there is none goes with `problem_status`. The statement itself is never logged."""
    if not person().sees_all:
        return _forbidden()
    try:
        body = posted(MAX_REQUEST)
        seq = body.get("seq")
        snapshot = store.at(seq) if isinstance(seq, int) and not isinstance(seq, bool) else store.current()
        rows = desk.run(person(), snapshot, str(body.get("statement", "")), str(body.get("token", "")))
        return answer(snapshot, rows, body)
    except Busy:
        raise
    except AdhocError as error:
        told = str(error) or text(f"sqlpage.problem.{error.problem}", seconds=f"{desk.limits.seconds:g}",
                                  megabytes=desk.limits.bytes // 2**20)  # fmt: skip
        return _json({"problem": error.problem, "message": told, "at": error.at, "to": error.to}, problem_status)
    except SnapshotError:
        return _plain(*_UNPUBLISHED)
    except ValueError as error:
        return _plain(f"{error}\n", 400)
    except Exception as error:  # noqa: BLE001 - the log says where, and nothing that an exception may quote
        failure.LOG.error("a statement's answer failed: %s", failure.told(error))
        return _plain("failed\n", 500)


def _plain(told: str, status: int) -> Response:
    return Response(told, status=status, mimetype="text/plain")


def _forbidden() -> Response:
    return _plain("forbidden\n", 403)


def _json(told: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(told, allow_nan=False), status=status, mimetype="application/json")


def _file(snapshot: Snapshot, rows: Rows, body: dict[str, Any]) -> Response:
    """Rows as a file of the kind that was asked for."""
    kind = str(body.get("kind", ""))
    if kind not in _FILES:
        raise ValueError(f"kind is one of {', '.join(_FILES)}")
    mimetype, made = _FILES[kind]
    headers = {
        "Content-Disposition": f'attachment; filename="radops_sql_{snapshot.id}.{kind}"',
        "X-Radops-Snapshot": snapshot.id, "X-Radops-Rows": str(rows.frame.height), "X-Radops-Cut": rows.cut or "no",
    }  # fmt: skip
    return Response(made(rows), content_type=mimetype, headers=headers)


def _parquet(frame: pl.DataFrame) -> bytes:
    into = io.BytesIO()
    frame.write_parquet(into, compression="zstd")
    return into.getvalue()


def _shown(snapshot: Snapshot, rows: Rows) -> dict[str, Any]:
    """Rows as the page reads them: names, types and kinds of the columns, and the values row by row."""
    columns = [_cells(rows.frame[name]) for name in rows.frame.columns]
    return {
        "names": rows.names, "types": rows.types, "kinds": [_kind(dtype) for dtype in rows.frame.dtypes],
        "rows": list(zip(*columns, strict=True)), "cut": rows.cut, "seconds": round(rows.seconds, 4),
        "snapshot": snapshot.id, "seq": snapshot.seq,
    }  # fmt: skip


def _kind(dtype: pl.DataType) -> str:
    """How a column is set and drawn: number, time, flag or text."""
    if dtype.is_numeric():
        return "number"
    return "time" if dtype.is_temporal() else "flag" if dtype == pl.Boolean else "text"


def _cells(column: pl.Series) -> list[Any]:
    """Values as JSON has them; numbers that a browser does not hold exactly go as text."""
    values = column.to_list()
    if column.dtype.is_float():
        return [value if value is None or math.isfinite(value) else str(value) for value in values]
    if column.dtype.is_integer():
        return [value if value is None or -_EXACT <= value <= _EXACT else str(value) for value in values]
    if column.dtype in (pl.Boolean, pl.String):
        return values
    return [None if value is None else str(value) for value in values]
