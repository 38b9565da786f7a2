"""CSV as spreadsheets and parsers read it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sql.csv_text import BOM, FORMULA_SIGNS, SKIPPED, neutral, number, to_csv


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


@pytest.mark.parametrize(
    "payload",
    [
        "=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =cmd|' /C calc'!A0", "\u00a0=1", "\ufeff=1",
        "\x00=1", "＝1", "－1", '=HYPERLINK("http://x","y")', "\tx", "\rx", " \t@x",
    ],
)  # fmt: skip
def test_formulas_become_text(payload: str) -> None:
    assert neutral(payload) == "'" + payload
    ((_,), (cell,)) = cells(to_csv(pl.DataFrame({"a": [payload]})))
    assert cell == "'" + payload


@pytest.mark.parametrize("text", ["", " ", "CT HEAD", "a=b", "1-2", "(none)", "'quoted", " leading blank", "Ä", "½"])
def test_other_text_stays(text: str) -> None:
    assert neutral(text) == text


def test_headers_are_cells_too() -> None:
    assert cells(to_csv(pl.DataFrame({"=A1": [1]})))[0] == ["'=A1"]


def test_numbers_stay_numbers() -> None:
    frame = pl.DataFrame({"i": [-5, None], "x": [-0.1 - 0.2, 60.0], "b": [True, None]})
    assert to_csv(frame) == b"i,x,b\r\n-5,-0.3,true\r\n,60,\r\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (-0.0, "0"), (1 / 3, "0.333333333333"), (1234567.0, "1234567"), (1e-7, "1e-07"),
     (float("nan"), ""), (float("inf"), "")],
)  # fmt: skip
def test_floats_have_one_form(value: float, text: str) -> None:
    assert number(value) == text


def test_quotes_commas_and_line_breaks_by_rfc_4180() -> None:
    assert to_csv(pl.DataFrame({"a": ['say "x"', "b,c", "d\ne", "f\rg"]})) == (
        b'a\r\n"say ""x"""\r\n"b,c"\r\n"d\ne"\r\n"f\rg"\r\n'
    )


def test_dates_are_iso_and_utc_is_said() -> None:
    when = datetime(2026, 3, 5, 14, 30)
    frame = pl.DataFrame(
        {
            "seen_at": [when], "seen_local": [when], "zoned_at": [when.replace(tzinfo=UTC)], "day": [date(2026, 3, 5)],
            "list": [["a", "b"]], "span": [timedelta(minutes=90)],
        }
    )  # fmt: skip
    assert cells(to_csv(frame))[1] == [
        "2026-03-05T14:30:00Z", "2026-03-05T14:30:00", "2026-03-05T14:30:00Z", "2026-03-05", '["a", "b"]', "1:30:00",
    ]  # fmt: skip


def test_units_and_byte_order_mark() -> None:
    frame = pl.DataFrame({"value": [1.5], "n": [2]})
    plain = to_csv(frame, units={"value": "min", "n": "-"})
    assert plain == b"value [min],n\r\n1.5,2\r\n"
    assert to_csv(frame, units={"value": "min"}, with_bom=True) == BOM + plain


def test_a_frame_without_rows_keeps_its_header() -> None:
    assert to_csv(pl.DataFrame(schema={"a": pl.Int64, "b": pl.String})) == b"a,b\r\n"


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=8))
def test_any_text_comes_back_and_none_is_a_formula(texts: list[str]) -> None:
    (_, *rows) = cells(to_csv(pl.DataFrame({"a": texts, "b": texts})))
    for text, (left, right) in zip(texts, rows, strict=True):
        assert left == right
        assert left in (text, "'" + text)
        assert left.lstrip(SKIPPED)[:1] not in FORMULA_SIGNS


def test_duckdb_reads_it_back(tmp_path: object) -> None:
    frame = pl.DataFrame({"name": ["a,b", 'c"d', "e\nf", None], "x": [0.5, -1.0, None, 2.0]})
    path = f"{tmp_path}/x.csv"
    with open(path, "wb") as file:
        file.write(to_csv(frame))
    read = duckdb.sql(
        "SELECT * FROM read_csv($path, header := true, delim := ',', quote := '\"')", params={"path": path}
    )
    assert read.fetchall() == frame.rows()
