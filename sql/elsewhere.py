"""Rows of elsewhere that a metric's statement reads but does not need where facilities are asked for.

A filter on the facility of a row reaches the table that the row comes from. Tables that are joined to it, or folded
before, hold rows of all facilities, most of the time that a question about one of them takes.
"""

from __future__ import annotations

from typing import NamedTuple

from sql.filters import NO_VALUE, Filters


class Use(NamedTuple):
    """A use of a table in a metric's statement (`alias`, '' for all), of which rows that do not meet `rule` tell
    nothing about other facilities than their own: SQL over the row `w`, with what asks for the facilities of a row in
    braces. `enough` follows it where one facility is asked for and some of its rows tell as much as all."""

    table: str
    alias: str
    rule: str
    enough: str = ""


#: The facilities of the row itself.
_OWN = "{w}"
#: Of a device that days of these facilities tell of: a booking may be of another facility than its device.
_OF_DEVICE = "w.device IN (SELECT z.device FROM fct_device_day z WHERE {z})"
#: By metric. A device has one facility in a table of devices, and a stretch of reading has one; a repeat and an answer
#: about outside imaging have that of their exam, which `sql.evidence` looks up for its clocks.
_USES = {
    "avoidable_repeats": (Use("fct_exam", "e", _OWN),),
    "declared_repeat": (Use("fct_repeat", "r", _OWN),),
    "downtime": (Use("fct_device_idle", "q", _OWN),),
    "local_minutes_per_hour": (Use("fct_reading_session", "x", _OWN),),
    "prelim_final_discrepancy": (Use("fct_discrepancy", "c", _OWN, " AND w.grade IS NOT NULL LIMIT 1"),),
    "prior_availability": (Use("fct_exam", "e", _OWN),),
    "third_next_available": (Use("fct_device_day", "", _OF_DEVICE), Use("fct_appointment", "", _OF_DEVICE)),
}


def needed(metric_id: str, filters: Filters) -> tuple[Use, ...]:
    """The uses of tables that a question about facilities needs no more rows of, each with its rule; their parameters
    are those of `Filters.where`."""
    if not (filters.facility or filters.scope) or NO_VALUE in filters.facility:
        return ()
    held = Filters(facility=filters.facility, scope=filters.scope)
    here = {alias: held.where(("facility",), alias=alias).sql for alias in ("w", "z")}
    is_one = len(filters.facility or filters.scope or ()) == 1
    return tuple(Use(use.table, use.alias, use.rule.format(**here) + (use.enough if is_one else ""))
                 for use in _USES.get(metric_id, ()))  # fmt: skip
