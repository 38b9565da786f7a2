"""The dashboard under load: real users over HTTP, bytes of a first load, and the first page beside Dash's empty app.

The server is the one of `radops serve`, with its two processes, over a simulated network. Users keep their connection,
think 5 to 10 s, look for a new snapshot every 20 s, and ask as the browser's script does: mostly default views, some
filtered, some lists of exams; each tells what the server sent. Times are those that a user waits, from cold caches on.
Then comes what is too much: users who do not think and never ask the same again. CPU is that of all server processes,
so it says what a view costs where other programs disturb the clock.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from etl.home import Home
from etl.log import Log
from etl.pipeline import run as run_stages
from etl.settings import Settings
from sample_data.simulate import simulate
from tests.app.serving import free_port, started
from tests.app.watching import CHROMIUM
from tests.bench.users import Users, crowd, get

EMPTY = """
from dash import Dash, html
app = Dash("empty")
app.layout = html.Div("empty", id="ready")
app.run(port={port})
"""


def overload(users: Users, number: int, seconds: float) -> dict[str, Any]:
    """Too many users at once; and whether the server still says that it is well."""
    health: list[float] = []
    until = time.monotonic() + seconds

    def watch() -> None:
        line = HTTPConnection("127.0.0.1", users.port, timeout=60)
        while (begun := time.monotonic()) < until:
            assert get(line, "/healthz")[0] == 200
            health.append(time.monotonic() - begun)
            time.sleep(0.2)

    watcher = Thread(target=watch)
    watcher.start()
    told = crowd(replace(users, thinks=(0, 0)), number, seconds).facts()
    watcher.join()
    return {**told, "health_worst_ms": max(health) * 1e3}


def cpu_seconds(pid: int) -> float:
    """CPU of a process and its children so far; 0 where the system does not tell."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        parts = rest.split()
        if int(name.split(" ")[0]) == pid or int(parts[1]) == pid:
            total += int(parts[11]) + int(parts[12])
    return total / os.sysconf("SC_CLK_TCK")


#: Every chart that reaches into the window is drawn.
IN_SIGHT = """() => [...document.querySelectorAll(".graph")].every((one) => {
  const box = one.getBoundingClientRect();
  return one.querySelector(".main-svg") || box.top >= innerHeight || box.bottom <= 0; })"""


def first_load(port: int, path: str) -> dict[str, int]:
    """Bytes that a browser without anything gets for a page, as they are sent."""
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    page = _plain(line, path)
    files = re.findall(r'(?:src|href|data-charts)="(/[^"]+)"', page)
    more = ["/_dash-layout", "/_dash-dependencies", "/_dash-component-suites/dash/dcc/async-graph.js"]
    asked = {"page": [path], "files": files, "more": more, "view": [f"/view{path}?_scheme=light&"]}
    return {name: sum(len(get(line, one)[1]) for one in paths) for name, paths in asked.items()}


def _plain(line: HTTPConnection, path: str) -> str:
    line.request("GET", path, headers={"Accept-Encoding": "identity"})
    return line.getresponse().read().decode()


def in_browser(port: int, rounds: int) -> dict[str, Any]:
    """Milliseconds until a page and its charts in sight, and all (`whole`), are drawn in a browser without anything, in
    turns with an empty app."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - measured only where it is installed

    other = free_port()
    empty = subprocess.Popen([sys.executable, "-c", EMPTY.format(port=other)], stderr=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)  # fmt: skip
    asked = {"empty_dash": (other, "/", "#ready"), "overview": (port, "/", ".page-overview"),
             "turnaround": (port, "/turnaround", ".page-turnaround")}  # fmt: skip
    taken: dict[str, list[float]] = {name: [] for name in asked}
    whole: dict[str, list[float]] = {name: [] for name in asked}
    sent: dict[str, list[int]] = {name: [] for name in asked}
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
            for _ in range(rounds):
                for name, (where, path, ready) in asked.items():
                    page = browser.new_page()
                    wire = page.context.new_cdp_session(page)
                    wire.send("Network.enable")
                    got: list[int] = []
                    wire.on("Network.loadingFinished", lambda e, got=got: got.append(int(e["encodedDataLength"])))
                    begun = time.monotonic()
                    page.goto(f"http://127.0.0.1:{where}{path}")
                    page.wait_for_selector(ready, timeout=60_000)
                    page.wait_for_function(IN_SIGHT, timeout=60_000)
                    taken[name].append((time.monotonic() - begun) * 1e3)
                    expect(page.locator(".graph:not(:has(.main-svg))")).to_have_count(0, timeout=60_000)
                    whole[name].append((time.monotonic() - begun) * 1e3)
                    sent[name].append(sum(got))
                    page.context.close()
            browser.close()
    finally:
        empty.terminate()
        empty.wait(30)
    found: dict[str, Any] = {f"{name}_ms": statistics.median(times) for name, times in taken.items()}
    found |= {f"{name}_whole_ms": statistics.median(times) for name, times in whole.items()}
    found |= {f"{name}_bytes": round(statistics.median(sizes)) for name, sizes in sent.items()}
    for name in ("overview", "turnaround"):
        found[f"{name}_empty_dash_ratio"] = found[f"{name}_ms"] / found["empty_dash_ms"]
    return found


@contextmanager
def served(published: Path) -> Iterator[tuple[int, int]]:
    """Port and process of a server over a folder of snapshots."""
    port = free_port()
    process = started(published, port)
    try:
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def network(quick: bool) -> Iterator[Path]:
    """A simulated network, published."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        simulate(root / "simulated", exams=600 if quick else 5000, days=60, seed=41)
        home = Home(root / "home", Settings(home=root / "home", site=root / "simulated" / "site"))
        home.prepare()
        run_stages(home, Log(home.log, is_quiet=True), [root / "simulated" / "files"],
                   stages=("ingest", "build", "publish"))  # fmt: skip
        yield home.published


def measure(published: Path, quick: bool) -> dict[str, Any]:
    """Everything of a folder of snapshots; `quick` takes a minute."""
    number, seconds = (40, 20.0) if quick else (200, 120.0)
    with served(published) as (port, pid):
        users = Users.of(port, published)
        before = cpu_seconds(pid)
        load = crowd(users, number, seconds).facts()
        used = cpu_seconds(pid) - before
        found: dict[str, Any] = {
            "n_cores": len(os.sched_getaffinity(0)),
            f"load_of_{number}_users": {**load, "cpu_ms_a_view": used / max(load["n_views"], 1) * 1e3},
            "first_load_bytes": first_load(port, "/turnaround"),
            "overload": overload(users, number, seconds / 4),
        }
        if find_spec("playwright") is not None and CHROMIUM.exists():
            found["browser"] = in_browser(port, 2 if quick else 5)
    found["first_load_bytes"]["all"] = sum(found["first_load_bytes"].values())
    return found


def run(quick: bool = False, published: Path | None = None) -> dict[str, Any]:
    """Measure a folder of snapshots, else a simulated network."""
    if published is not None:
        return measure(published, quick)
    with network(quick) as made:
        return measure(made, quick)


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), "--quick" in sys.argv), indent=2))
