"""What an incremental build derives again: touched exams, and from them patients, devices, readers, days, stretches.

A scope is a temporary table of keys, for some with the instant or day from which their rows change. Rows of a mart
inside the scope of its header are deleted and derived again; all others stay as they are. A full build has everything
in scope. The bounds are chosen so that no derived interval (session, stretch of reading) is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import duckdb

from etl.build_devices import derive_device_ranges
from etl.build_models import BuildModel, checked_marts
from etl.build_ranges import derive_ranges
from etl.build_reads import derive_reads
from etl.build_tally import TALLY, change_view, same_keys


@dataclass(frozen=True, slots=True)
class Scope:
    """Keys `key` of temporary table `table`; with `since`, only rows from there on, with `until` before that; with
    `on`, only of that hour. `also` are further keys, which may be NULL."""

    table: str
    key: str
    since: str = ""
    until: str = ""
    on: str = ""
    also: tuple[str, ...] = ()


#: Stretches of time that are named where old rows are looked for; more of them take longer to judge than they save.
MOST_STRETCHES = 6
#: Of what stretches are: days, or places of rows.
At = TypeVar("At", date, int)
#: The column whose day is the column of a scope.
_OF_DAY = re.compile(r"CAST\((\w+) AS DATE\)")
_REPORTED = """read_at IN (
    SELECT first_final_at FROM fct_exam_before UNION ALL SELECT first_prelim_at FROM fct_exam_before)"""
#: Marts whose rows are found by times that those of touched exams and patients have, before texts are compared.
_NEAR = {
    "fct_read": _REPORTED,
    "fct_discrepancy": _REPORTED,
    "fct_repeat": """exam_started_local IN (
    SELECT exam_started_local FROM patient_exam UNION ALL SELECT exam_started_local FROM fct_exam_before)""",
}
#: Days around which the stays of touched movers lie, wherever the room is: a stay begins or ends as a move was told,
#: and moves are never deleted.
_MOVED = """
    SELECT DISTINCT CAST("at" AS DATE) - 1 AS since, CAST("at" AS DATE) + 2 FROM touched_move
    WHERE "at" IS NOT NULL ORDER BY since"""
GROUP = ("modality", "priority", "patient_class")
SCOPES: dict[str, Scope] = {
    "exam": Scope("touched_exam", "exam_key"),
    "mover": Scope("touched_mover", "mover_key"),
    "patient": Scope("touched_patient", "patient_key"),
    "radiologist": Scope("touched_radiologist", "radiologist", "since_at"),
    "device": Scope("touched_device", "device", "since_day", "until_day"),
    "backlog": Scope("touched_backlog_hour", "facility", since="hour_at", on="hour_at", also=GROUP),
    "worklist": Scope("touched_worklist", "facility", "from_at", "to_at", also=("service_line",)),
}

#: Columns of fct_exam on which the marts of devices depend, beside who else's exams are of the same patient; those of
#: fct_room_stay; and those on which what waits and is read does.
_OF_DEVICE = "exam_key, facility, device, modality, exam_started_at, exam_ended_at, is_countable, is_imported"
_OF_ROOM = "device, entered_at, left_at, fate"
_OF_WAIT = (
    "exam_key, facility, device, modality, procedure, service_line, priority, patient_class, exam_ended_at, "
    "images_available_at, read_started_at, first_prelim_at, first_final_at, radiologist, assistant, is_countable, "
    "target_min, wrvu"
)
#: Columns of fct_read on which stretches of reading depend.
CARRIED_READ = "exam_key, facility, radiologist, role, read_at, read_started_at, wrvu"
#: Columns of fct_exam on which the marts of patients depend.
_OF_PATIENT = (
    "exam_key, patient_key, facility, device, modality, procedure, region, laterality, contrast, service_line, "
    "priority, patient_class, ordered_at, ordered_local, exam_started_at, exam_started_local, is_follow_up, "
    "is_countable"
)
#: Marts of whose changes the scopes and tallies follow, and the columns that count.
KEPT = {
    "fct_exam": f"{_OF_WAIT}, patient_key, exam_started_at, is_imported, procedure_local, exam_ended_local, "
    "exam_started_local, ordered_local, first_final_local, "
    "order_to_exam_min, wait_min, exam_duration_min, report_prelim_min, report_final_min, read_final_min, "
    "prelim_to_final_min, region, laterality, contrast, ordered_at, is_follow_up, "
    "ordered_source, arrived_source, exam_started_source, exam_ended_source, "
    "images_available_source, first_prelim_source, first_final_source, door_at, n_rejected, has_order, has_booking, "
    "has_status, has_step, has_study, has_report",
    "fct_outside_prior": "exam_key, patient_key, facility, availability, modality, region, declared_at",
    "fct_import": "exam_key, patient_key, facility, modality, region, imported_at",
    "fct_exam_event": 'exam_key, facility, source, standard, origin, "at"',
    "fct_room_stay": "stay_key, facility, room, device, entered_at, left_at, entered_local, left_local, fate",
    "fct_read": f"{CARRIED_READ}, is_alone, reported_at, modality, procedure, region",
    "fct_appointment": "device, slot_local, slot_told_local, status, outcome",
    "fct_device_busy": "device, gap_before_min, is_turnover",
    "fct_device_idle": "device, idle_since_at, idle_min",
    "fct_label": "exam_key, facility, label_key, method, score, proposal, others, says, n_unknown, header_region, "
    "header_laterality, header_contrast, header_views, is_against, is_modality_against, is_region_against, "
    "is_laterality_against, is_contrast_against, is_views_against",
}


def in_scope(con: duckdb.DuckDBPyConnection, model: BuildModel) -> str:
    """SQL condition on rows of a mart that has a scope: they are derived again.

    It names stretches of time, or times that touched exams have (`_NEAR`), so that what lies elsewhere is not read.
    A scope with times that has none has no rows, so none are looked for.
    """
    if model.scope == TALLY:
        return f"EXISTS (SELECT 1 FROM new_rows n WHERE {same_keys(model, 'n', model.name)})"
    scope = SCOPES[model.scope]
    if not model.scope_column:
        near = f"{_NEAR[model.name]} AND " if model.name in _NEAR else ""
        if model.name == "fct_room_stay":
            moved = " OR ".join(("told_local IS NULL", *_in_days(con, "told_local", _MOVED)))
            near = f"({moved}) AND "
        return f"{near}{scope.key} IN (SELECT {scope.key} FROM {scope.table})"
    # A scope has columns of its own: a name alone would mean those.
    column = f"{model.name}.{model.scope_column}" if model.scope_column.isidentifier() else model.scope_column
    bound = f"{column} IS NOT DISTINCT FROM s.{scope.on}" if scope.on else f"{column} >= s.{scope.since}"
    bound += f" AND {column} < s.{scope.until}" if scope.until else ""
    bound += "".join(f" AND {model.name}.{key} IS NOT DISTINCT FROM s.{key}" for key in scope.also)
    found = f"EXISTS (SELECT 1 FROM {scope.table} s WHERE s.{scope.key} = {model.name}.{scope.key} AND {bound})"
    within = _within(con, scope, _OF_DAY.sub(r"\1", column))
    return f"({within}) AND {found}" if within else "FALSE"  # nothing is in scope


def _within(con: duckdb.DuckDBPyConnection, scope: Scope, column: str) -> str:
    """SQL condition on a time or day: it lies in one of the few stretches of days that hold those of a scope."""
    until = scope.until or scope.on
    last = f"CAST({until} AS DATE) + 1" if until else "NULL"
    days = f"""
        SELECT CAST({scope.since} AS DATE) AS since, max({last}) FROM {scope.table}
        WHERE {scope.since} IS NOT NULL GROUP BY since ORDER BY since"""
    return " OR ".join(_in_days(con, column, days))


def _in_days(con: duckdb.DuckDBPyConnection, column: str, days: str) -> Iterator[str]:
    """SQL conditions of which a time or day holds one, where it is in the stretches (`days`, SQL) of ordered days."""
    for since, end in stretches(con.execute(days).fetchall()):
        yield f"{column} >= '{since}'" + (f" AND {column} < '{end}'" if end else "")


def stretches(days: list[tuple[At, At | None]], most: int = MOST_STRETCHES) -> list[tuple[At, At | None]]:
    """At most `most` stretches (first day or place, the one after the last; None is open) that hold ordered ones."""
    found: list[tuple[At, At | None]] = []
    for since, until in days:
        end = found[-1][1] if found else None
        if found and (end is None or since <= end):
            found[-1] = (found[-1][0], None if end is None or until is None else max(end, until))
        else:
            found.append((since, until))
    numbers = range(1, len(found))
    gaps: list[int] = sorted(numbers, key=lambda n: found[n][0] - (found[n - 1][1] or found[n][0]), reverse=True)
    firsts: list[int] = [0, *sorted(gaps[: most - 1])]
    return [(found[n][0], found[end - 1][1]) for n, end in zip(firsts, [*firsts[1:], len(found)], strict=True) if found]


def keep_before(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    """Temp tables with what the marts hold before the build; those of `KEPT` are filled as rows are deleted and made.

    Of a build of all exams, `<mart>_now` is the mart itself, and so is `<mart>_new`, which checks read. View
    `<mart>_change` has both, `sign` 1 now, -1 before.
    """
    for name, columns in KEPT.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name}_before AS SELECT {columns} FROM {name} LIMIT 0")
        now = f"VIEW {name}_now AS SELECT {columns} FROM {name}" if anew else f"TABLE {name}_now AS FROM {name}_before"
        con.execute(f"CREATE OR REPLACE TEMP {now}")
        change_view(con, name)
    for name in checked_marts():
        kind, none = ("VIEW", "") if anew else ("TABLE", "LIMIT 0")
        con.execute(f"CREATE OR REPLACE TEMP {kind} {name}_new AS FROM {name} {none}")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE device_before AS
        SELECT device, facility, modality, first_exam_at AS first_at FROM dim_device""")


