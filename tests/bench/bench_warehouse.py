"""The warehouse as it grows: full builds, the night's batch, publish beside `cp`, and the most memory of each.

Raw rows of one simulated network are copied to other places and days (`tests.bench.growth`); the last days of the
network are held back and ingested afterwards as the night does, into the grown warehouse and into an empty one. Each
step is a process of its own: CPU is its user and system time with that of its parsers, memory its largest resident set.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from etl.intake import open_intake
from etl.known_messages import cover_messages
from sample_data.simulate import simulate
from tests.bench.growth import WINDOWS, multiply, write_site

DAYS, SEED = 60, 5
#: Days of messages that are held back, and exams of the network: some 10,000 messages.
NIGHT_DAYS, EXAMS = 3, 20_400
QUICK_EXAMS = 600
#: Places of the growth table; each has `WINDOWS` times the exams of the network.
PLACES, QUICK_PLACES = (2, 5), (1, 3)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds of the clock and of the processor, and its largest resident set."""

    seconds: float
    cpu: float
    peak_mb: int


def cost(*command: str, **environment: str) -> Cost:
    """What a verb takes as a process of its own. Raises RuntimeError where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "etl.cli", *command],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"radops {command[0]} ended with {process.returncode}")
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024)


def make_network(root: Path, exams: int) -> tuple[Path, Path]:
    """Files to grow from, and the files of the last days."""
    network, night = root / "network", root / "night"
    simulate(network, exams=exams, days=DAYS, seed=SEED, messages_only=True)
    days = sorted({path.name for path in (network / "files" / "hl7").glob("*/*")})
    last = set(days[DAYS - NIGHT_DAYS :])
    for standard in ("hl7", "fhir"):
        for folder in (network / "files" / standard).rglob("*"):
            if folder.is_dir() and folder.name in last:
                target = night / folder.relative_to(network / "files")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(folder, target)
    return network, night


def prepared(home: Path, network: Path, places: int) -> Path:
    """A home whose raw store holds `places` networks over five years."""
    base = home.parent / "base"
    if not base.exists():
        cost("ingest", str(network / "files"), RADOPS_HOME=str(base))
    home.mkdir(mode=0o700)
    shutil.copytree(base / "key", home / "key")
    write_site(base / "site", home / "site", places)
    open_intake(home / "intake.duckdb").close()
    multiply(base / "intake.duckdb", home / "intake.duckdb", places)
    con = open_intake(home / "intake.duckdb")
    cover_messages(con)  # as the loads of a site have done it
    con.close()
    return home


def _scan(intake: Path) -> float:
    """CPU seconds in which the engine reads every column of the raw tables once."""
    with duckdb.connect(str(intake), read_only=True) as con:
        tables = [row[0] for row in con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'").fetchall()]  # fmt: skip
        started = time.process_time()
        for table in tables:
            con.execute(f"SELECT max(COLUMNS(*)) FROM {table}").fetchall()
        return time.process_time() - started


def _cp(home: Path) -> float:
    """Seconds in which the system copies the marts and syncs the copy."""
    started = time.perf_counter()
    copy = home / "copy"
    subprocess.run(["cp", home / "marts.duckdb", copy], check=True)
    subprocess.run(["sync", copy], check=True)
    took = time.perf_counter() - started
    copy.unlink()
    return took


def _grown(root: Path, network: Path, night: Path, places: int) -> dict[str, Any]:
    home = prepared(root / f"grown{places}", network, places)
    built = cost("build", RADOPS_HOME=str(home))
    copied = _cp(home)
    published = cost("publish", RADOPS_HOME=str(home))
    with duckdb.connect(str(home / "marts.duckdb"), read_only=True) as con:
        exams, events = (con.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
                         for name in ("fct_exam", "fct_exam_event"))  # fmt: skip
    scanned = _scan(home / "intake.duckdb")
    facts = {
        "n_exams": exams,
        "n_events": events,
        "raw_mb": (home / "intake.duckdb").stat().st_size >> 20,
        "marts_mb": (home / "marts.duckdb").stat().st_size >> 20,
        "build_cpu_s": built.cpu,
        "build_peak_mb": built.peak_mb,
        "build_exam_us": built.cpu / exams * 1e6,
        "build_scan_ratio": built.cpu / scanned,
        "publish_cp_ratio": published.seconds / copied,
        "publish_peak_mb": published.peak_mb,
    }
    ingested = cost("ingest", str(night), RADOPS_HOME=str(home))
    rebuilt = cost("build", RADOPS_HOME=str(home))
    facts |= {
        "night_ingest_cpu_s": ingested.cpu,
        "night_build_cpu_s": rebuilt.cpu,
        "night_build_peak_mb": rebuilt.peak_mb,
    }
    shutil.rmtree(home)
    return facts


def _empty(root: Path, network: Path, night: Path) -> dict[str, Any]:
    home = root / "empty"
    home.mkdir(mode=0o700)
    shutil.copytree(network / "site", home / "site")
    ingested = cost("ingest", str(night), RADOPS_HOME=str(home))
    built = cost("build", RADOPS_HOME=str(home))
    with duckdb.connect(str(home / "intake.duckdb"), read_only=True) as con:
        messages = con.execute("SELECT sum(n_read) FROM raw_batch").fetchall()[0][0]
    return {
        "n_messages": int(messages),
        "night_ingest_cpu_s": ingested.cpu,
        "night_build_cpu_s": built.cpu,
    }


def run(quick: bool = False) -> dict[str, Any]:
    """Measure; `quick` takes about two minutes. `night` ratios are of the processor, grown to empty."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        network, night = make_network(root, QUICK_EXAMS if quick else EXAMS)
        found: dict[str, Any] = {"windows": WINDOWS, "empty": _empty(root, network, night)}
        for places in QUICK_PLACES if quick else PLACES:
            grown = _grown(root, network, night, places)
            for step in ("ingest", "build"):
                key = f"night_{step}_cpu_s"
                grown[f"night_{step}_ratio"] = grown[key] / found["empty"][key]
            found[f"places_{places}"] = grown
        sizes = [found[key] for key in found if key.startswith("places_")]
        found["build_growth_ratio"] = sizes[-1]["build_exam_us"] / sizes[0]["build_exam_us"]
        return found


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
