"""Rows of elsewhere that a metric's statement reads but does not need where facilities or devices are asked for.

A filter on the facility of a row reaches the table that the row comes from. Tables that are joined to it, or folded
before, hold rows of all facilities, most of the time that a question about one of them takes. What is told by device
needs no more rows than those of the devices asked for, by their facility, modality or name.
"""

from __future__ import annotations

from typing import NamedTuple

from sql.filters import NO_VALUE, Filters


class Use(NamedTuple):
    """A use of a table in a metric's statement (`alias`, '' for all), of which rows that do not meet `rule` tell
    nothing about others than those asked for: SQL over the row `w`, with what asks for the `keys` of a row in braces.
    `enough` follows it where one facility is asked for and some of its rows tell as much as all."""

    table: str
    alias: str
    rule: str
    enough: str = ""
    keys: tuple[str, ...] = ("facility",)


#: What the row itself has.
_OWN = "{w}"
#: What a device has one of in all tables of devices.
_BY_DEVICE = ("facility", "modality", "device")
#: Of a device that its days tell of: a booking may be of another facility than its device.
_OF_DEVICE = "w.device IN (SELECT z.device FROM fct_device_day z WHERE {z})"
#: By metric. A stretch of reading has one facility; a repeat and an answer about outside imaging have that of their
#: exam, which `sql.evidence` looks up for its clocks.
_USES = {
    "avoidable_repeats": (Use("fct_exam", "e", _OWN),),
    "declared_repeat": (Use("fct_repeat", "r", _OWN),),
    "downtime": tuple(Use("fct_device_idle", alias, _OWN, keys=_BY_DEVICE) for alias in ("q", "b")),
    "local_minutes_per_hour": (Use("fct_reading_session", "x", _OWN),),
    "prelim_final_discrepancy": (Use("fct_discrepancy", "c", _OWN, " AND w.grade IS NOT NULL LIMIT 1"),),
    "prior_availability": (Use("fct_exam", "e", _OWN),),
    "third_next_available": tuple(
        Use(name, "", _OF_DEVICE, keys=_BY_DEVICE) for name in ("fct_device_day", "fct_appointment")
    ),
}


def needed(metric_id: str, filters: Filters) -> tuple[Use, ...]:
    """The uses of tables that a question needs no more rows of, each with its rule; their parameters are those of
    `Filters.where`."""
    is_one = len(filters.facility or filters.scope or ()) == 1
    found = []
    for use in _USES.get(metric_id, ()):
        chosen = {key: getattr(filters, key) for key in use.keys}
        if not (any(chosen.values()) or filters.scope) or any(NO_VALUE in values for values in chosen.values()):
            continue
        held = Filters(**chosen, scope=filters.scope)
        here = {alias: held.where(use.keys, alias=alias).sql for alias in ("w", "z")}
        found.append(Use(use.table, use.alias, use.rule.format(**here) + (use.enough if is_one else "")))
    return tuple(found)