def keep_old(con: duckdb.DuckDBPyConnection, mart: str) -> None:
    """Keep the rows of `old_rows`, which were deleted from a mart of `KEPT`."""
    if mart in KEPT:
        con.execute(f"INSERT INTO {mart}_before SELECT {KEPT[mart]} FROM old_rows")


def keep_now(con: duckdb.DuckDBPyConnection, mart: str) -> None:
    """Keep the rows of `new_rows`, which were added to a mart of `KEPT` or to one that checks look at."""
    if mart in KEPT:
        con.execute(f"INSERT INTO {mart}_now SELECT {KEPT[mart]} FROM new_rows")
    if mart in checked_marts():
        con.execute(f"INSERT INTO {mart}_new BY NAME FROM new_rows")


def _changed(mart: str, columns: str, anew: bool) -> str:
    now, before = (f"SELECT {columns} FROM {mart}_{time}" for time in ("now", "before"))
    return now if anew else f"({before} EXCEPT {now}) UNION ALL ({now} EXCEPT {before})"


def derive_scopes(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    """Create the scopes of patients, readers, facilities and devices, once the exams' marts are new."""
    reads = _changed("fct_read", CARRIED_READ, anew)
    kind = "VIEW" if anew else "TABLE"
    for name, columns in (("exam_changed", _OF_DEVICE), ("wait_changed", _OF_WAIT)):
        con.execute(f"CREATE OR REPLACE TEMP {kind} {name} AS {_changed('fct_exam', columns, anew)}")
    con.execute(f"CREATE OR REPLACE TEMP {kind} stay_changed AS {_changed('fct_room_stay', _OF_ROOM, anew)}")
    of_patients = {"fct_exam": _OF_PATIENT, **{mart: KEPT[mart] for mart in ("fct_outside_prior", "fct_import")}}
    changed = (f"SELECT patient_key FROM ({_changed(mart, told, anew)})" for mart, told in of_patients.items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE touched_patient AS {' UNION '.join(changed)}")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_radiologist AS
        SELECT c.radiologist, least(c.since_at, min(s.started_at)) AS since_at
        FROM (SELECT radiologist,
                     min(least(coalesce(read_started_at, read_at - INTERVAL 10 MINUTE), read_at)) AS since_at
              FROM ({reads}) GROUP BY radiologist) c
        LEFT JOIN fct_reading_session s ON s.radiologist = c.radiologist
            AND s.ended_at + INTERVAL 30 MINUTE >= c.since_at
        GROUP BY c.radiologist, c.since_at""")
    derive_ranges(con, anew)
    derive_reads(con, anew)
    _find_patient_exams(con, anew)
    _derive_devices(con, anew)
    if not anew:
        _add_due(con)


def _find_patient_exams(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    """Temp `patient_exam`: all exams of the touched patients, found by one column and read by their place."""
    if anew:
        con.execute(f"CREATE OR REPLACE TEMP VIEW patient_exam AS SELECT {_OF_PATIENT} FROM fct_exam")
        return
    con.execute("""
        CREATE OR REPLACE TEMP TABLE patient_place AS
        SELECT rowid AS place FROM fct_exam WHERE patient_key IN (SELECT patient_key FROM touched_patient)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE patient_exam AS
        SELECT {_OF_PATIENT} FROM fct_exam WHERE rowid IN (SELECT place FROM patient_place)""")


def _add_due(con: duckdb.DuckDBPyConnection) -> None:
    """Events of other exams that were told ahead and that the data cut-off has passed: they count from now on."""
    con.execute(f"""
        INSERT INTO fct_exam_event_now
        SELECT {KEPT["fct_exam_event"]} FROM fct_exam_event, clock
        WHERE "at" > clock.told_through AND "at" <= clock.data_through
            AND exam_key NOT IN (SELECT exam_key FROM touched_exam)""")


def _derive_devices(con: duckdb.DuckDBPyConnection, anew: bool) -> None:
    con.execute("""
        CREATE OR REPLACE TEMP TABLE device_profile AS
        SELECT e.device, coalesce(s.facility, e.facility) AS facility, coalesce(s.modality, e.modality) AS modality,
               e.first_at, coalesce(z.zone, d.default_zone) AS zone
        FROM (SELECT device, min(facility) AS facility, min(modality) AS modality, min(first_at) AS first_at
              FROM fct_device_start_day GROUP BY device) e
        CROSS JOIN site_zone d
        LEFT JOIN (SELECT DISTINCT ON (device) * FROM site_devices) s ON s.device = e.device
        LEFT JOIN site_facility z ON z.facility = coalesce(s.facility, e.facility)""")
    derive_device_ranges(con, anew)
