"""Exams of which a night learns another patient, and nothing else: their rows are as they were, under another key."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import pytest

from etl import build_places
from etl.build_models import plan_build
from tests.etl.test_build_places import astray
from tests.raw_rows import Row, link
from tests.slow import first_of
from tests.warehouse import Choices, Warehouse, event, exam, image, order, report

OF_PATIENTS = {"fct_exam", "fct_outside_prior", "fct_import"}
DAY = "2026-03-02"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many exams the places of which a night looked for, time by time."""
    found = []

    def watched(con: duckdb.DuckDBPyConnection) -> None:
        build_places_find(con)
        found.append(int(con.execute("SELECT count(*) FROM touched_exam").fetchall()[0][0]))

    build_places_find = build_places.find_exams
    monkeypatch.setattr("etl.build_places.find_exams", watched)
    return found


def rich(mrn: str, accession: str, day: str) -> list[Row]:
    """An exam with all that tells of patients: a prior elsewhere was declared, and images came from outside."""
    prior = {"outside_prior": "held", "outside_modality": "CT", "outside_body_part": "HEAD"}
    study = f"7.{accession}"
    return [
        *exam(accession, f"{day} 10:00", f"{day} 10:20", mrn=mrn, final=f"{day} 12:00", **prior),
        image(accession, f"{day} 10:05", accession, mrn=mrn, study_uid=f"1.{accession}"),
        image(study, f"{day} 08:00", None, mrn=mrn, study_uid=study, imported_at=f"{day} 09:00"),
        event("images_imported", f"{day} 09:00", None, mrn=mrn, origin="image", study_uid=study),
    ]


def rows_by_place(house: Warehouse, mart: str) -> list[tuple[object, ...]]:
    return house.rows(f"SELECT rowid, * FROM {mart} ORDER BY rowid")


def test_an_exam_takes_its_key_alone_from_its_patient() -> None:
    """Else more than that would have to be made again."""
    plan = plan_build()
    reading = {m.name for m in (*plan.common, *plan.staging, *plan.exam_marts) if re.search(r"patient_key", m.body)}
    assert reading == {"stg_exam", "stg_exam_fact", *OF_PATIENTS}
    (fact,) = (model for model in plan.staging if model.name == "stg_exam_fact")
    assert re.findall(r"[\w.]*patient_key[^,]*", fact.body) == ["x.patient_key"]
    for model in plan.exam_marts:
        assert (model.name in OF_PATIENTS) == any(column.name == "patient_key" for column in model.columns)
        if model.name in OF_PATIENTS:
            assert set(re.findall(r"[\w.]*patient_key[^,\n]*", model.body)) == {"f.patient_key"}
    for model in (*plan.common, *plan.staging, *plan.exam_marts):
        assert not re.search(r"\b(?:person|patient)\b(?!_class)", model.body), model.name


def test_only_rows_with_the_patient_are_written_again(tmp_path: Path, looked: list[int]) -> None:
    house = Warehouse(tmp_path).built(*rich("1", "A1", DAY), *rich("2", "A2", "2026-03-03"), *rich("3", "A3", DAY))
    marts = [model.name for model in plan_build().exam_marts]
    before = {mart: rows_by_place(house, mart) for mart in marts}
    assert all(before[mart] for mart in OF_PATIENTS)
    house.load(link("merge", "1", "2", "2026-03-04"))
    night = house.build()
    assert not night.is_full
    n_moved = night.touched
    assert looked == [n_moved, 0]
    after = {mart: rows_by_place(house, mart) for mart in marts}
    assert {mart for mart in marts if after[mart] != before[mart]} == OF_PATIENTS
    assert astray(house) == {}
    house.load(report("2026-03-05 10:00", "A2", mrn="2", interpreter_id="R7"), link("unlink", "1", "2", "2026-03-05"))
    night = house.build()
    assert astray(house) == {}
    assert house.build(full=True).digest == night.digest


def test_an_exam_with_news_is_made_again_as_a_whole(tmp_path: Path, looked: list[int]) -> None:
    """Of the exams of a patient who becomes another one, one gets a report in the same night; in the next, an order of
    a further number says that it is of the same study as the other."""
    house = Warehouse(tmp_path).built(*rich("1", "A1", DAY), *rich("2", "A2", DAY), *rich("2", "A3", "2026-03-03"))
    house.load(
        link("merge", "1", "2", "2026-03-04"), report("2026-03-04 10:00", "A3", mrn="2", interpreter_id="R7"),
    )  # fmt: skip
    assert not house.build().is_full
    assert looked == [3, 1]  # with what was imported for either
    house.load(link("unlink", "1", "2", "2026-03-05"), order("2026-03-04 11:00", "A4", mrn="2", study_uid="1.A2"))
    night = house.build()
    assert not night.is_full
    assert house.build(full=True).digest == night.digest


def test_one_number_of_two_patients_is_one_exam_once_they_are_one(tmp_path: Path) -> None:
    """No mention is new, but exams are others than before."""
    house = Warehouse(tmp_path).built(*rich("1", "A1", DAY), *rich("2", "A1", "2026-03-09"))
    exams = "SELECT count(*) FROM fct_exam WHERE has_order"
    assert house.row(exams) == (2,)
    for change, n in ((link("merge", "1", "2", "2026-03-10"), 1), (link("unlink", "1", "2", "2026-03-11"), 2)):
        house.load(change)
        night = house.build()
        assert not night.is_full
        assert house.row(exams) == (n,)
        assert house.build(full=True).digest == night.digest


def test_of_exams_at_unknown_places_all_is_looked_at(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*rich("1", "A1", DAY), *rich("2", "A2", DAY))
    house.load(order("2026-03-04 08:00", "A9"))
    house.build()
    with duckdb.connect(str(house.marts)) as con:
        build_places.settle(con)
        con.execute("DELETE FROM meta_place")
    house.load(link("merge", "1", "2", "2026-03-04"))
    house.build()
    house.load(order("2026-03-05 08:00", "A2", mrn="2"))
    night = house.build()
    assert not night.is_full
    assert house.build(full=True).digest == night.digest


@pytest.mark.parametrize("seed", first_of(range(4)))
def test_nights_of_patients_who_merge_and_part_give_what_a_full_build_gives(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    mrns = [str(number) for number in range(1, 6)]
    house = Warehouse(tmp_path, Choices(part_exams=3))
    whose = {f"A{n}": chance.choice(mrns) for n in range(12)}
    for n, (accession, mrn) in enumerate(whose.items()):
        house.load(*rich(mrn, accession, f"2026-03-{2 + n // 3:02}"))
    house.build()
    joined: list[tuple[str, str]] = []
    for night in range(5):
        day = f"2026-04-0{night + 1}"
        one, other = chance.sample(mrns, 2)
        changes = [link("merge", one, other, day)]
        if joined and chance.random() < 0.5:
            changes.append(link("unlink", *joined.pop(chance.randrange(len(joined))), f"{day} 12:00"))
        joined.append((one, other))
        changes += [
            report(f"{day} 10:00", accession, mrn=whose[accession], interpreter_id=f"R{night}")
            for accession in chance.sample(sorted(whose), 2)
        ]
        house.load(*changes)
        told = house.build()
        assert not told.is_full
        assert astray(house) == {}
    assert house.build(full=True).digest == told.digest
