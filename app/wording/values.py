"""Values of groups that every site shares, as people write them; keys are `value.`, the group and the value."""

from __future__ import annotations

#: Group -> its values, which in English are written as they are.
_VALUES = {
    "priority": ("stat", "urgent", "routine"),
    "patient_class": ("emergency", "inpatient", "outpatient"),
    "service_line": ("body", "breast", "cardiac", "chest", "msk", "neuro", "nuclear", "vascular"),
    "shift": ("day", "evening", "night", "weekend"),
}

TEXTS: dict[str, str] = {
    "value.none": "(none)",
    **{f"value.{group}.{value}": value for group, values in _VALUES.items() for value in values},
}
