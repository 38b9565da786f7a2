"""What all figures share: ground, type, axes, tips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from app import words
from app.figures.chart import Chart
from app.texts import text
from app.theme import FONT, PALETTES, Palette
from sql.words import language
from sql.words.dates import AXIS_DAY, AXIS_MONTH
from sql.written import signs

Places = Sequence[str]


def palette(scheme: str) -> Palette:
    """The colours of a scheme; light for one that is not known."""
    return PALETTES.get(scheme, PALETTES["light"])


def template(scheme: str) -> dict[str, Any]:
    """What all figures of a scheme have in common, as a template of plotly: a page sends it once.

    No frame, light grid on the value axis only, legend above; the rest as in plotly's own default template.
    """
    colours = palette(scheme)
    title = {"font": {"size": 12, "color": colours.muted}, "standoff": 8}
    axis = {
        "gridcolor": colours.grid, "linecolor": colours.line, "showline": True, "zeroline": False, "automargin": True,
        "tickfont": {"size": 11.5}, "ticks": "", "fixedrange": True, "title": title,
    }  # fmt: skip
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "colorway": list(colours.series),
        "font": {"family": FONT, "size": 12, "color": colours.muted}, "autotypenumbers": "strict",
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left", "font": {"size": 12},
                   "itemclick": False, "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)"},
        "hoverlabel": {"bgcolor": colours.raised, "bordercolor": colours.line,
                       "font": {"family": FONT, "size": 12, "color": colours.ink}, "align": "left"},
        "hovermode": "closest", "dragmode": False, "bargap": 0.28, "separators": signs(".,"),
        "shapedefaults": {"line": {"color": "#2a3f5f"}},
        "xaxis": {**axis, "showgrid": False, "ticklabelstandoff": 3}, "yaxis": {**axis, "showgrid": True},
    }  # fmt: skip
    bar = {"error_x": {"color": "#2a3f5f"}, "marker": {"line": {"color": "#E5ECF6", "width": 0.5}}}
    heatmap = {"colorbar": {"outlinewidth": 0, "ticks": ""}}
    return {"layout": layout, "data": {"bar": [bar], "heatmap": [heatmap]}}


def figure(*, x: str = "", y: str = "", legend: bool = False) -> Chart:
    """An empty figure: titles of the axes with units, and room for a legend above; its ground is the template's."""
    made = Chart()
    made.update_layout(margin={"l": 8, "r": 12, "t": 30 if legend else 8, "b": 8}, showlegend=legend)
    if x:
        made.update_xaxes(title={"text": x})
    if y:
        made.update_yaxes(title={"text": y})
    return made


#: Steps between ticks of a length, in minutes.
_STEPS = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 14400)


def length_ticks(longest: float, most: int = 6) -> dict[str, Any]:
    """Ticks of an axis of minutes at round lengths, labelled in minutes, hours or days as they are long."""
    step = next((step for step in _STEPS if longest / step <= most), _STEPS[-1] * 5)
    values = [number * step for number in range(int(longest // step) + 1)]
    return {"tickvals": values, "ticktext": [length(value, step) for value in values]}


def span_ticks(low: float, high: float, most: int = 4) -> dict[str, Any]:
    """Ticks of an axis of minutes that need not begin at zero, each written as a whole length: 2 h 40."""
    step = next((step for step in _STEPS if (high - low) / step <= most), _STEPS[-1] * 5)
    values = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return {"tickvals": values, "ticktext": [words.value(value, "min") for value in values]}


def value_ticks(low: float, high: float, unit: str, decimals: int = 0) -> dict[str, Any]:
    """Ticks of an axis of values of a unit between two of them: lengths in words, shares in per cent."""
    if unit == "min":
        return {**span_ticks(low, high), "tickangle": 0}
    return {"tickformat": f".{decimals}%" if unit == "share" else ",", "nticks": 4, "tickangle": 0}


def axis_title(title: str, unit: str) -> str:
    """A number's name over its axis, with the unit where the ticks do not say it."""
    return title if unit in ("min", "share") else f"{title} [{words.unit(unit)}]"


def length(value: float, step: float = 0) -> str:
    """A round length as a tick: 30 min, 2 h, 3 d."""
    if value < 60 and (value == 0 or step < 60):
        return f"{value:g} min" if value else "0"
    return signs(f"{value / 60:g} h" if value < 2880 else f"{value / 1440:g} d")


def interval(lower: float | None, upper: float | None, unit: str) -> list[str]:
    """The line of a tip that tells a 95 % interval; none where it is not known."""
    if lower is None or upper is None:
        return []
    return [text("figure.interval", lower=words.value(lower, unit), upper=words.value(upper, unit))]


def day_ticks() -> dict[str, Any]:
    """Ticks of an axis of days, as the language of the request writes them; those months apart tell the year."""
    months = [{"dtickrange": ["M2", None], "value": AXIS_MONTH}]
    return {"tickformat": AXIS_DAY[language()], "tickformatstops": months, "nticks": 6, "tickangle": 0}


def level(
    made: Chart, value: float | date, label: str, scheme: str, *, horizontal: bool = True, number: int = 0
) -> None:
    """A line at a target or limit, with its name at the far end; upright ones stack their names by `number`."""
    colour = palette(scheme).target
    style = {"color": colour, "width": 1.4, "dash": "dash"}
    note = {"text": label, "font": {"color": colour, "size": 11}, "showarrow": False}
    if horizontal:
        made.add_shape(type="line", xref="paper", x0=0, x1=1, y0=value, y1=value, line=style)
        made.add_annotation(xref="paper", x=1, y=value, xanchor="right", yanchor="bottom", **note)
    else:
        made.add_shape(type="line", yref="paper", y0=0, y1=1, x0=value, x1=value, line=style)
        made.add_annotation(yref="paper", y=1.0, x=value, xanchor="left", yanchor="bottom", yshift=14 * number,
                            **note)  # fmt: skip


#: Signs of a label that stand on one line.
_LONG = 22


def two_lines(label: str) -> str:
    """A long label in two lines, parted at the blank nearest its middle."""
    blanks = [place for place, sign in enumerate(label) if sign == " "]
    if len(label) <= _LONG or not blanks:
        return label
    middle = min(blanks, key=lambda place: abs(place - len(label) / 2))
    return f"{label[:middle]}<br>{label[middle + 1 :]}"
