"""A chart as plotly.js reads it: traces and layout as plain values, rows of numbers packed.

plotly's own figure checks every value as it is set, which takes ten times as long as asking for the data; a test hands
every kind of chart to it instead.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: Numbers from which a row is packed: a shorter one is no longer as text.
PACKED = 16
_NUMBERS = (int, float, type(None))
#: Values of a trace that are placed on an axis.
_PLACED = frozenset({"x", "y", "z", "base", "array", "arrayminus"})


class Chart:
    """Traces and layout. What is None is left out, as in plotly's own figure. `told` stands below it in words."""

    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}
        self.told = ""

    def add(self, kind: str, **trace: Any) -> None:
        """A trace of a kind: scatter, bar, heatmap, waterfall, sankey."""
        self.data.append({"type": kind, **_given(trace)})

    def add_shape(self, **shape: Any) -> None:
        """A line or area of the layout."""
        self.layout.setdefault("shapes", []).append(_given(shape))

    def add_annotation(self, **note: Any) -> None:
        """Words at a place."""
        self.layout.setdefault("annotations", []).append(_given(note))

    def update_layout(self, **changes: Any) -> None:
        """Set parts of the layout; what is not named stays."""
        _merge(self.layout, _given(changes))

    def update_xaxes(self, **changes: Any) -> None:
        """Set parts of the axis across."""
        self.update_layout(xaxis=changes)

    def update_yaxes(self, **changes: Any) -> None:
        """Set parts of the axis up."""
        self.update_layout(yaxis=changes)

    def packed(self) -> dict[str, Any]:
        """What a page sends: the same with rows of numbers as typed arrays in base64 (`dtype`, `bdata`, `shape`)."""
        return {"data": [_sent(trace) for trace in self.data], "layout": self.layout}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None, at any depth of names."""
    return {
        key: _given(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _sent(part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _sent(value) if isinstance(value, dict) else _packed(value) if key in _PLACED else value
        for key, value in part.items()
    }


def _packed(value: Any) -> Any:
    if not isinstance(value, list) or not value:
        return value
    if all(isinstance(row, list) and len(row) == len(value[0]) for row in value):
        flat = [number for row in value for number in row]
        return _array(flat, f"{len(value)}, {len(value[0])}") if _is_row(flat) else value
    return _array(value) if _is_row(value) else value


def _is_row(values: Sequence[Any]) -> bool:
    return len(values) >= PACKED and all(type(value) in _NUMBERS for value in values)


def _array(values: Sequence[Any], shape: str = "") -> dict[str, str]:
    """Whole numbers in as few bytes as hold them, others in eight; what is unknown is not a number."""
    if all(type(value) is int for value in values):
        made = np.array(values, np.int64)
        small = [
            kind for kind in ("i1", "i2", "i4") if made.min() >= np.iinfo(kind).min and made.max() <= np.iinfo(kind).max
        ]
        made = made.astype(small[0] if small else "f8")
    else:
        made = np.array([np.nan if value is None else value for value in values], "f8")
    packed = {"dtype": made.dtype.str[1:], "bdata": b64encode(made.tobytes()).decode("ascii")}
    return packed | ({"shape": shape} if shape else {})


def _holds(kind: str, numbers: Any) -> bool:
    limits = np.iinfo(kind)
    return bool(limits.min <= numbers.min() and numbers.max() <= limits.max)
