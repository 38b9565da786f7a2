"""Plant one mistake after the other in a copy of the tree, run the tests of meaning, and print what found it.

    python -m tests.mutation.run                 # all, two at a time; a table in Markdown
    python -m tests.mutation.run 3 17 40         # by number

Only tests of meaning count: those that hold texts (dictionary, README, versions of definitions) are not run.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

HERE = Path(__file__).parent
REPO = HERE.parents[1]
#: Tests in the order in which they are asked: those first that see most in the least time.
STAGES = (
    ("tests/truth/test_rows_truth.py", "tests/truth/test_metrics_truth.py"),
    ("tests/sql/test_shape.py", "tests/sql/test_filters.py", "tests/sql/test_ask.py", "tests/sql/test_censored.py",
     *(f"tests/sql/{path.name}" for path in sorted((REPO / "tests" / "sql").glob("test_marts_*.py"))),
     "tests/etl/test_timestamps.py", "tests/harmonization"),
    ("tests/oracle",),
    ("tests/etl/test_identity.py", "tests/etl/test_mapping.py", "tests/etl/test_site_tables.py",
     "tests/etl/test_arrival_orders.py", "tests/etl/test_fhir_order.py", "tests/etl/test_procedures.py"),
    ("tests/sql",),
)  # fmt: skip
#: One seed of the simulated network, and summaries on one line.
ENVIRONMENT = {"TRUTH_SEEDS": "52711", "COLUMNS": "400"}
#: Trees are made in memory where that is possible: what the tests write is thrown away.
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is private
#: Exit code of pytest where no test has the name that was asked.
NONE_CHOSEN = 5
#: They would be red for any change of a text.
TEXT_TESTS = ("tests/sql/test_dictionary.py", "tests/sql/test_definitions.py")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One line of a file as it is right, and how it is made wrong."""

    number: int
    mistake: str
    file: str
    right: str
    wrong: str
    first: str

    def asked_first(self) -> list[tuple[str, ...]]:
        """Tests that probably find it, asked before all others: named, or those of the metric in whose file it is."""
        metric = re.fullmatch(r"sql/metrics/\d+_(\w+)\.sql", self.file)
        named = [(self.first,)] if self.first else []
        return named + ([("tests/truth/test_metrics_truth.py", "-k", metric.group(1))] if metric else [])

    def plant(self, tree: Path) -> None:
        """Make it in a copy of the tree. Raises ValueError where its place is not there exactly once."""
        path = tree / self.file
        text = path.read_text("utf-8")
        if text.count(self.right) != 1:
            raise ValueError(f"{self.number}: {self.file} has its place {text.count(self.right)} times")
        path.write_text(text.replace(self.right, self.wrong), "utf-8")


def mistakes() -> list[Mistake]:
    """All of them, numbered from 1."""
    with (HERE / "mistakes.csv").open(encoding="utf-8", newline="") as lines:
        return [Mistake(number, **row) for number, row in enumerate(csv.DictReader(lines), 1)]


def found_by(tree: Path, mistake: Mistake) -> str:
    """The first test that is red in a tree with a mistake; empty where none is."""
    for stage in (*mistake.asked_first(), *STAGES):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider", "-m", "not slow",
             f"--basetemp={tree / '.made'}", *stage, *(f"--ignore={name}" for name in TEXT_TESTS)],
            cwd=tree, capture_output=True, text=True, check=False, env=os.environ | ENVIRONMENT,
        )  # fmt: skip
        if done.returncode not in (0, NONE_CHOSEN):
            red = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
            return red.group(1) if red else f"{stage[0]} (code {done.returncode})"
    return ""


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the files that are under version control, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="radops-mistake-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for name in filter(None, listed.decode().split("\0")):
            if (REPO / name).is_file():
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPO / name, target)
        yield Path(folder)


def tried(mistake: Mistake, trees: SimpleQueue[Path]) -> str:
    """What found a mistake, asked in a free copy, which is put right again."""
    tree = trees.get()
    kept = (tree / mistake.file).read_bytes()
    try:
        mistake.plant(tree)
        return found_by(tree, mistake)
    finally:
        (tree / mistake.file).write_bytes(kept)
        trees.put(tree)


def main() -> int:
    """Print the table; 1 where a mistake stayed green."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    asked.add_argument("numbers", nargs="*", type=int)
    options = asked.parse_args()
    chosen = [m for m in mistakes() if not options.numbers or m.number in options.numbers]
    trees: SimpleQueue[Path] = SimpleQueue()
    n_red = 0
    print("| # | Mistake | File | Found by |\n| --- | --- | --- | --- |", flush=True)
    with copied() as first, copied() as second, ThreadPoolExecutor(2) as pool:
        for tree in (first, second):
            trees.put(tree)
        for mistake, red in zip(chosen, pool.map(lambda m: tried(m, trees), chosen), strict=True):
            n_red += bool(red)
            told = f"`{red}`" if red else "**nothing**"
            print(f"| {mistake.number} | {mistake.mistake} | `{mistake.file}` | {told} |", flush=True)
    print(f"\n{n_red} of {len(chosen)} mistakes found")
    return int(n_red < len(chosen))


if __name__ == "__main__":
    sys.exit(main())
