"""Routes by which a person reads and writes what the team keeps. Nothing that was written is logged."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response

from app import failure, notes, saved, team_writes
from app.guard import Person, person
from app.posted import posted
from app.texts import text
from sql.snapshot import SnapshotError, Store
from sql.team.store import TeamError

#: Bytes of a request at most.
MAX_REQUEST = 700_000

Write = Callable[[Store, Person, dict[str, Any]], None]
#: What can be written: path below `/team/`, and what does it.
WRITES: dict[str, Write] = {
    "note": notes.write, "note/withdraw": notes.withdraw, "view": team_writes.keep_view,
    "view/rename": team_writes.rename_view, "view/remove": team_writes.remove_view,
    "subscriber": team_writes.subscribe, "subscriber/remove": team_writes.unsubscribe,
}  # fmt: skip


def register(server: Flask, store: Store) -> None:
    """Put the routes on a server."""
    for path, write in WRITES.items():
        name = f"team_{path.replace('/', '_')}"
        server.add_url_rule(f"/team/{path}", name, _route(_written(store, write)), methods=["POST"])
    listed = _route(lambda: {"views": saved.listed(store, person())})
    server.add_url_rule("/team/views", "team_views", listed)


def _written(store: Store, write: Write) -> Callable[[], dict[str, Any]]:
    def answer() -> dict[str, Any]:
        write(store, person(), posted(MAX_REQUEST))
        return {}

    return answer


def _route(act: Callable[[], dict[str, Any]]) -> Callable[[], Response]:
    def answer() -> Response:
        try:
            return _told(act(), 200)
        except TeamError as error:
            return _told({"problem": text(f"team.problem.{error.problem}")}, 409)
        except SnapshotError:
            return _told({"problem": text("problem.unpublished.title")}, 503)
        except ValueError:
            return _told({"problem": text("team.problem.empty")}, 400)
        except Exception as error:  # noqa: BLE001 - the log says where, and nothing that an exception may quote
            failure.LOG.error("what the team keeps failed: %s", failure.told(error))
            return _told({}, 500)

    return answer


def _told(said: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(said), status=status, mimetype="application/json")
