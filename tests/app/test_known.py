"""What was known when: the kept snapshots on a number's page, the address that shows one, and its banner."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from app import answers, shell
from app.context import Context
from app.guard import Person
from app.sections import known
from app.server import create_app
from app.state import State
from sql.filters import FilterError
from sql.snapshot import MOST_OLDER, SnapshotError, Store


@pytest.fixture(scope="module")
def two(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The home's snapshot as number 2, and before it one in which an exam had no final report yet."""
    folder = tmp_path_factory.mktemp("two") / "published"
    folder.mkdir()
    newest = (home / "published" / "radops.duckdb").resolve()
    for seq in (1, 2):
        path = folder / f"radops-{seq:06d}.duckdb"
        shutil.copyfile(newest, path)
        path.chmod(0o600)
        with duckdb.connect(str(path)) as con:
            con.execute("UPDATE meta_snapshot SET seq = ?, snapshot_id = ?", [seq, f"{seq:06d}-test"])
            if seq == 1:
                con.execute("""UPDATE fct_exam SET first_final_at = NULL, report_final_min = NULL WHERE exam_key = (
                    SELECT exam_key FROM fct_exam WHERE is_countable AND report_final_min > 0
                    ORDER BY exam_ended_at DESC, exam_key LIMIT 1)""")
    (folder / "radops.duckdb").symlink_to("radops-000002.duckdb")
    return Store(folder)


def context(store: Store, search: str) -> Context:
    snapshot = answers.asked(store, search)
    return Context(snapshot, State.read(search, snapshot.data_through), Person("test", sees_readers=True), store=store)


def test_the_page_tells_then_and_now(two: Store) -> None:
    asked = context(two, "?metric=report_final&then=1")
    assert known.REPORTED.ask(asked)["seq"].to_list() == [2, 1]
    why = known.WHY.ask(asked)
    assert why.select("step", "reason", "n").rows()[1:-1] == [("added", "waiting: first_final", 1)]
    assert len(known.cards(asked, asked.chosen)) == 2


def test_older_snapshots_are_asked_only_where_the_address_says_so(two: Store) -> None:
    """Each of them costs a question, and the way from one to the other reads both whole."""
    fresh = Store(two.folder)
    asked = context(fresh, "?metric=report_final")
    made = str(known.cards(asked, asked.chosen))
    assert "Older snapshots that are kept: 1." in made
    assert "then=1" in made
    assert not fresh._older
    assert known.cards(context(two, "?metric=report_final&known=1"), asked.chosen) == []  # the first: none is older


def test_the_newest_are_asked_and_few_stay_open(two: Store, tmp_path: Path) -> None:
    """Each is opened for it, with an engine of its own; the rest are told of, and are in the CSV file."""
    n_kept = known.ASKED + 3
    for seq in range(1, n_kept + 1):
        (tmp_path / f"radops-{seq:06d}.duckdb").hardlink_to(two.at(2).path)
        newest = tmp_path / f"radops-{seq:06d}.duckdb"
    (tmp_path / "radops.duckdb").symlink_to(newest.name)
    store = Store(tmp_path)
    asked = context(store, "?metric=report_final&then=1")
    made = str(known.cards(asked, asked.chosen))
    assert "3 more in the CSV file" in made
    assert len(store._older) == MOST_OLDER
    all_of_them = known.REPORTED.ask(asked)
    assert all_of_them.height == n_kept
    assert known._reported(asked, known.ASKED).equals(all_of_them.head(known.ASKED)), "the CSV file's first rows"
    assert len(store._older) == MOST_OLDER


@pytest.mark.parametrize(("then", "seq"), [("1", 1), ("2", 2), ("9", 2), ("3", 2)])
def test_the_address_says_which_one_is_compared(two: Store, tmp_path: Path, then: str, seq: int) -> None:
    """Of one that is not kept, or is the one shown, the last before it."""
    for number in (1, 2, 3):
        path = tmp_path / f"radops-{number:06d}.duckdb"
        shutil.copyfile(two.at(2).path, path)
        path.chmod(0o600)
        with duckdb.connect(str(path)) as con:
            con.execute("UPDATE meta_snapshot SET seq = ?", [number])
    (tmp_path / "radops.duckdb").symlink_to("radops-000003.duckdb")
    compared = known.then(context(Store(tmp_path), f"?metric=report_final&then={then}"))
    assert compared is not None
    assert compared.seq == seq


