"""Values of groups that every site shares, as people write them; keys are `value.`, the group and the value."""

from __future__ import annotations

#: Group -> its values, which in English are written as they are.
_VALUES = {
    "priority": ("stat", "urgent", "routine"),
    "patient_class": ("emergency", "inpatient", "outpatient"),
    "service_line": ("body", "breast", "cardiac", "chest", "msk", "neuro", "nuclear", "vascular"),
    "shift": ("day", "evening", "night", "weekend"),
}

#: Statistics and choices of single metrics, which in English go by their names; the others are in `parts`.
_STATISTICS = (
    "duplicate_order",
    "studies",
    "time",
    "growth",
    "wrvu",
    "all",
    "laterality",
    "moved",
    "orders",
    "addendum",
    "exams",
    "unfound",
    "final",
    "any",
    "early",
    "reports",
    "major",
    "corrected",
    "reads",
    "ready",
    "preliminary",
    "other",
    "order",
    "demand",
    "longer",
    "equipment",
    "patient",
    "identity",
    "modality",
    "contrast",
    "seasonal_naive",
    "views",
    "description",
    "forecast",
    "last_4_weeks",
    "necessary",
    "late",
    "body_part",
    "capacity",
    "maker",
    "same_day",
    "24h",
    "7d",
    "30d",
    "90d",
)

TEXTS: dict[str, str] = {
    "value.none": "(none)",
    "better.lower": "lower",
    "better.higher": "higher",
    "better.neither": "neither",
    **{f"value.{group}.{value}": value for group, values in _VALUES.items() for value in values},
    "value.service_line.msk": "MSK",
    "value.laterality.N": "none", "value.laterality.L": "left", "value.laterality.R": "right",
    "value.laterality.B": "both", "value.contrast.N": "none", "value.contrast.W": "with",
    "value.contrast.WO": "without", "value.contrast.WWO": "without and with",
    **{f"stat.{name}": name.replace("_", " ") for name in _STATISTICS},
}  # fmt: skip
