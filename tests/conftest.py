"""Shared fixtures. `RADOPS_REQUIRE_ALL=1` (set by .ci/run) turns every missing part into a failure."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from tests.app.watching import ARGS, CHROMIUM, Tabs
from tests.published import Published, export_report, opened, publish_network
from tests.sharing import made_once, shared_base

#: Files of tests are whole as soon as they are there; what waits for them has tests of its own.
os.environ.setdefault("RADOPS_SETTLE_SECONDS", "0")

#: No test is timed; CI repeats the same examples, so that a red run speaks of the change.
settings.register_profile("radops", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("radops")

REPO = Path(__file__).resolve().parents[1]


def missing(what: str, fix: str) -> None:
    """Skip a test whose outside part is absent, naming the fix; fail instead where everything is required."""
    text = f"{what} not found: {fix}"
    if os.environ.get("RADOPS_REQUIRE_ALL") == "1":
        pytest.fail(text)
    pytest.skip(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything is required, a skip of whatever kind is a failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("RADOPS_REQUIRE_ALL") == "1":
        report.outcome, report.longrepr = "failed", f"skipped where everything is required: {report.longrepr}"
    return report


def needs_compiled(twin: object) -> None:
    """Go on only where a compiler built a twin."""
    if twin is None:
        missing("compiled twin", "install a C compiler and Python's headers, then run `make install` on a new clone")


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Third-party files beside the checkout."""
    folder = REPO.parent / "shared" / "fixtures"
    if not folder.is_dir():
        missing("third-party fixtures", "place them in ../shared/fixtures")
    return folder


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A small simulated network, published; shared by all workers."""
    return opened(made_once(shared_base(tmp_path_factory), "published", publish_network))


@pytest.fixture(scope="session")
def report_pack(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the pack of a month of that network, with the metrics of its report; read only."""
    return made_once(shared_base(tmp_path_factory), "pack", lambda folder: export_report(published, folder))


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program."""
    if not CHROMIUM.exists():
        missing("Chromium", "apt-get install chromium")
    return CHROMIUM


@pytest.fixture(scope="session")
def browser(chromium: Path) -> Iterator[Browser]:
    """The one browser of a process: playwright runs once in a thread, so no test starts another."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(chromium), args=ARGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Iterator[Tabs]:
    """Tabs of that browser's one profile, each as new."""
    made = Tabs(browser)
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage in what is loaded and collected: it stays to the end, and a third of the time went there."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker more than processors: some tests wait, for cron, for servers or for the end of what they killed."""
    return (os.cpu_count() or 1) + 1


#: Files whose tests take longest, the longest first.
LONG = (
    "etl/test_spark_cluster.py", "etl/test_spark_ingest.py",
    "etl/test_schedule.py", "etl/test_killed.py", "etl/test_spark_parity.py", "etl/test_build.py",
    "etl/test_same_answer.py", "truth/test_metrics_truth.py", "truth/test_parts_truth.py", "etl/test_build_ranges.py",
    "planning/test_validation.py", "store/test_spark_files.py", "etl/test_build_tally.py", "truth/test_together.py",
    "truth/test_evidence_truth.py", "etl/test_export.py", "etl/test_cli.py", "oracle/test_streams.py",
    "etl/test_disk_full.py", "oracle/test_days.py", "oracle/test_metrics.py", "etl/test_canary.py",
    "app/test_habits.py", "oracle/test_sequences.py", "forecast/test_forecast.py", "etl/test_poison.py",
    "etl/test_demo.py", "etl/test_build_scope.py",
)  # fmt: skip
#: Files with a browser: one worker takes them all, so that one browser and one server are started for them.
BROWSER = (
    "app/test_craft.py", "app/test_browser.py", "app/test_admin.py", "app/test_live_browser.py",
    "app/test_team_browser.py", "app/test_ten_questions.py", "app/test_language_browser.py", "app/test_cross.py",
    "app/test_mappings.py", "app/test_sql_page.py", "app/test_keys.py", "app/test_turns.py",
    "store/test_reader_hosts.py",
)  # fmt: skip


@pytest.hookimpl(trylast=True)  # of what is left of all
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the files with a browser to the last worker and deal the long ones to the others in turn, at the head of
    what each is given to begin with (all items in equal parts, `--dist worksteal`): what is left for others to take at
    the end is short."""
    n_workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    place = {f"tests/{name}": (number % max(n_workers - 1, 1), number) for number, name in enumerate(LONG)}
    place |= {f"tests/{name}": (n_workers - 1, number - len(BROWSER)) for number, name in enumerate(BROWSER)}
    files = [item.nodeid.partition("::")[0] for item in items]
    long = [
        sorted(
            (i for i, name in enumerate(files) if place.get(name, (-1,))[0] == worker), key=lambda i: place[files[i]]
        )
        for worker in range(n_workers)
    ]  # fmt: skip
    short = iter([i for i, name in enumerate(files) if name not in place])
    order: list[int] = []
    for worker, mine in enumerate(long):
        part = (len(items) - len(order)) // (n_workers - worker)
        order += mine + [i for _, i in zip(range(part - len(mine)), short, strict=False)]
    order += short
    items[:] = [items[i] for i in order]
