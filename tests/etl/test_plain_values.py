"""Numbers and days as standards write them, where Python reads more."""

from __future__ import annotations

from datetime import date

import pytest

from etl.plain_values import day, decimal
from tests.etl import dicom_made as made
from tests.etl.hl7_lines import PID, defects, message, one, parse, segment


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("-1.50", -1.5),
        ("+3", 3.0),
        ("1.2E-3", 0.0012),
        (".5", 0.5),
        (" 7\u00a0", 7.0),
        ("-999999999999", -999999999999.0),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert decimal(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "1_000", "١٢", "１２", "1,5", "nan", "inf", "-Infinity", "1e12", "-1e12", "²"]
)
def test_what_is_no_number(text: str) -> None:
    assert decimal(text) is None


def test_days() -> None:
    assert day("20240229") == date(2024, 2, 29)


@pytest.mark.parametrize("text", ["", "2026", "20230229", "20261301", "2026-1-1", "2026 1 1", "٢٠٢٦٠١٠١", "2026010²"])
def test_what_is_no_day(text: str) -> None:
    assert day(text) is None


@pytest.mark.parametrize("text", ["1_000", "１０"])
def test_such_a_number_of_a_message_is_counted_and_not_taken(text: str) -> None:
    charge = segment("FT1", {4: "20260115103000", 10: text, 25: "70450"})
    parsed = parse(message("DFT^P03", PID, charge))
    assert (one(parsed, "charge")["quantity"], defects(parsed)[-1]) == (None, ("FT1-10", "not a number"))


def test_such_a_number_of_an_image_is_counted_and_not_taken() -> None:
    parsed = made.parse(made.file_of(made.image(ExposureTime="1234")).replace(b"1234", b"1_34"))
    assert made.defects(parsed) == [("0018,1150", "not a number")]
