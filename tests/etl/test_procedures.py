"""Names meet at attributes; doubt about laterality or contrast never merges."""

import polars as pl
import pytest

from etl import procedures
from etl.procedures import match_name, normalize, parse_name, resolve

NAME_COLUMNS = (
    "facility", "code", "text", "system", "alternate_code", "alternate_text", "alternate_system", "modality",
    "body_part",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "modality", "procedure"),
    [
        ("Chest X-Ray", "", "XR_CHEST_2V"),
        ("Radiograph, Chest", "", "XR_CHEST_2V"),
        ("XR CHEST PA+LAT", "CR", "XR_CHEST_2V"),
        ("CHEST 1 VIEW PORTABLE", "DX", "XR_CHEST_1V"),
        ("CT HEAD W/O CONTRAST", "CT", "CT_HEAD_WO"),
        ("CT HEAD W/O AND W CONTRAST", "CT", "CT_HEAD_WWO"),
        ("MRI BRAIN W/WO CONTRAST", "MR", "MR_BRAIN_WWO"),
        ("CT C/A/P WITH IV CONTRAST", "", "CT_CAP_W"),
        ("CT ANGIO CHEST", "", "CTA_CHEST_W"),
        ("XR KNEE LT 3 VIEWS", "", "XR_KNEE_L"),
        ("SCREENING MAMMOGRAM", "", "MG_SCREENING_B"),
        ("US VENOUS DOPPLER LEG LEFT", "", "US_VENOUS_LEG_L"),
    ],
)
def test_names_of_one_exam_meet(name: str, modality: str, procedure: str) -> None:
    assert match_name(name, modality).procedure == procedure


@pytest.mark.parametrize(
    ("name", "modality", "method"),
    [
        ("CT HEAD", "CT", "proposed"),  # contrast not said
        ("CT ABDOMEN W ORAL CONTRAST", "CT", "ambiguous"),  # oral is not intravenous
        ("CT CHEST WITH 3D", "CT", "proposed"),  # "with" says nothing about contrast here
        ("XR KNEE 3V", "DX", "proposed"),  # side not said
        ("XR KNEE LEFT RIGHT", "DX", "ambiguous"),
        ("CT CHEST W CONTRAST", "MR", "conflict"),  # header says otherwise
        ("MRI BRAIN TRACTOGRAPHY WO", "MR", "proposed"),  # unknown word
        ("SPECIAL STUDY 7", "CT", "none"),
        ("XR CHEST 5 VIEWS", "DX", "none"),
    ],
)
def test_doubt_never_merges(name: str, modality: str, method: str) -> None:
    match = match_name(name, modality)
    assert (match.procedure, match.method) == (None, method)


def test_every_shipped_name_finds_itself() -> None:
    lost = {p.id for p in procedures.procedures() if match_name(p.name, p.modality).procedure != p.id}
    assert lost == set()


def test_shipped_procedures_differ_in_attributes() -> None:
    keys = [
        (p.modality, p.regions, p.foci, p.laterality, p.contrast, p.views, p.guidance) for p in procedures.procedures()
    ]
    assert len(keys) == len(set(keys))


def test_normalize_unfolds_shorthand() -> None:
    assert normalize("CT Abd/Pelv  W/WO") == "ct abd pelv with and without contrast"
    assert parse_name("Knee, 3vw").views == "3"


def test_resolve_prefers_a_code_and_keeps_rows() -> None:
    rows = [
        ("NORTH", "X1", "CT HEAD WO", None, None, None, None, "CT", None),
        ("NORTH", "X2", "CT HEAD WO", None, "MR_BRAIN_WO", None, None, "MR", None),
        ("NORTH", "X3", "CT HEAD WO", None, None, "CT CHEST WO", None, "CT", None),
        ("NORTH", None, None, None, None, None, None, None, None),
    ]
    found = resolve(pl.DataFrame(rows, schema=dict.fromkeys(NAME_COLUMNS, pl.String), orient="row"))
    assert found["procedure"].to_list() == ["CT_HEAD_WO", "MR_BRAIN_WO", None, None]
    assert found["method"].to_list() == ["text", "code", "ambiguous", "none"]
    assert found["says"].to_list() == ["CT · HEAD · WO", "CT · HEAD · WO", "CT · HEAD · WO", None]


def test_resolve_tells_what_the_name_says_apart_from_what_is_taken() -> None:
    rows = [
        ("NORTH", "X1", "CT HEAD WO", None, None, None, None, "MR", None),
        ("NORTH", "X2", "CT HEAD WO FOR STEALTH", None, None, None, None, "CT", None),
        ("NORTH", "X3", "ROUTINE WO CONTRAST", None, None, None, None, "CT", "Head"),
        ("NORTH", "X4", "CT HEAD WO", None, None, None, None, "CT", "ABDOMEN"),
    ]
    found = resolve(pl.DataFrame(rows, schema=dict.fromkeys(NAME_COLUMNS, pl.String), orient="row"))
    assert found.select("procedure", "candidate", "method", "proposal", "n_unknown").rows() == [
        (None, "CT_HEAD_WO", "conflict", "CT_HEAD_WO", 0),
        (None, None, "proposed", "CT_HEAD_WO", 1),
        (None, None, "proposed", "CT_HEAD_WO", 0),
        ("CT_HEAD_WO", "CT_HEAD_WO", "text", None, 0),
    ]
