"""The web server: one application a process, stateless, over the published snapshots."""

from __future__ import annotations

import gc
import json
import logging
import mimetypes
import os
import shutil
import sys
from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template
from tempfile import mkdtemp
from threading import Thread
from typing import Any

from dash import Dash
from flask import Flask, Response, g, has_request_context, request
from flask_compress import Compress
from gunicorn.app.base import BaseApplication

from app import answers, callbacks, failure, filterbar, language, shell, site_routes, sql_routes, team_routes
from app.beforehand import Beforehand
from app.bodies import ASK_AGAIN
from app.editions import Damaged
from app.everywhere import everywhere
from app.files import CHARTS, Files, keep_suites
from app.gate import Busy, Gate
from app.guard import LOCAL, Person, Sign, content_policy, local_person, person, protect
from app.sql_desk import Desk
from app.views import Views
from app.warm import Prepare
from sql.catalog import CatalogError
from sql.filters import DEFAULT_DAYS, FilterError
from sql.snapshot import Snapshot, SnapshotError, Store
from sql.words import language as spoken

#: Threads of a process: those that work, those that wait for them, and some for what takes no time.
THREADS = 48
#: What the engines of all processes take of the memory that one takes when it is alone: half of the machine's.
ENGINES = 5 / 8
#: Of a process: pages that are made at once, requests that wait for that, and how long at most in seconds.
WORK, QUEUE, PATIENCE = 2, 32, 5.0
#: Seconds for which the snapshot before is shown at most, until answers that all look at are put down of a new one.
HELD = 180.0
#: Seconds after which a browser comes again that was sent away.
RETRY_AFTER = 2
_INDEX = """<!DOCTYPE html>
<html lang="@language@">
<head>{%metas%}<title>{%title%}</title><link rel="icon" href="$icon"><link rel="stylesheet" href="$style">
<link rel="stylesheet" href="$theme"><link rel="stylesheet" href="$team_style"><script src="$follow"></script>
<script src="$team" defer></script>
<script src="$script" data-charts="$charts" data-controls="$controls" data-sql="$sql"
 data-sql-style="$sql_style" data-admin="$admin" data-admin-style="$admin_style" data-calendar="@calendar@"
 data-usual="$usual"></script>
<script src="$turns"></script><script src="$marks"></script><script src="$keys"></script>
{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def create_app(
    published: Path,
    sign: Sign = local_person,
    gate: Gate | None = None,
    desk: Desk | None = None,
    share: float = 1.0,
    prepare: Prepare | None = None,
) -> Dash:
    """The application over a folder of snapshots; `sign` ties requests to persons, `gate` bounds the work.

    With `prepare`, views of a new snapshot are made beforehand, as who sees everything would ask for them; it is called
    before those that take long. `desk` runs persons' own statements; one of several processes needs one whose folder is
    shared by all. `share` of the memory that an engine takes when it is alone is for each snapshot that is open.
    """
    store, files = Store(published, share, holds=0.0 if prepare is None else HELD), Files()
    gate = gate or Gate(WORK, QUEUE, PATIENCE)
    server = Flask("radops", static_folder=None)
    server.config["COMPRESS_ALGORITHM"] = ["br", "gzip"]
    server.config["COMPRESS_MIMETYPES"] = ["text/html", "text/css", "text/csv", "application/json"]
    policy: list[str] = []
    protect(server, sign, lambda: policy[0])  # before Dash, whose own handlers come behind the guard
    language.listen(server)
    Compress(server)
    app = _Dash(
        "radops", server=server,  # type: ignore[arg-type]  # a Flask application is taken too
        include_assets_files=False, serve_locally=True,
        title="radops", update_title="", index_string=_index(files), use_pages=False, enable_mcp=False,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}], add_log_handler=False,
        on_error=failure.on_error,
    )  # fmt: skip
    app.layout = lambda: _layout(_newest(store))
    callbacks.register(app, store)
    keep_suites(server)
    views = Views(store, gate)
    _routes(server, store, files, gate, views)
    sql_routes.register(server, store, desk or Desk())
    team_routes.register(server, store)
    site_routes.register(server, store, gate)
    policy.append(content_policy(app.csp_hashes()))
    with server.test_request_context():
        app.index()  # type: ignore[no-untyped-call]  # registers the scripts: another process may serve the page
    if prepare is not None:
        views.keep_warm(LOCAL, prepare)
    return app


class _Dash(Dash):
    """Dash with a page around everything that is in the language of the request."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # passed on as they are
        """The page with its parts."""
        page: str = super().interpolate_index(**parts)  # type: ignore[no-untyped-call]
        return page.replace("@language@", spoken(), 1).replace("@calendar@", escape(language.calendar()), 1)


def _layout(newest: Snapshot | None) -> Any:
    """The frame of each page, with the choices that the newest snapshot gives."""
    return shell.frame(filterbar.options(newest, _person()), everywhere(newest))


def _index(files: Files) -> str:
    """The page around everything, with the addresses of our own files."""
    names = {"icon": "radops.svg", "style": "radops.css", "theme": "theme.css", "charts": CHARTS,
             "script": "radops.js", "turns": "turns.js", "follow": "follow.js", "marks": "marks.js", "keys": "keys.js",
             "sql": "sql.js", "sql_style": "sql.css", "team": "team.js", "team_style": "team.css", "admin": "admin.js",
             "admin_style": "admin.css"}  # fmt: skip
    addresses = {key: files.address(name) for key, name in names.items()}
    return Template(_INDEX).substitute(addresses, controls=" ".join(filterbar.CONTROLS), usual=DEFAULT_DAYS)