def test_an_address_shows_what_was_known(two: Store) -> None:
    asked = context(two, "?metric=report_final&known=1")
    assert asked.snapshot.seq == 1
    assert "known=1" in asked.state.bare().href("/turnaround")
    assert "As known on" in str(shell.banner(asked))
    assert "As known on" not in str(shell.banner(context(two, "?metric=report_final")))
    made = answers.download(two, asked.person, "known.reported", "?metric=report_final&known=1")
    assert made is not None
    assert made.snapshot == "000001-test"


def test_a_single_snapshot_has_nothing_to_compare(store: Store) -> None:
    asked = context(store, "?metric=report_final")
    assert known.cards(asked, asked.chosen) == []


def test_a_number_that_is_not_kept_is_told(two: Store) -> None:
    with pytest.raises(SnapshotError, match="radops-000009"):
        context(two, "?known=9")
    with pytest.raises(FilterError, match="number of a snapshot"):
        context(two, "?known=newest")


def test_numbers_of_thousands_of_digits_are_no_failure(two: Store) -> None:
    """Python makes no number of more than 4,300."""
    client = create_app(two.folder).server.test_client()
    assert b"This snapshot is not kept" in client.get(f"/view/?known={'9' * 5000}").data
    assert client.get(f"/view/exams?page={'9' * 5000}").status_code == 200


def test_a_link_to_a_snapshot_that_is_gone_says_so(two: Store, tmp_path: Path) -> None:
    client, person = create_app(two.folder).server.test_client(), Person("somebody")
    told = client.get("/view/turnaround?known=9").get_json()
    assert "This snapshot is not kept any more" in json.dumps(told["page"])
    assert told["nav"]
    assert answers.page(two, person, "/turnaround", "?known=9", "light").title.startswith("This snapshot is not kept")
    assert client.get("/csv/turnaround.headline.csv?known=9").status_code == 404
    empty = create_app(tmp_path).server.test_client()
    assert b"Nothing is published yet" in empty.get("/view/turnaround?known=9").data
    assert empty.get("/csv/turnaround.headline.csv").status_code == 503


def test_a_page_that_an_older_snapshot_cannot_show_is_told(two: Store, tmp_path: Path) -> None:
    """One published before the marts of queues; one of today that lacks them is damaged, which is not hidden."""
    for seq, signature in ((1, "older"), (2, None)):
        path = tmp_path / f"radops-{seq:06d}.duckdb"
        shutil.copyfile(two.at(seq).path, path)
        with duckdb.connect(str(path)) as con:
            con.execute("DROP TABLE fct_queue_read")
            con.execute("UPDATE meta_snapshot SET signature = coalesce(?, signature)", [signature])
    (tmp_path / "radops.duckdb").symlink_to("radops-000002.duckdb")
    person = Person("test", sees_readers=True)
    shown = answers.page(Store(tmp_path), person, "/workload", "?known=1", "light")
    assert "earlier version of radops" in str(shown.page)
    with pytest.raises(duckdb.CatalogException):
        answers.page(Store(tmp_path), person, "/workload", "?known=2", "light")


def test_a_snapshot_that_does_not_tell_its_definitions_has_no_value(two: Store, tmp_path: Path) -> None:
    """One published before snapshots brought their definitions."""
    for seq in (1, 2):
        shutil.copyfile(two.at(seq).path, tmp_path / f"radops-{seq:06d}.duckdb")
    (tmp_path / "radops.duckdb").symlink_to("radops-000002.duckdb")
    with duckdb.connect(str(tmp_path / "radops-000001.duckdb")) as con:
        con.execute("DROP TABLE meta_definition")
        con.execute("UPDATE meta_snapshot SET signature = 'older'")
    asked = context(Store(tmp_path), "?metric=report_final&then=1")
    assert known.REPORTED.ask(asked)["n"].to_list()[1] is None
    assert known.WHY.ask(asked).is_empty()
    assert len(known.cards(asked, asked.chosen)) == 2
