"""A day of the devices: busy intervals over the staffed band."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from app import words
from app.figures.base import figure, palette
from app.figures.chart import Chart
from app.texts import text


def day(
    busy: pl.DataFrame,
    staffed: pl.DataFrame,
    on: date,
    scheme: str,
    *,
    name: Callable[[str], str],
    href: Callable[[str], str],
) -> Chart:
    """One row a device. `staffed`: device, opens_local, closes_local; `busy`: device, busy_started_local,
    busy_ended_local, n_exams, gap_before_min; `name` and `href` are of a device. Work outside the staffed band is in
    the warning colour by being on bare ground."""
    made = figure()
    colours = palette(scheme)
    devices = sorted({*busy["device"].to_list(), *staffed["device"].to_list()})
    names, links = ({device: told(device) for device in devices} for told in (name, href))
    start = datetime(on.year, on.month, on.day)
    bands = list(staffed.iter_rows(named=True))
    _spans(made, bands, ("opens_local", "closes_local"), names,
           width=0.78, colour=colours.band, label=text("figure.staffed"), tips=["" for _ in bands])  # fmt: skip
    rows = list(busy.iter_rows(named=True))
    _spans(made, rows, ("busy_started_local", "busy_ended_local"), names, width=0.5, colour=colours.series[0],
           label=text("figure.busy"), tips=_tips(names, busy),
           links=[links[row["device"]] for row in rows])  # fmt: skip
    made.update_layout(barmode="overlay", showlegend=True, margin={"t": 30})
    made.update_xaxes(type="date", range=[start, start + timedelta(hours=24)], tickformat="%H:%M", showgrid=True,
                      tickangle=0)  # fmt: skip
    made.update_yaxes(categoryorder="array", categoryarray=[*names.values()], autorange="reversed",
                      showgrid=False, ticksuffix="  ", dtick=1)  # fmt: skip
    return made


def _spans(  # noqa: PLR0913 - one kind of span with named parts
    made: Chart, rows: list[dict[str, Any]], ends: tuple[str, str], names: dict[str, str], *,
    width: float, colour: str, label: str, tips: list[str], links: list[str] | None = None,
) -> None:  # fmt: skip
    begin, end = ends
    made.add(
        "bar", y=[names[row["device"]] for row in rows], orientation="h", width=width,
        base=[row[begin].isoformat() for row in rows],
        x=[(row[end] - row[begin]) / timedelta(milliseconds=1) for row in rows], name=label,
        marker={"color": colour, "line": {"width": 0}}, text=tips, textposition="none", customdata=links,
        hovertemplate="%{text}<extra></extra>" if any(tips) else None, hoverinfo=None if any(tips) else "skip",
    )  # fmt: skip


def _tips(names: dict[str, str], busy: pl.DataFrame) -> list[str]:
    """What is told of each interval; there are thousands, and few lengths and counts."""
    session = text("figure.session")
    counts = {n: words.count(n) for n in busy["n_exams"].unique()}
    gaps = {gap: "" if gap is None else f"<br>{text('figure.gap', length=words.minutes(gap))}"
            for gap in busy["gap_before_min"].unique()}  # fmt: skip
    begins, ends = (busy[name].dt.strftime("%H:%M") for name in ("busy_started_local", "busy_ended_local"))
    return [
        f"<b>{names[device]}</b><br>{session.format(begin=begin, end=end, n=counts[n])}{gaps[gap]}"
        for device, begin, end, n, gap in zip(
            busy["device"], begins, ends, busy["n_exams"], busy["gap_before_min"], strict=True)
    ]  # fmt: skip