def _newest(store: Store) -> Snapshot | None:
    try:
        return store.current()
    except SnapshotError:
        return None


def _lags(store: Store, seen: str) -> bool:
    """Whether the browser has seen a newer snapshot, of another server, than this one has; one that is held back is
    shown to it."""
    shown, seq = _newest(store), int(seen[:12]) if seen.isdecimal() else 0
    if shown is None or seq <= shown.seq:
        return False
    store.take_over()
    return seq > store.current().seq


def _person() -> Person:
    """The person of the request; Dash looks at the layout by itself at start-up, as one who may see nothing."""
    found = g.get("person") if has_request_context() else None
    return found if isinstance(found, Person) else Person("nobody", facilities=())


def _routes(server: Flask, store: Store, files: Files, gate: Gate, views: Views) -> None:
    @server.errorhandler(Busy)
    def busy(_: Busy) -> Response:
        return Response("busy\n", status=503, mimetype="text/plain", headers={"Retry-After": str(RETRY_AFTER)})

    @server.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @server.get("/files/<tag>/<name>")
    def file(tag: str, name: str) -> Response:
        return files.answer(tag, name)

    @server.get("/snapshot")
    def newest() -> Response:
        return Response(answers.snapshot_id(store) or "", mimetype="text/plain", headers=answers.age_headers(store))

    @server.get("/view/")
    @server.get("/view/<path:path>")
    def view(path: str = "") -> Response:
        search = request.query_string.decode("utf-8", "replace")
        try:
            if _lags(store, request.args.get("_seen", "")):
                raise Busy
            chosen = json.loads(request.args.get("_chosen", "{}"))
            made = views.view(person(), f"/{path}", search, request.args.get("_scheme", ""), dict(chosen))
        except Busy:
            raise
        except (TypeError, ValueError) as error:
            failure.LOG.warning("a view could not be read: %s", failure.told(error))
            return Response("not a view\n", status=400, mimetype="text/plain")
        except Exception as error:  # noqa: BLE001 - the log says where, and nothing that an exception may quote
            failure.LOG.error("a view failed: %s", failure.told(error))
            return Response("failed\n", status=500, mimetype="text/plain")
        return made.answer(request, ASK_AGAIN)

    @server.get("/pack/<edition>/<name>")
    def pack_file(edition: str, name: str) -> Response:
        try:
            made = answers.pack_file(store, person(), edition, name)
        except Damaged as error:
            return Response(f"{error} is not what was exported\n", status=409, mimetype="text/plain")
        if made is None:
            return Response("not found\n", status=404, mimetype="text/plain")
        headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "X-Radops-Snapshot": made.snapshot}
        return Response(made.body, mimetype=mimetypes.guess_type(name)[0], headers=headers)

    @server.get("/csv/<question_id>.csv")
    def csv_file(question_id: str) -> Response:
        try:
            with gate.working():
                made = answers.download(store, person(), question_id, request.query_string.decode("utf-8", "replace"))
        except (FilterError, CatalogError) as error:
            return Response(f"{error}\n", status=400, mimetype="text/plain")
        except Damaged as error:
            return Response(f"{error} is not what was exported\n", status=409, mimetype="text/plain")
        except SnapshotError:
            if _newest(store) is not None:
                return Response("that snapshot is not kept any more\n", status=404, mimetype="text/plain")
            return Response("nothing is published yet\n", status=503, mimetype="text/plain")
        if made is None:
            return Response("not found\n", status=404, mimetype="text/plain")
        headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "X-Radops-Snapshot": made.snapshot}
        return Response(made.body, mimetype="text/csv; charset=utf-8", headers=headers)


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn without its command line and files."""

    def __init__(
        self, published: Path, runtime: Path, options: dict[str, Any], beside: Callable[[], None] | None
    ) -> None:
        self._published, self._runtime, self._options, self._beside = published, runtime, options, beside
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application of a process that was just forked."""
        if self._beside is not None:
            Thread(target=self._beside, name="beside", daemon=True).start()
        share = ENGINES / (self._options["workers"] + 1)  # one is for the process that puts answers down
        made = create_app(
            self._published, desk=Desk(self._runtime), share=share,
            prepare=Beforehand(self._published, share),
        ).server  # fmt: skip
        gc.freeze()  # what is loaded now lives as long as the process: to look at all of it holds a view up by 0.1 s
        return made


def _leave(_server: object, worker: Any) -> None:
    """End a worker as it is about to, but at once: a thread that makes views may be within DuckDB, from where Python's
    end would throw it out, which aborts the process."""
    if worker.pid != os.getpid():  # gunicorn tells the master too of a worker that is gone
        return
    leaving = sys.exception()
    logging.shutdown()
    os._exit(leaving.code if isinstance(leaving, SystemExit) and isinstance(leaving.code, int) else 1)


def serve(
    published: Path, host: str = "127.0.0.1", port: int = 8050, workers: int = 2,
    beside: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Serve until stopped: `workers` processes without state, each with its own read-only snapshot and threads.

    `beside` runs in a thread of each process, as long as that lives. SIGTERM and Ctrl-C let requests in progress end. A
    worker that dies is replaced.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    options = {
        "bind": address, "workers": workers, "worker_class": "gthread", "threads": THREADS, "timeout": 120,
        "graceful_timeout": 20, "keepalive": 5, "loglevel": "warning", "control_socket_disable": True,
        "proc_name": "radops", "limit_request_line": 8190, "worker_exit": _leave,
    }  # fmt: skip
    runtime = Path(mkdtemp(prefix="radops-"))  # 0700
    try:
        _Gunicorn(published, runtime, options, beside).run()
    finally:  # a worker does not come here
        shutil.rmtree(runtime, ignore_errors=True)
