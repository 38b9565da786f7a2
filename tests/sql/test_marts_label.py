"""Names against image headers, by hand: what is told, what contradicts, and what is taken all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.raw_rows import Row
from tests.warehouse import Warehouse, event, exam, image

KINDS = ("modality", "region", "laterality", "contrast", "views")
#: Name, columns of the order, headers of each image, attributes told, attributes against, procedure in the end.
CASES: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]], set[str], set[str], str | None]] = {
    "agreement": ("CT HEAD WO CONTRAST", {}, [{"body_part": "Brain"}], {"modality", "region"}, set(), "CT_HEAD_WO"),
    "nothing told": ("CT HEAD WO CONTRAST", {}, [{"modality": "SR"}], set(), set(), "CT_HEAD_WO"),
    "unknown body part": ("CT HEAD WO CONTRAST", {}, [{"body_part": "ROUTINE"}], {"modality"}, set(), "CT_HEAD_WO"),
    "other body part": ("CT HEAD WO CONTRAST", {}, [{"body_part": "ABDOMEN"}], {"modality", "region"}, {"region"},
                        None),
    "one of two body parts": ("CT HEAD WO CONTRAST", {}, [{"body_part": "CHEST"}, {"body_part": "HEAD"}],
                              {"modality", "region"}, set(), "CT_HEAD_WO"),
    "part around": ("CT CERVICAL SPINE WO CONTRAST", {}, [{"body_part": "NECK"}], {"modality", "region"}, set(),
                    "CT_CSPINE_WO"),
    "whole body": ("CT HEAD WO CONTRAST", {}, [{"body_part": "WHOLEBODY"}], {"modality"}, set(), "CT_HEAD_WO"),
    "decided, other body part": ("CT HEAD", {"procedure_code": "CTH"}, [{"body_part": "ABDOMEN"}],
                                 {"modality", "region"}, {"region"}, "CT_HEAD_WO"),
    "own code, other body part": ("CT HEAD", {"alternate_code": "CT_HEAD_WO"}, [{"body_part": "ABDOMEN"}],
                                  {"modality", "region"}, {"region"}, "CT_HEAD_WO"),
    "other side": ("CT KNEE LEFT WO CONTRAST", {}, [{"laterality": "R"}], {"modality", "laterality"}, {"laterality"},
                   None),
    "both sides": ("CT KNEE LEFT WO CONTRAST", {}, [{"laterality": "R"}, {"laterality": "L"}],
                   {"modality", "laterality"}, set(), "CT_KNEE_L_WO"),
    "side of no pair": ("CT HEAD WO CONTRAST", {}, [{"laterality": "R"}], {"modality"}, set(), "CT_HEAD_WO"),
    "side unknown": ("CT KNEE LEFT WO CONTRAST", {}, [{"laterality": "U"}], {"modality"}, set(), "CT_KNEE_L_WO"),
    "agent given": ("CT HEAD WO CONTRAST", {}, [{}, {"contrast_agent": "Iohexol 350"}], {"modality", "contrast"},
                    {"contrast"}, None),
    "agent given and denied": ("CT HEAD WO CONTRAST", {}, [{"contrast_agent": "none"}, {"contrast_agent": "Iohexol"}],
                               {"modality", "contrast"}, {"contrast"}, None),
    "agent denied": ("CT HEAD WO CONTRAST", {}, [{"contrast_agent": "None"}], {"modality", "contrast"}, set(),
                     "CT_HEAD_WO"),
    "agent by mouth": ("CT ABDOMEN WO CONTRAST", {}, [{"contrast_agent": "oral"}], {"modality"}, set(), "CT_ABD_WO"),
    "agent missing": ("CT HEAD W CONTRAST", {}, [{}], {"modality"}, set(), "CT_HEAD_W"),
    "agent denied in an exam with": ("CT HEAD W CONTRAST", {}, [{"contrast_agent": "NONE"}], {"modality", "contrast"},
                                     {"contrast"}, None),
    "without, then with": ("CT HEAD W WO CONTRAST", {}, [{"contrast_agent": "NONE"}, {"contrast_agent": "Iohexol"}],
                           {"modality", "contrast"}, set(), "CT_HEAD_WWO"),
    "more views": ("XR CHEST 1 VIEW", {"modality": "DX"}, [{"modality": "DX", "view": "PA"},
                   {"modality": "DX", "view": "LL"}], {"modality", "views"}, {"views"}, None),
    "one view twice": ("XR CHEST 1 VIEW", {"modality": "DX"}, [{"modality": "DX", "view": "PA"},
                       {"modality": "DX", "view": "PA"}], {"modality", "views"}, set(), "XR_CHEST_1V"),
    "fewer views": ("XR CHEST 2 VIEWS", {"modality": "DX"}, [{"modality": "CR", "view": "PA"}], {"modality", "views"},
                    set(), "XR_CHEST_2V"),
    "other modality": ("CT HEAD WO CONTRAST", {"procedure_code": "CTH"}, [{"modality": "MR"}], {"modality"},
                       {"modality"}, "CT_HEAD_WO"),
    "other modality, by name": ("CT HEAD WO CONTRAST", {}, [{"modality": "MR"}], {"modality"}, {"modality"}, None),
    "CT of a PET/CT": ("PET CT WHOLE BODY", {"modality": "PT"}, [{"modality": "CT"}], {"modality"}, set(), "PET_CT_WB"),
    "projections of an ultrasound": ("CHEST PA AND LATERAL", {"modality": "US"}, [{"modality": "US"}], set(), set(),
                                     None),
    "outside images": ("CT HEAD WO CONTRAST", {}, [{"body_part": "ABDOMEN", "imported_at": "2026-03-01 08:00"}],
                       set(), set(), "CT_HEAD_WO"),
    "a listing": ("CT HEAD WO CONTRAST", {}, [{"body_part": "ABDOMEN", "standard": "fhir"}], set(), set(),
                  "CT_HEAD_WO"),
}  # fmt: skip


def rows_of(number: int, name: str, order: dict[str, Any], headers: list[dict[str, Any]]) -> list[Row]:
    accession, mrn = f"A{number:02d}", str(number)
    given = {"procedure_code": f"X{number}", "procedure_text": name, **order}
    times = ("2026-03-02 15:00", "2026-03-02 15:30")
    series = {"study_uid": f"1.{number}", "series_uid": f"1.{number}.1"}
    return [
        *exam(accession, *times, mrn=mrn, **given),
        *(image(f"s{number}-{n}", times[0], accession, mrn=mrn, **series, **said) for n, said in enumerate(headers)),
    ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    rows = [row for n, (name, order, headers, *_) in enumerate(CASES.values()) for row in
            rows_of(n, name, order, headers)]  # fmt: skip
    return Warehouse(tmp_path_factory.mktemp("labels")).built(*rows)


@pytest.mark.parametrize("case", CASES)
def test_headers_against_the_name(case: str, house: Warehouse) -> None:
    *_, told, against, procedure = CASES[case]
    columns = ", ".join(f"l.is_{kind}_told, l.is_{kind}_against" for kind in KINDS)
    taken, is_told, is_against, method, *flags = house.row(f"""
        SELECT e.procedure, l.is_told, l.is_against, l.method, {columns}
        FROM fct_label l JOIN fct_exam e USING (exam_key)
        WHERE e.accession = 'A{[*CASES].index(case):02d}'""")
    assert taken == procedure
    assert {kind for kind, flag in zip(KINDS, flags[::2], strict=True) if flag} == told
    assert {kind for kind, flag in zip(KINDS, flags[1::2], strict=True) if flag} == against
    assert (is_told, is_against) == (bool(told), bool(against))
    assert (method == "conflict") == (procedure is None)


def test_a_rejected_view_is_no_view_more(tmp_path: Path) -> None:
    rows = rows_of(1, "XR CHEST 1 VIEW", {"modality": "DX"}, [{"modality": "DX", "view": "PA"},
                                                             {"modality": "DX", "view": "LL"}])  # fmt: skip
    house = Warehouse(tmp_path).built(*rows)
    asked = "SELECT e.procedure, l.header_views FROM fct_label l JOIN fct_exam e USING (exam_key)"
    assert house.row(asked) == (None, 2)
    reject: Row = ("reject", {"standard": "dicom", "source": "NORTHDX1", "facility_alias": "NORTH", "accession": "A01",
                              "patient_id": "1", "patient_authority": "NORTH", "sop_hash": "s1-1", "study_uid": "1.1",
                              "series_uid": "1.1.1", "at": "2026-03-02 15:20", "reason_code": "111209"})  # fmt: skip
    house.built(reject)
    assert house.row(asked) == ("XR_CHEST_1V", 1)


def test_a_contradiction_is_proposed_and_a_decision_ends_it(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(*rows_of(1, "CT HEAD WO CONTRAST", {}, [{"body_part": "ABDOMEN"}]))
    asked = "SELECT method, candidate, proposal, header_region, is_against FROM fct_label"
    assert house.row(asked) == ("conflict", "CT_HEAD_WO", "CT_HEAD_WO", "ABDOMEN", True)
    path = house.site / "procedures.csv"
    path.write_text(path.read_text("utf-8") + "NORTH,X1,,CT_HEAD_WO,ann,\n", "utf-8")
    house.build()
    assert house.row(asked) == ("site", "CT_HEAD_WO", None, "ABDOMEN", True)
    assert house.row("SELECT procedure FROM fct_exam") == ("CT_HEAD_WO",)


def test_a_name_has_one_key_in_its_facility(tmp_path: Path) -> None:
    house = Warehouse(tmp_path).built(
        *rows_of(1, "CT HEAD WO CONTRAST", {"procedure_code": "H1"}, []),
        *rows_of(2, "CT HEAD WITHOUT CONTRAST", {"procedure_code": "H1"}, []),
        *rows_of(3, "CT HEAD WITHOUT CONTRAST", {"procedure_code": None}, []),
        *rows_of(4, "CT HEAD W CONTRAST", {"procedure_code": None}, []),
        event("arrived", "2026-03-02 15:00", "A09", mrn="9"),
    )  # fmt: skip
    keys = dict(house.rows("SELECT e.accession, l.label_key FROM fct_label l JOIN fct_exam e USING (exam_key)"))
    assert keys["A01"] == keys["A02"]
    assert len(set(keys.values())) == 4
