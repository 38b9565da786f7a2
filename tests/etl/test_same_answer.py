"""Order, repetition and batches of arrival change nothing: the marts depend on the set of messages alone."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from etl import key_runs
from etl.inbox import Candidate
from etl.parsing import JobResult, run_job
from etl.pool import Parser
from sample_data.simulate import simulate
from tests.installation import Installation, Piece, pieces
from tests.slow import slow


class Clean(NamedTuple):
    """The answer that every other arrival must give."""

    root: Path
    pieces: list[Piece]
    digest: str
    ledger: dict[str, int]


def installation(root: Path, network: Path) -> Installation:
    """Installations of one test share the key, so that their digests can be compared."""
    return Installation(root / "home", {"site": network / "site", "key_file": root.parent / "pseudonym.key"})


@pytest.fixture(scope="module")
def clean(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """The network's files as they are, taken at once."""
    root = tmp_path_factory.mktemp("same") / "plain"
    plain = installation(root, network)
    digest = plain.stages("ingest", "build", paths=[network / "files"])["build"]["digest"]
    plain.settings["part_exams"] = 25
    assert plain.digest(full=True) == digest
    return Clean(root.parent, pieces(network / "files"), digest, plain.ledger())


@pytest.fixture
def parsed_here(clean: Clean, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsing without processes, of which many would be started, and runs of keys after some hundred rows.

    The clean answer has been given with processes and without runs.
    """

    def parse(parser: Parser, candidates: Iterable[Candidate]) -> Iterator[JobResult]:
        settings = parser.settings
        yield run_job(list(candidates), parser.site, settings.file_seconds, settings.worker_memory_mb << 19)

    assert clean.digest
    monkeypatch.setattr(Parser, "parse", parse)
    monkeypatch.setattr(key_runs, "MOST_LOOSE", 200)


@pytest.mark.usefixtures("parsed_here")
@pytest.mark.parametrize(("n_batches", "build_every"), [
    (7, 1), pytest.param(1, 1, marks=slow), pytest.param(24, 6, marks=slow),
])  # fmt: skip
def test_everything_twice_shuffled_in_batches(
    network: Path, clean: Clean, tmp_path_factory: pytest.TempPathFactory, n_batches: int, build_every: int
) -> None:
    shuffled = installation(clean.root / f"shuffled{n_batches}", network)
    chance = random.Random(n_batches)  # noqa: S311
    twice = chance.sample(clean.pieces * 2, len(clean.pieces) * 2)
    for batch in range(n_batches):
        shuffled.deliver(f"{batch:02}", twice[batch::n_batches])
        shuffled.stages("ingest")
        if batch % build_every == build_every - 1:
            shuffled.digest()
    assert shuffled.digest() == clean.digest
    assert shuffled.digest(full=True) == clean.digest

    sums = shuffled.ledger()
    assert sums["read"] == 2 * clean.ledger["read"] >= 2 * len(clean.pieces)
    assert [sums[fate] for fate in ("kept", "rejected")] == [clean.ledger[fate] for fate in ("kept", "rejected")]
    assert shuffled.rows("SELECT count(*) FROM raw_batch", "intake.duckdb") == [(n_batches,)]


@pytest.mark.usefixtures("parsed_here")
@pytest.mark.parametrize(
    ("late", "least"),
    [
        ("ADT.A(18|24|34|4[0-9])", 1), ("ORU|MDM", 50), ("ADT", 20),
        *(pytest.param(*other, marks=slow) for other in (("ORM|OMI|OMG", 60), ("SIU", 10), ("DFT", 10))),
    ],
)  # fmt: skip
def test_one_kind_of_message_after_a_build_of_all_others(network: Path, clean: Clean, late: str, least: int) -> None:
    """Orders after their results, merges after the exams of both, bills after reports ..."""
    kind = re.compile(rb"MSH[^\r]*?[|](%b)" % late.encode())
    last = [piece for piece in clean.pieces if piece.suffix == ".hl7" and kind.match(piece.data)]
    assert len(last) >= least
    house = installation(clean.root / f"late-{late}", network)
    house.deliver("first", [piece for piece in clean.pieces if piece not in last])
    assert house.stages("ingest", "build")["build"]["digest"] != clean.digest
    house.deliver("last", last)
    assert house.stages("ingest", "build")["build"]["digest"] == clean.digest


@pytest.mark.usefixtures("parsed_here")
@slow
def test_days_from_the_last_to_the_first(network: Path, clean: Clean) -> None:
    house = installation(clean.root / "backwards", network)
    days: dict[str, list[Path]] = {}
    for path in (network / "files").rglob("*.hl7"):
        days.setdefault(path.parent.name, []).append(path)
    rest = [path for path in (network / "files").iterdir() if path.name != "hl7"]
    assert len(days) >= 6
    for day in sorted(days, reverse=True):
        house.stages("ingest", "build", paths=days[day])
    assert house.stages("ingest", "build", paths=rest or days[day])["build"]["digest"] == clean.digest


def test_a_month_that_comes_after_the_next(tmp_path: Path) -> None:
    simulate(tmp_path, exams=100, days=61, seed=31, start=date(2026, 9, 1))
    files = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
    early = [path for path in files if path.parent.name.startswith("202609")]
    digests = set()
    for name, batches in {"at-once": [files], "late": [[f for f in files if f not in early], early]}.items():
        house = Installation(tmp_path / name, {"site": tmp_path / "site", "key_file": tmp_path / "key"})
        built = [house.stages("ingest", "build", paths=paths)["build"]["digest"] for paths in batches]
        digests |= {built[-1], house.digest(full=True)}
    assert len(early) > 50
    assert len(digests) == 1
