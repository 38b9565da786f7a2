"""Figures place what the frames say: values, order, limits, links; they calculate nothing."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from app.figures import bars, heat, waterfall
from app.figures.base import axis_title, length_ticks, palette, span_ticks, value_ticks
from app.figures.chart import PACKED, Chart
from app.figures.flow import matrix
from app.figures.gantt import day
from app.figures.trend import Line, trend
from app.figures.waiting import MOST_HOURS, waiting
from app.theme import DARK, LIGHT, css_variables
from tests.app.conftest import drawn
from tests.conftest import REPO


def shape(**columns: list[Any]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    empty: dict[str, list[Any]] = {"n": [50] * rows, "lower": [None] * rows, "upper": [None] * rows}
    kinds = {"lower": pl.Float64, "upper": pl.Float64}
    return pl.DataFrame({**empty, **columns}, schema_overrides=kinds)


def trended(values: list[float], *, lower: list[float | None] | None = None) -> pl.DataFrame:
    starts = [date(2026, 11, 1 + number) for number in range(len(values))]
    ends = [date(2026, 11, 2 + number) for number in range(len(values))]
    frame = shape(period_start=starts, period_end=ends, value=values)
    frame = frame.with_columns((pl.col("period_start") == starts[-1]).alias("is_partial"))
    return (
        frame if lower is None else frame.with_columns(pl.Series("lower", lower), (pl.col("value") + 1).alias("upper"))
    )


def test_a_trend_has_its_values_its_target_and_hollow_unfinished_points() -> None:
    made = drawn(trend([Line("Median", trended([30.0, 45.0, 20.0]))], "light", unit="min", y="time", target=60.0,
                       target_name="Target", marks=[(date(2026, 11, 2), "definition 2")],
                       href=lambda row: f"/exams?since={row['period_start']}"))  # fmt: skip
    (line,) = made.data
    assert list(line.y) == [30.0, 45.0, None, 20.0]
    assert list(line.marker.color) == [LIGHT.series[0], LIGHT.series[0], LIGHT.surface, LIGHT.surface]
    assert line.connectgaps is False
    assert (line.text[2], line.customdata[2]) == ("", "")
    assert line.customdata[0] == "/exams?since=2026-11-01"
    assert made.layout.shapes[0].y0 == 60.0
    assert [note.text for note in made.layout.annotations] == ["Target", "definition 2"]
    assert made.layout.shapes[1].x0 == date(2026, 11, 2)
    assert made.layout.showlegend is False


def test_one_line_shows_its_interval_and_two_show_a_legend() -> None:
    one = drawn(trend([Line("Rate", trended([0.1, 0.2], lower=[0.05, 0.15]))], "light", unit="share", y="share"))
    assert [trace.fill for trace in one.data] == ["toself", None]
    assert one.layout.yaxis.tickformat == ".0%"
    two = drawn(trend([Line("a", trended([1.0])), Line("b", trended([2.0]))], "dark", unit="reads", y="reads"), "dark")
    assert two.layout.showlegend is True
    assert two.data[1].line.color == DARK.series[1]


def test_the_week_keeps_small_cells_empty_and_says_so() -> None:
    frame = shape(group_value=["1 | 8", "7 | 23"], group_name=["weekday | hour"] * 2, value=[12.0, 99.0], n=[5, 4])
    (cells,) = drawn(heat.week(frame, "light", unit="min", min_n=5, href=str)).data
    assert cells.z[0][8] == 12.0
    assert cells.z[6][23] is None
    assert "fewer than 5" in cells.text[6][23]
    assert cells.customdata[0][8] == "1 | 8"
    assert sum(value is not None for row in cells.z for value in row) == 1


def test_bars_keep_the_order_of_the_frame_pale_small_groups_and_mark_limits() -> None:
    frame = shape(group_value=["A", "B"], value=[0.12, 0.04], n=[200, 3]).with_columns(
        lower=pl.Series([0.1, 0.0]), upper=pl.Series([0.15, 0.3])
    )
    levels = ((0.08, "target 8 %"), (0.1, "act 10 %"))
    made = drawn(bars.groups(frame, "light", unit="share", x="rate", levels=levels, min_n=10))
    (bar,) = made.data
    assert list(bar.y) == ["A", "B"]
    assert list(bar.marker.color) == [LIGHT.series[0], LIGHT.band]
    assert bar.error_x.array[0] == pytest.approx(0.03)
    assert [line.x0 for line in made.layout.shapes] == [0.08, 0.1]


def test_ranges_show_counts_and_place_values_inside_their_range() -> None:
    rows = pl.DataFrame(
        {"low": [0.0, 60.0, 120.0], "high": [60.0, 120.0, None], "n": [4, 5, 1], "share": [0.4, 0.5, 0.1]}
    )
    made = drawn(bars.ranges(rows, "light", marks=[(90.0, "Median")], href=lambda row: f"{row['low']:g}"))
    assert list(made.data[0].y) == [4, 5, 1]
    assert list(made.data[0].customdata) == ["0", "60", "120"]
    assert list(made.layout.xaxis.ticktext) == ["0", "1 h", "≥ 2 h"]
    assert made.layout.shapes[0].x0 == pytest.approx(1.0)


def test_a_waterfall_ends_in_the_whole() -> None:
    frame = pl.DataFrame({"stage": ["wait", "exam", "total"], "owner": ["desk", "", ""], "mean": [10.0, 20.0, 30.0],
                          "n": [9, 9, 9]})  # fmt: skip
    made = drawn(waterfall.waterfall(frame, "light", title=str.upper))
    (trace,) = made.data
    assert list(trace.x) == [10.0, 20.0, 30.0]
    assert list(trace.measure) == ["relative", "relative", "total"]
    assert [label.split("<br>")[0] for label in trace.y] == ["WAIT", "EXAM", "TOTAL"]


def test_a_day_draws_busy_time_on_staffed_time() -> None:
    at = datetime(2026, 11, 2, 8)
    busy = pl.DataFrame({"device": ["CT"], "busy_started_local": [at], "busy_ended_local": [at.replace(hour=9)],
                         "n_exams": [2], "gap_before_min": [None]})  # fmt: skip
    staffed = pl.DataFrame({"device": ["CT", "MR"], "opens_local": [at] * 2, "closes_local": [at.replace(hour=18)] * 2})
    made = drawn(day(busy, staffed, at.date(), "light", name=lambda d: f"{d} 1",
                     href="/exams?device={}".format))  # fmt: skip
    band, work = made.data
    assert list(band.x) == [10 * 3_600_000] * 2
    assert list(work.x) == [3_600_000]
    assert list(work.customdata) == ["/exams?device=CT"]
    assert list(made.layout.yaxis.categoryarray) == ["CT 1", "MR 1"]


def test_the_flow_goes_from_row_to_column() -> None:
    frame = pl.DataFrame({"prior_facility": ["A"], "facility": ["B"], "n": [3], "href": ["/exams?facility=B"]})
    (cells,) = drawn(matrix(frame, "light", name=lambda site: f"Site {site}")).data
    assert [list(row) for row in cells.z] == [[None, 3], [None, None]]
    assert cells.customdata[0][1] == "/exams?facility=B"


def test_waiting_draws_both_courses() -> None:
    frame = pl.DataFrame({"hour_at": [datetime(2026, 11, 2, 8)], "n_waiting": [7], "n_past_target": [2]})
    assert [list(trace.y) for trace in drawn(waiting(frame, "dark"), "dark").data] == [[7], [2]]


def test_waiting_draws_the_most_of_each_day_of_long_periods() -> None:
    start = datetime(2026, 1, 1)
    hours = [start + timedelta(hours=n) for n in range(MOST_HOURS + 1)]
    frame = pl.DataFrame({"hour_at": hours, "n_waiting": [n % 30 for n in range(len(hours))], "n_past_target": 1})
    by_hour, by_day = (drawn(waiting(part, "light")) for part in (frame.head(MOST_HOURS), frame))
    assert len(by_hour.data[0].x) == MOST_HOURS
    assert "23:00" in by_hour.data[0].text[23]
    assert list(by_day.data[0].x[:2]) == ["2026-01-01T00:00:00", "2026-01-02T00:00:00"]
    assert list(by_day.data[0].y) == [max(n % 30 for n in range(day, min(day + 24, len(hours))))
                                      for day in range(0, len(hours), 24)]  # fmt: skip
    assert ":00" not in by_day.data[0].text[0]
    assert by_day.layout.yaxis.title.text == "exams waiting, most of each day"
    assert by_day.layout.xaxis.tickformatstops[0].value == "%b %Y"


def unpacked(array: dict[str, str]) -> Any:
    """A typed array as plotly.js reads it."""
    made = np.frombuffer(b64decode(array["bdata"]), np.dtype(array["dtype"]))
    return made.reshape([int(part) for part in array["shape"].split(",")]) if "shape" in array else made


@pytest.mark.parametrize(
    ("values", "dtype"),
    [(list(range(-20, 20)), "i1"), (list(range(0, 4000, 100)), "i2"), ([70_000 + n for n in range(16)], "i4"),
     ([2**40 + n for n in range(16)], "f8"), ([n / 7 for n in range(16)], "f8")],
)  # fmt: skip
def test_rows_of_numbers_are_packed_without_a_loss(values: list[float], dtype: str) -> None:
    chart = Chart()
    chart.add("scatter", y=values, x=values[: PACKED - 1], error_x={"array": values}, text=["a"] * len(values))
    (sent,) = chart.packed()["data"]
    assert sent["y"]["dtype"] == dtype
    assert unpacked(sent["y"]).tolist() == values
    assert unpacked(sent["error_x"]["array"]).tolist() == values
    assert sent["x"] == values[: PACKED - 1]
    assert sent["text"] == ["a"] * len(values)


def test_what_is_unknown_is_no_number_and_a_table_keeps_its_shape() -> None:
    chart = Chart()
    rows = [[float(row * 8 + place) for place in range(8)] for row in range(3)]
    chart.add("heatmap", z=[[None, *rows[0][1:]], *rows[1:]], x=["day"] * 20, zmax=None)
    (sent,) = chart.packed()["data"]
    read = unpacked(sent["z"])
    assert read.shape == (3, 8)
    assert np.isnan(read[0, 0])
    assert read[1:].tolist() == rows[1:]
    assert sent["x"] == ["day"] * 20
    assert "zmax" not in sent


@pytest.mark.parametrize(
    ("longest", "labels"),
    [(25, ["0", "5 min", "10 min", "15 min", "20 min", "25 min"]), (300, ["0", "1 h", "2 h", "3 h", "4 h", "5 h"]),
     (6000, ["0", "24 h", "2 d", "3 d", "4 d"])],
)  # fmt: skip
def test_lengths_have_round_ticks(longest: float, labels: list[str]) -> None:
    assert length_ticks(longest)["ticktext"] == labels


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "better", "worse", "target"])
def test_words_stand_out_from_their_ground(scheme: str, name: str) -> None:
    """WCAG 2.2 AA: 4.5 to 1 for text."""
    colours = palette(scheme)
    for ground in (colours.surface, colours.raised):
        light, dark = sorted((luminance(getattr(colours, name)), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_the_style_sheet_knows_every_colour_it_uses() -> None:
    assert '[data-mantine-color-scheme="dark"]{--ground:#0f151b' in css_variables()


def test_no_style_looks_for_a_page_from_the_root() -> None:
    """A browser would make all styles anew at each change anywhere, hundreds of times a chart."""
    sheets = [path.read_text("utf-8") for path in (REPO / "app" / "assets").glob("*.css")]
    assert len(sheets) >= 4
    looking = re.compile(r"(?::root|html|body)[^\s{,]*:has\(")
    assert [looking.findall(text) for text in (*sheets, css_variables())] == [[]] * (len(sheets) + 1)


def test_an_axis_of_lengths_that_does_not_begin_at_zero_is_told_in_hours():
    ticks = span_ticks(150, 215)
    assert ticks["tickvals"] == [150, 180, 210]
    assert [tick.replace("\u202f", " ") for tick in ticks["ticktext"]] == ["2 h 30", "3 h 00", "3 h 30"]
    assert "tickvals" not in value_ticks(0.2, 0.4, "share")
    assert axis_title("Exam end to final report", "min") == "Exam end to final report"
    assert axis_title("Throughput", "exams/h") == "Throughput [exams/h]"
