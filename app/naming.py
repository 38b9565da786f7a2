"""What people call facilities, devices, readers and procedures, so that no two are called the same."""

from __future__ import annotations

from collections import Counter

from sql import query
from sql.snapshot import Snapshot

#: Group -> the table, key and label of its names.
NAMES = {
    "facility": ("dim_facility", "facility", "facility_name"),
    "prior_facility": ("dim_facility", "facility", "facility_name"),
    "device": ("dim_device", "device", "device_name"),
    "radiologist": ("dim_radiologist", "radiologist", "label"),
    "procedure": ("dim_procedure", "procedure", "procedure_name"),
}


def names(snapshot: Snapshot, group: str) -> dict[str, str]:
    """Names by key, empty for a group without names. What several are called ("MR 1" in each of two facilities) is
    followed by the key: one name for two would draw them as one."""
    if group not in NAMES:
        return {}
    table, key, label = NAMES[group]
    found = {k: v for k, v in query.rows(snapshot, table, columns=(key, label), limit=100_000).iter_rows() if v}
    called = Counter(found.values())
    return {k: v if called[v] == 1 else f"{v} ({k})" for k, v in found.items()}
