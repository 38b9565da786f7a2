"""Routes of the page Admin: what is written is checked and foretold, and made into the file; nothing is kept here."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask import Flask, Response

from app import failure
from app.context import Context
from app.gate import Busy, Gate
from app.guard import person
from app.posted import posted
from app.site_edit import checked, file_of, read
from app.state import State
from sql.filters import FilterError
from sql.snapshot import SnapshotError, Store

#: Bytes of a request at most.
MAX_REQUEST = 2_000_000


def register(server: Flask, store: Store, gate: Gate) -> None:
    """Put the routes on a server. Only whoever may see all facilities gets anything but 403."""

    @server.post("/site/check")
    def site_check() -> Response:
        return _asked(store, gate, _check)

    @server.post("/site/file")
    def site_file() -> Response:
        return _asked(store, gate, _file)


def _check(context: Context, file: str, rows: list[dict[str, str]]) -> Response:
    told = checked(context, file, rows)
    return Response(json.dumps(told._asdict() | {"snapshot": context.snapshot.id}), mimetype="application/json")


def _file(context: Context, file: str, rows: list[dict[str, str]]) -> Response:
    made = file_of(context, file, rows)
    if made is None:
        return _plain("a cell cannot be taken", 409)
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "X-Radops-Snapshot": context.snapshot.id}
    return Response(made, content_type="text/csv; charset=utf-8", headers=headers)


def _asked(store: Store, gate: Gate, answer: Callable[[Context, str, list[dict[str, str]]], Response]) -> Response:
    """The answer to rows; what they say is never logged."""
    if person().facilities is not None:
        return _plain("forbidden", 403)
    try:
        asked = posted(MAX_REQUEST)
        snapshot, file = store.current(), str(asked.get("file", ""))
        rows = read(file, asked.get("rows"))
        state = State.read(str(asked.get("search", "")), snapshot.data_through)
        with gate.working():
            return answer(Context(snapshot, state, person(), store=store), file, rows)
    except Busy:
        raise
    except SnapshotError:
        return _plain("nothing is published yet", 503)
    except (FilterError, ValueError):
        return _plain("not rows of a site file", 400)
    except Exception as error:  # noqa: BLE001 - the log says where, and nothing that an exception may quote
        failure.LOG.error("a check of site rows failed: %s", failure.told(error))
        return _plain("failed", 500)


def _plain(told: str, status: int) -> Response:
    return Response(f"{told}\n", status=status, mimetype="text/plain")
