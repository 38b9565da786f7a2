"""Exams and patients are sets of identifiers: every order and split of the mentions gives the same answer."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl import key_runs
from etl.build_stage import find_touched
from etl.identity import advance, make_tables, reset, state
from etl.pseudonym import keyed_macro
from etl.site import Facility, Site
from etl.site_tables import load_site_tables
from sql.macros import MACROS
from tests.raw_rows import Row, insert, link
from tests.raw_rows import make_tables as make_raw_tables

KEY = b"k" * 32
SITE = Site(
    facilities=(
        Facility("NORTH", "Northgate", "America/New_York", aliases=("NGH",)),
        Facility("EAST", "Eastfield", "America/New_York"),
    )
)


def mention(facility: str = "NORTH", mrn: str | None = "1", record: str = "event", **ids: str) -> Row:
    authority = facility if mrn else None
    return record, {
        "facility_alias": facility, "patient_id": mrn, "patient_authority": authority, "source": "RIS", **ids,
    }  # fmt: skip


#: Messages of one step of identity: all.
MOST = 1_000_000


class Resolved:
    """The outcome of loading batches and resolving after each."""

    def __init__(self, batches: list[list[Row]], folder: Path | None = None) -> None:
        """In memory, where keys have no runs, or in a `folder`."""
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute(f"ATTACH '{folder / 'intake.duckdb' if folder else ':memory:'}' AS intake")
        make_raw_tables(self.con, "intake.")
        self.con.execute("CREATE TABLE intake.raw_batch (batch_id BIGINT, n_kept BIGINT)")
        load_site_tables(self.con, SITE)
        self.con.execute(keyed_macro(KEY))
        for macro in MACROS:
            self.con.execute(macro.create_duckdb())
        make_tables(self.con)
        for number, rows in enumerate(batches, 1):
            insert(self.con, number, rows, "intake.")
            advance(self.con, number, forget=0, most=MOST)
            self._find_all_of_what_is_touched(number)

    def _find_all_of_what_is_touched(self, batch: int) -> None:
        find_touched(self.con, batch - 1, MOST)
        missed = self.con.execute("""
            SELECT mention FROM intake.work.mention
            WHERE exam_key IN (SELECT exam_key FROM scoped_exam) AND rowid NOT IN (SELECT place FROM logged_mention)
            UNION ALL SELECT mention FROM logged_mention l JOIN intake.work.mention m USING (mention)
            WHERE l.place <> m.rowid OR l.exam_key IS DISTINCT FROM m.exam_key""").fetchall()
        assert missed == []

    def keys(self) -> list[Any]:
        return (
            self.con.execute("SELECT mention, exam_key, component FROM intake.work.mention ORDER BY ALL").fetchall()
            + self.con.execute("SELECT patient, patient_key FROM intake.work.patient ORDER BY ALL").fetchall()
        )

    def n_exams(self) -> int:
        return self._count("count(DISTINCT exam_key)", "mention")

    def n_patients(self) -> int:
        return self._count("count(DISTINCT patient_key)", "patient")

    def flags(self) -> set[str]:
        return {flag for (flag,) in self.con.execute("SELECT DISTINCT flag FROM intake.work.flag").fetchall()}

    def unlinked(self) -> int:
        return self._count("count(*) FILTER (exam_key IS NULL)", "mention")

    def _count(self, what: str, table: str) -> int:
        row = self.con.execute(f"SELECT {what} FROM intake.work.{table}").fetchone()
        assert row is not None
        return int(row[0])


ORDER = mention(accession="A1", placer_id="P1^EHR", filler_id="F1^RIS")
PLACED = mention(placer_id="P1^EHR")
STEP = mention(accession="A1", step_uid="1.2.3", study_uid="1.9")
STEP_END = mention(mrn=None, step_uid="1.2.3")
IMAGE = mention("NGH", study_uid="1.9", record="instance")


def test_one_exam_through_any_identifier_in_all_orders() -> None:
    answers = []
    for number, order in enumerate(itertools.permutations((ORDER, PLACED, STEP, STEP_END, IMAGE))):
        if number % 15 == 0:
            answers.append(Resolved([[row] for row in order]))
    assert {a.n_exams() for a in answers} == {1}
    assert all(a.keys() == answers[0].keys() for a in answers)


CASES: dict[str, tuple[list[Row], int, set[str]]] = {
    "same accession at two facilities": ([mention(accession="7"), mention("EAST", accession="7")], 2, set()),
    "accession reused for another patient": (
        [mention(accession="7", placer_id="P1"), mention(accession="7", mrn="2", placer_id="P2")], 2, {"reused"},
    ),
    "placeholder accession": (
        [mention(accession="N/A", study_uid="1.1"), mention(accession="N/A", study_uid="1.2"),
         mention(accession="000", study_uid="1.3"), mention(accession="Unknown", study_uid="1.4")], 4, set(),
    ),
    "one placer, two accessions: the placer links nothing": (
        [mention(accession="1", placer_id="P"), mention(accession="2", placer_id="P"), mention(placer_id="P")],
        2, {"ambiguous"},
    ),
    "one study read under two accessions": (
        [mention(accession="1", study_uid="1.1"), mention(accession="2", study_uid="1.1"), mention(study_uid="1.1")],
        2, {"bridge"},
    ),
    "one accession with two studies": (
        [mention(accession="1", study_uid="1.1"), mention(accession="1", study_uid="1.2")], 1, set(),
    ),
    "a chain of two accessions falls apart": (
        [mention(accession="1", filler_id="F"), mention(filler_id="F", placer_id="P"),
         mention(accession="2", placer_id="P")], 2, {"tangled"},
    ),
    "an identifier of very many studies": (
        [mention(accession="SAME", study_uid=f"1.{n}") for n in range(30)], 30, {"hub"},
    ),
    "study without order, report without study": ([mention(study_uid="1.1"), mention(filler_id="F")], 2, set()),
    "patient only": ([mention()], 0, set()),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_guards(case: str) -> None:
    rows, n_exams, flags = CASES[case]
    whole = Resolved([rows])
    assert (whole.n_exams(), whole.flags()) == (n_exams, flags)
    for seed in range(2):
        shuffled = random.Random(seed).sample(rows, len(rows))  # noqa: S311
        assert Resolved([shuffled[::2], shuffled[1::2]]).keys() == whole.keys()


def test_merge_joins_the_reused_accession_and_unlink_parts_it_again() -> None:
    rows = [mention(accession="7", placer_id="P1"), mention(accession="7", mrn="2", placer_id="P2")]
    merge, unlink = link("merge", "1", "2", "2026-01-01"), link("unlink", "1", "2", "2026-01-02")
    merged = Resolved([rows, [merge]])
    assert (merged.n_exams(), merged.n_patients()) == (1, 1)
    parted = Resolved([rows, [merge], [unlink]])
    assert (parted.n_exams(), parted.n_patients()) == (2, 2)
    assert Resolved([[unlink], [merge], rows]).keys() == parted.keys()


def test_chained_merges_are_one_patient_and_a_merge_back_after_unlink_counts() -> None:
    chain = [link("merge", "2", "1", "2026-01-01"), link("merge", "3", "2", "2026-01-02")]
    assert Resolved([[row] for row in chain]).n_patients() == 1
    again = [*chain, link("unlink", "3", "2", "2026-01-03"), link("merge", "3", "2", "2026-01-04")]
    assert Resolved([[row] for row in reversed(again)]).n_patients() == 1


def test_equal_numbers_of_two_authorities_are_two_patients() -> None:
    assert Resolved([[mention(accession="1"), mention("EAST", accession="2")]]).n_patients() == 2


COLLIDING = ("accession", "placer_id", "filler_id", "step_uid", "study_uid")


def test_random_mentions_any_split_gives_the_same_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense collisions on purpose: few values a kind, merges and unlinks between; with runs of keys and without."""
    monkeypatch.setattr(key_runs, "MOST_LOOSE", 6)
    monkeypatch.setattr(key_runs, "BLOCK", 5)
    for seed in range(3):
        chance = random.Random(seed)  # noqa: S311
        rows: list[Row] = []
        for _ in range(40):
            kinds = chance.sample(
                ["accession", "placer_id", "filler_id", "step_uid", "study_uid"], chance.randint(1, 3)
            )
            ids = {kind: f"{kind}.{chance.randint(1, 7)}" for kind in kinds}
            rows.append(mention(mrn=chance.choice([None, "11", "12", "13"]), **ids))
        for day in range(1, 5):
            one, two = chance.sample(["11", "12", "13"], 2)
            rows.append(link(chance.choice(["merge", "unlink"]), one, two, f"2026-01-0{day}"))
        answers = []
        for split in range(3):
            order = chance.sample(rows, len(rows))
            size = (44, 15, 9)[split]
            folder = tmp_path / f"{seed}-{split}" if split else None
            if folder:
                folder.mkdir()
            answers.append(Resolved([order[i : i + size] for i in range(0, len(order), size)], folder))
            assert folder is None or len(list((folder / key_runs.FOLDER).glob("mention_run-*"))) >= split
        assert answers[0].keys() == answers[1].keys() == answers[2].keys()


def test_reset_gives_the_same_answer_under_a_new_epoch() -> None:
    answer = Resolved([[ORDER, STEP], [IMAGE, STEP_END]])
    before, epoch = answer.keys(), state(answer.con).epoch
    reset(answer.con, "other site")
    advance(answer.con, 2, forget=0, most=MOST)
    assert answer.keys() == before
    assert state(answer.con).epoch == epoch + 1
