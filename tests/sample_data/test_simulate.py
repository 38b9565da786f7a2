"""A whole run: the same twice, of the asked size, and its truth is what the product's own parser reads back."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from etl.site import CSV_FILES, load_site
from etl.sources import hl7
from sample_data.hl7_faults import FAULTS
from sample_data.simulate import Summary, simulate
from tests.sample_data.conftest import EXAMS


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(folder)).encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def run(out: Path, seed: int) -> str:
    simulate(out, exams=90, days=9, seed=seed, start=date(2026, 10, 26))
    return digest(out)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    assert run(tmp_path / "a", 1) == run(tmp_path / "b", 1)
    assert run(tmp_path / "a", 2) != run(tmp_path / "b", 1)


@pytest.mark.parametrize(("exams", "days"), [(0, 5), (5, 0)])
def test_sizes_that_make_no_run(tmp_path: Path, exams: int, days: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        simulate(tmp_path, exams=exams, days=days, seed=1)


def test_the_site_can_be_loaded(messages: tuple[Path, Summary]) -> None:
    folder = messages[0] / "site"
    site = load_site(folder)
    assert [f.id for f in site.facilities] == ["NORTH", "EAST", "WEST", "SOUTH"]
    for name, columns in CSV_FILES.items():
        if name == "loinc.csv":  # the shipped codes are enough
            continue
        assert (folder / name).read_text("utf-8").splitlines()[0].split(",") == list(columns)


Events = dict[tuple[str, str], list[dict[str, Any]]]
#: Sender, kind, field and reason of a defect.
Found = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def read_back(messages: tuple[Path, Summary]) -> tuple[Events, list[tuple[str, int, str]], int, Counter[Found]]:
    """Events by (facility, accession), rejected messages, how many messages were read, and defects of each once."""
    out = messages[0]
    site = load_site(out / "site")
    orders: dict[str, tuple[str, str]] = {}
    loose: list[dict[str, Any]] = []
    rejected: list[tuple[str, int, str]] = []
    read = 0
    once: dict[tuple[bytes, str], str] = {}  # a message that came twice counts once
    for path in sorted((out / "files" / "hl7").rglob("*.hl7")):
        parsed = hl7.parse(path.read_bytes(), site)
        read += parsed.read
        rejected += [(str(path.relative_to(out / "files")), r.position, r.reason) for r in parsed.rejected]
        lines = hl7.messages(path.read_bytes())
        for defect in parsed.defects:
            once[lines[defect.position], defect.field] = defect.reason
        for row in parsed.records("order"):
            facility = site.facility_of(row["facility_alias"])
            if facility and row["accession"]:
                orders[row["placer_id"]] = (facility.id, row["accession"])
        loose += parsed.records("event")
    events: Events = defaultdict(list)
    for event in loose:
        if event["origin"] != "adt":
            events[orders[event["placer_id"]]].append(event)
    defects: Counter[Found] = Counter()
    for (message, field), reason in once.items():
        head = message.decode("latin-1").split("\r")[0].split(chr(message[3]))
        defects[f"{head[2]}@{head[3]}", "^".join(head[8].split("^")[:2]), field, reason] += 1
    return events, rejected, read, defects


def test_every_message_is_read_and_the_broken_ones_are_foretold(
    messages: tuple[Path, Summary], read_back: tuple[Events, list[tuple[str, int, str]], int, Counter[Found]]
) -> None:
    out, summary = messages
    _, rejected, read, _ = read_back
    assert read == summary.messages
    assert rejected
    assert sorted(pl.read_parquet(out / "truth" / "quarantine.parquet").rows()) == sorted(rejected)


def test_every_planted_fault_is_found_and_nothing_else(
    messages: tuple[Path, Summary], read_back: tuple[Events, list[tuple[str, int, str]], int, Counter[Found]]
) -> None:
    planted: Counter[Found] = Counter()
    for row in pl.read_parquet(messages[0] / "truth" / "fault.parquet").to_dicts():
        planted[row["source"], row["kind"], row["field"], row["reason"]] += row["n_defects"]
    assert read_back[3] == planted
    assert {(fault.sender, fault.field) for fault in FAULTS} == {(sender, field) for sender, _, field, _ in planted}


def test_laboratory_results_are_there_and_are_no_exams(messages: tuple[Path, Summary]) -> None:
    out = messages[0]
    site = load_site(out / "site")
    files = [p for p in (out / "files" / "hl7" / "NORTH").rglob("*.hl7") if b"|LAB|" in p.read_bytes()]
    assert files
    rows = [r for p in files for r in hl7.parse(p.read_bytes(), site).records("report")]
    assert not [r for r in rows if r["source"].startswith("LAB@")]


#: Truth column -> event, origins from best to worst, first or last.
MILESTONES: dict[str, tuple[str, tuple[str, ...], Any]] = {
    "ordered_at": ("ordered", ("order",), min),
    "booked_at": ("scheduled", ("schedule",), min),
    "arrived_at": ("arrived", ("ris",), min),
    "exam_started_at": ("exam_started", ("ris", "report"), min),
    "exam_ended_at": ("exam_ended", ("ris", "report"), max),
    "images_available_at": ("images_available", ("ris",), min),
    "read_started_at": ("read_started", ("report",), min),
    "first_prelim_at": ("preliminary_report", ("report",), min),
    "last_prelim_at": ("preliminary_report", ("report",), max),
    "first_final_at": ("final_report", ("report",), min),
    "last_final_at": ("final_report", ("report",), max),
    "critical_found_at": ("critical_found", ("report",), min),
    "critical_communicated_at": ("critical_communicated", ("report",), min),
}
FLAGS = {"is_cancelled": "cancelled", "is_no_show": "no_show", "is_discontinued": "discontinued"}


def best(events: list[dict[str, Any]], column: str) -> datetime | None:
    code, origins, pick = MILESTONES[column]
    for origin in origins:
        times = [e["at"] for e in events if e["code"] == code and e["origin"] == origin]
        if times:
            at: datetime = pick(times)
            return at
    return None


def test_the_truth_is_what_can_be_read(
    messages: tuple[Path, Summary], read_back: tuple[Events, list[tuple[str, int, str]], int, Counter[Found]]
) -> None:
    events = read_back[0]
    rows = pl.read_parquet(messages[0] / "truth" / "exam.parquet").filter(pl.col("facility") != "SOUTH").to_dicts()
    wrong = []
    for row in rows:
        known = events[row["facility"], row["accession"]]
        wrong += [(row["accession"], c) for c in MILESTONES if best(known, c) != row[c]]
        wrong += [(row["accession"], c) for c, code in FLAGS.items() if any(e["code"] == code for e in known) != row[c]]
    assert wrong == []
    assert len(rows) > EXAMS / 2
    filled = {c: sum(row[c] is not None for row in rows) for c in MILESTONES}
    assert all(filled.values()), filled


def test_charges_add_up(messages: tuple[Path, Summary]) -> None:
    out = messages[0]
    site = load_site(out / "site")
    fees = dict(pl.read_csv(out / "site" / "fees.csv").select("charge_code", "wrvu").iter_rows())
    sums: dict[tuple[str, str], float] = defaultdict(float)
    charges: dict[tuple[str, int], dict[str, Any]] = {}  # a message that came twice counts once
    for path in sorted((out / "files" / "hl7").rglob("*.hl7")):
        for row in hl7.parse(path.read_bytes(), site).records("charge"):
            charges[row["message_id"], row["row_number"]] = row
    for charge in charges.values():
        facility = site.facility_of(charge["facility_alias"])
        assert facility is not None
        sign = -1 if charge["transaction_type"] == "CD" else 1
        sums[facility.id, charge["accession"]] += sign * (charge["quantity"] or 1.0) * fees[charge["charge_code"]]
    rows = pl.read_parquet(out / "truth" / "exam.parquet").filter(pl.col("wrvu").is_not_null()).to_dicts()
    assert {(r["facility"], r["accession"]): r["wrvu"] for r in rows} == {k: pytest.approx(v) for k, v in sums.items()}


def test_every_exam_leaves_a_trace(network_files: tuple[Path, Summary]) -> None:
    rows = pl.read_parquet(network_files[0] / "truth" / "exam.parquet")
    silent = rows.filter(~pl.col("has_order"))
    assert len(silent) > 0
    assert silent.filter(~pl.col("has_study") & pl.col("exam_started_at").is_null()).is_empty()
