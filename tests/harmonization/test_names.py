"""The labelled names: enough of them, consistent, and harmonized as well as the goal says on facilities held out."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict

import pytest

from etl.procedure_match import AUTO_ACCEPT, match_name, procedures, score
from etl.procedure_names import REFERENCE, parse_name, rows
from tests.harmonization.report import ATTRIBUTES, NAMES, crossings, lines, results, scores, summary


def labelled() -> list[dict[str, str]]:
    with NAMES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_set_is_large_and_whole_facilities_are_held_out() -> None:
    names = labelled()
    assert len(names) >= 600
    splits = defaultdict(set)
    for row in names:
        splits[row["facility"]].add(row["split"])
    assert len(splits) >= 12
    assert all(len(of_facility) == 1 for of_facility in splits.values())
    assert Counter(next(iter(s)) for s in splits.values())["holdout"] >= 5
    keys = [(row["facility"], row["code"], row["text"]) for row in names]
    assert len(keys) == len(set(keys))


def test_labels_agree_with_the_procedure_that_they_name() -> None:
    known = {p.id: p for p in procedures()}
    for row in labelled():
        if row["procedure"]:
            p = known[row["procedure"]]
            told = (row["modality"], frozenset(filter(None, row["region"].split("+"))), row["laterality"] or "N")
            assert told == (p.modality, p.regions, p.laterality), row["text"]


def test_held_out_facilities_meet_the_goal() -> None:
    figures = summary(results("holdout"))
    assert figures["precision by names"] >= 0.98
    assert figures["precision by volume"] >= 0.98
    assert figures["coverage by volume"] >= 0.85


@pytest.mark.parametrize("split", ["train", "holdout"])
def test_no_name_is_taken_across_laterality_or_contrast(split: str) -> None:
    assert [r.row["text"] for r in crossings(results(split))] == []


def test_the_attributes_that_harm_are_heard_best() -> None:
    for attribute in ("laterality", "contrast"):
        assert scores(results("holdout"), attribute)[2] >= 0.95


def test_the_report_names_every_facility_and_attribute() -> None:
    text = "\n".join(lines("holdout"))
    assert all(r.row["facility"] in text for r in results("holdout"))
    assert all(attribute in text for attribute in ATTRIBUTES)


def test_nothing_is_accepted_that_differs_or_leaves_side_or_contrast_open() -> None:
    """Over every labelled name and every procedure: full agreement, or a score below the threshold."""
    for row in labelled():
        said = parse_name(row["text"], row["code"])
        for p in procedures():
            if score(p, said) >= AUTO_ACCEPT:
                assert p.laterality == (said.laterality or "N")
                assert p.contrast in ("N", said.contrast) or (p.modality == "XA" and not said.contrast)


def test_languages_do_not_contradict_each_other() -> None:
    meanings: dict[str, dict[str, frozenset[tuple[str, str]]]] = defaultdict(dict)
    for path in REFERENCE.glob("procedure_words_*.csv"):
        of_language = defaultdict(set)
        for row in rows(path):
            of_language[row["phrase"]].add((row["attribute"], row["value"]))
        for phrase, meaning in of_language.items():
            meanings[phrase][path.stem] = frozenset(meaning)
    assert len({language for of in meanings.values() for language in of}) >= 2
    assert [phrase for phrase, of in meanings.items() if len(set(of.values())) > 1] == []


@pytest.mark.parametrize(
    ("name", "procedure"),
    [
        ("CT Schädel nativ", "CT_HEAD_WO"),
        ("CT Schaedel ohne und mit KM", "CT_HEAD_WWO"),
        ("MRT Knie li. nativ", "MR_KNEE_L_WO"),
        ("MRT Knie nativ", None),
        ("CT Schädel", None),
        ("CT Schädel mit oder ohne KM", None),
    ],
)
def test_a_second_language_is_another_table(name: str, procedure: str | None) -> None:
    assert match_name(name).procedure == procedure


def test_headers_help_and_contradict() -> None:
    plain = match_name("ROUTINE WO CONTRAST", "CT", "", "HEAD")
    assert (plain.procedure, plain.proposal, plain.evidence) == (
        None, "CT_HEAD_WO", "region from header body part HEAD"
    )  # fmt: skip
    against = match_name("CT HEAD WO CONTRAST", "CT", "", "ABDOMEN")
    assert (against.procedure, against.proposal, against.evidence) == (None, "CT_HEAD_WO", "header body part ABDOMEN")
    assert match_name("CT HEAD WO CONTRAST", "CT", "", "BRAIN").procedure == "CT_HEAD_WO"
    assert match_name("CT HEAD WO CONTRAST", "MR").evidence == "header modality MR"


@pytest.mark.parametrize(
    ("text", "code", "procedure"),
    [
        ("XR KNEE 3V", "KNEE3-LT", "XR_KNEE_L"),
        ("XR KNEE LT 3V", "KNEE3-LT", "XR_KNEE_L"),
        ("XR KNEE RT 3V", "KNEE3-LT", None),
        ("XR KNEE 3V", "KNEE3L", None),
    ],
)
def test_a_side_in_the_code_counts(text: str, code: str, procedure: str | None) -> None:
    assert match_name(text, "", code).procedure == procedure


@pytest.mark.parametrize(
    ("text", "contrast"),
    [
        ("CT ABD WITH IV AND ORAL CONTRAST", "W"),
        ("CT ABD W ORAL & IV CON", "W"),
        ("CT ABD W PO/IV CON", "W"),
        ("CT ABD W ORAL CONTRAST AND IV CONTRAST", "W"),
        ("CT ABD W IV CON W/O ORAL CON", "W"),
        ("CT ABD WITHOUT ORAL CONTRAST WITH IV CONTRAST", "W"),
        ("CT ABD WITHOUT ORAL AND IV CONTRAST", "WO"),
        ("CT ABD WITHOUT IV OR ORAL CONTRAST", "WO"),
        ("CT ABD WO ORAL OR IV CON", "WO"),
        ("CT ABD W ORAL WO IV CONTRAST", "WO"),
        ("CT ABD WO IV W PO", "WO"),
        ("CT ABD C-", "WO"),
        ("CT ABD (C+)", "W"),
        ("CT ABD C+ / C-", "WWO"),
        ("CT ABD W/O & W", "WWO"),
        ("CT ABD W+WO CONTRAST", "WWO"),
        ("CT ABD PRE/POST CON", "WWO"),
        ("CT ABD W ORAL CON", None),
        ("CT ABD W/O ORAL CON", None),
        ("CT ABD WITHOUT ORAL CONTRAST AND IV CONTRAST", None),
        ("CT ABD +/- CONTRAST", None),
        ("CT ABD W OR W/O CONTRAST", None),
        ("CT ABD WITH AND/OR WITHOUT CONTRAST", None),
        ("CT ABD CONTRAST IF NEEDED", None),
        ("CT ABD NOT WITH CONTRAST", None),
        ("CT ABD W CONTRAST, CT CHEST WO CONTRAST", None),
        ("CT ABD", None),
    ],
)
def test_contrast_is_heard_in_many_spellings_and_never_guessed(text: str, contrast: str | None) -> None:
    assert match_name(text).procedure == (contrast and f"CT_ABD_{contrast}")


@pytest.mark.parametrize(
    ("text", "proposal"),
    [("CT ABDOMNE PELVIS W CONTRAST", "CT_ABDPELV_W"), ("XR CHSET 2V", "XR_CHEST_2V"), ("US THYROYD", "US_THYROID")],
)
def test_a_misspelt_name_is_proposed_and_not_taken(text: str, proposal: str) -> None:
    match = match_name(text)
    assert (match.procedure, match.method, match.proposal) == (None, "proposed", proposal)
