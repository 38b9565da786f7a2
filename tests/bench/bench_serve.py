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
import random
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
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

PAGES = ("", "", "", "turnaround", "turnaround", "utilization", "repeats", "workload", "interoperability", "metric",
         "definitions")  # fmt: skip
FACILITIES, MODALITIES = ("NORTH", "EAST", "SOUTH", "WEST"), ("CT", "MR", "CR", "US")
BROWSER = {"Accept-Encoding": "gzip, deflate, br", "Host": "127.0.0.1"}
EMPTY = """
from dash import Dash, html
app = Dash("empty")
app.layout = html.Div("empty", id="ready")
app.run(port={port})
"""


@dataclass
class Told:
    """What users saw: seconds and statuses of views, and how many were told when to come again."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    retried: int = 0
    sent: list[int] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """In milliseconds; of answers only, the refused are counted beside."""
        cuts = statistics.quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        return {
            "n_views": sum(self.statuses.values()), "p50_ms": cuts[49] * 1e3, "p95_ms": cuts[94] * 1e3,
            "p99_ms": cuts[98] * 1e3, "statuses": {str(key): n for key, n in sorted(self.statuses.items())},
            "n_told_when": self.retried, "mean_view_bytes": round(statistics.fmean(self.sent or [0])),
        }  # fmt: skip


def view(chance: random.Random) -> str:
    """Address of a view: two in three default, a fifth filtered, the rest lists of exams."""
    kind = chance.random()
    if kind < 0.66:
        return f"/view/{chance.choice(PAGES)}?_scheme=light&"
    where = f"facility={chance.choice(FACILITIES)}" + (f"&modality={chance.choice(MODALITIES)}" * chance.randint(0, 1))
    page = chance.choice(PAGES[:-1]) if kind < 0.86 else "exams"
    return f"/view/{page}?_scheme=light&{where}"


def _get(line: HTTPConnection, path: str) -> tuple[int, bytes, str | None]:
    try:
        line.request("GET", path, headers=BROWSER)
        answer = line.getresponse()
    except (HTTPException, OSError):  # the server closed a connection that was idle: once more on a new one
        line.close()
        line.request("GET", path, headers=BROWSER)
        answer = line.getresponse()
    return answer.status, answer.read(), answer.headers.get("Retry-After")


def user(port: int, number: int, until: float, thinks: tuple[float, float], told: Told) -> None:
    """One user until a time; who does not think asks for something else each time."""
    chance = random.Random(number)  # noqa: S311 - the same users each time
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    looked = time.monotonic()
    time.sleep(chance.uniform(0, thinks[1]))
    while (begun := time.monotonic()) < until:
        path = view(chance)
        if not thinks[1]:
            path += f"&since=2026-{chance.randint(1, 9):02d}-{chance.randint(1, 28):02d}&until=2026-12-31"
        try:
            status, body, again = _get(line, path)
        except (HTTPException, OSError):
            status, body, again = 0, b"", None
            line.close()
        told.statuses[status] += 1
        told.retried += again is not None
        if status == 200:
            told.seconds.append(time.monotonic() - begun)
            told.sent.append(len(body))
        time.sleep(chance.uniform(*thinks) if thinks[1] else 0.1)
        if time.monotonic() - looked > 20 and thinks[1]:
            _get(line, "/snapshot")
            looked = time.monotonic()
    line.close()


def crowd(port: int, users: int, seconds: float, thinks: tuple[float, float]) -> Told:
    """What many users saw together."""
    told, until = Told(), time.monotonic() + seconds
    threads = [Thread(target=user, args=(port, n, until, thinks, told)) for n in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def overload(port: int, users: int, seconds: float) -> dict[str, Any]:
    """Too many users at once; and whether the server still says that it is well."""
    health: list[float] = []
    until = time.monotonic() + seconds

    def watch() -> None:
        line = HTTPConnection("127.0.0.1", port, timeout=60)
        while (begun := time.monotonic()) < until:
            assert _get(line, "/healthz")[0] == 200
            health.append(time.monotonic() - begun)
            time.sleep(0.2)

    watcher = Thread(target=watch)
    watcher.start()
    told = crowd(port, users, seconds, (0, 0)).facts()
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
    return {name: sum(len(_get(line, one)[1]) for one in paths) for name, paths in asked.items()}


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
    users, seconds = (40, 20.0) if quick else (200, 120.0)
    with served(published) as (port, pid):
        before = cpu_seconds(pid)
        load = crowd(port, users, seconds, (5, 10)).facts()
        used = cpu_seconds(pid) - before
        found: dict[str, Any] = {
            "n_cores": len(os.sched_getaffinity(0)),
            f"load_of_{users}_users": {**load, "cpu_ms_a_view": used / max(load["n_views"], 1) * 1e3},
            "first_load_bytes": first_load(port, "/turnaround"),
            "overload": overload(port, users, seconds / 4),
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
