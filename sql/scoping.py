"""What of each table a snapshot of some facilities holds: one rule a table, or there is no such snapshot.

A table with a column `facility`, and no other column that names one, holds the rows of these facilities. Every other
table stands in `RULES`. Conditions and expressions are of rows `t` of the whole snapshot (`whole`) and of the
facilities (`scope`, one column `facility`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from sql.filters import SCOPE_THROUGH
from sql.snapshot import Snapshot

_OWN = "t.facility IN (SELECT facility FROM scope)"
_ANY = f"t.facility IS NULL OR {_OWN}"
#: What stands for a facility that is not of the scope.
ELSEWHERE = "elsewhere"
_NOBODY = "CAST(NULL AS VARCHAR)"


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows are kept, and which columns are told otherwise (name -> expression)."""

    where: str
    told: dict[str, str] = field(default_factory=dict)


def _through(column: str) -> Rule:
    table = SCOPE_THROUGH[column]
    return Rule(
        f"t.{column} IN (SELECT o.{column} FROM whole.{table} o WHERE o.facility IN (SELECT facility FROM scope))"
    )


ALL, NONE = Rule("TRUE"), Rule("FALSE")
OWN = Rule(_OWN)
_OTHERS_OWN = "o.facility IN (SELECT facility FROM scope)"
#: Tables whose rows are made of reads or exams of several facilities: derived again from those of the scope alone, in
#: this order, by the models of a build (`etl.scope_models`); nothing of them is copied.
DERIVED = (
    "fct_read_minutes", "dim_procedure_weight", "fct_reading_session", "fct_forecast", "fct_forecast_error",
    "dim_forecast",
)  # fmt: skip
_PRIOR_IS_OWN = "t.prior_facility IN (SELECT facility FROM scope)"
#: Columns that name a reader, a technologist.
PEOPLE = ("radiologist", "assistant", "operator")
_READERS = " UNION ".join(
    f"SELECT {column} FROM whole.{table} o WHERE o.facility IN (SELECT facility FROM scope)"
    for table, column in (
        ("fct_read", "radiologist"), ("fct_exam", "radiologist"), ("fct_exam", "assistant"),
        ("fct_discrepancy", "radiologist"), ("fct_queue_read", "radiologist"),
    )
)  # fmt: skip
RULES: dict[str, Rule] = {
    # The exam of a scope repeats one elsewhere: that it does, and after how long, is its own; which one it was is not.
    "fct_repeat": Rule(
        _OWN,
        {
            "prior_exam_key": f"CASE WHEN {_PRIOR_IS_OWN} THEN t.prior_exam_key END",
            "prior_facility": f"CASE WHEN {_PRIOR_IS_OWN} THEN t.prior_facility ELSE '{ELSEWHERE}' END",
        },
    ),
    "fct_header": _through("exam_key"),
    "fct_report_version": _through("exam_key"),
    "dim_device_usual": _through("device"),
    "dim_staffing": _through("device"),
    "fct_device_minutes": _through("device"),
    "fct_room_day": _through("device"),
    "fct_slot_day": _through("device"),
    "dim_radiologist": Rule(f"t.radiologist IN ({_READERS})"),
    # These hold for any facility where they name none.
    "dim_target": Rule(_ANY),
    "dim_mapping": Rule(_ANY),
    "dim_special_day": Rule(_ANY),
    "dim_shift": ALL,
    # From its own first exam on, and with what its own exams usually weigh.
    "dim_calendar": Rule(
        f"t.day >= (SELECT CAST(min(o.exam_started_local) AS DATE) FROM whole.fct_exam o WHERE {_OTHERS_OWN}"
        " AND NOT o.is_imported)"
    ),
    "dim_procedure": Rule(
        "TRUE",
        {
            "wrvu_usual": f"(SELECT quantile_cont(o.wrvu, 0.5) FROM whole.fct_exam o WHERE {_OTHERS_OWN}"
            " AND o.is_countable AND o.wrvu IS NOT NULL AND o.procedure = t.procedure)"
        },
    ),
    "dq_identity": NONE,  # identifiers of the whole network, tied to no facility
    **dict.fromkeys(DERIVED, NONE),
}


class Told(NamedTuple):
    """What a snapshot of some facilities says of itself: the name of its scope, the facilities' ids, and what people
    call them together."""

    name: str
    facilities: tuple[str, ...]
    label: str


def told(snapshot: Snapshot) -> Told | None:
    """The scope that a snapshot is of; None where it is of the whole network."""
    columns = snapshot.columns("meta_scope")
    if not columns:
        return None
    label = "label" if "label" in columns else "name"  # of a snapshot of before there were labels
    rows = snapshot.execute(f"SELECT name, facilities, {label} FROM meta_scope").rows()
    return next((Told(name, tuple(facilities), label) for name, facilities, label in rows), None)


class ScopingError(ValueError):
    """A table without a rule; names it."""


def rule_of(table: str, columns: Collection[str]) -> Rule:
    """The rule of a table that has `columns`. Raises ScopingError where none says what of it may be told."""
    if table in RULES:
        return RULES[table]
    if [column for column in columns if column.endswith("facility")] != ["facility"]:
        raise ScopingError(f"{table} has no rule of what a snapshot of some facilities may hold of it")
    return OWN


#: Tables of people: empty where these are not told.
OF_PEOPLE = frozenset({"dim_radiologist"})


def selected(table: str, columns: Collection[str], *, has_people: bool) -> str:
    """The statement that gives what a scope holds of a table of the whole snapshot."""
    rule = NONE if table in OF_PEOPLE and not has_people else rule_of(table, columns)
    return f"SELECT {', '.join(_told(rule, c, has_people) for c in columns)} FROM whole.{table} t WHERE {rule.where}"


def _told(rule: Rule, column: str, has_people: bool) -> str:
    if column in rule.told:
        return f'{rule.told[column]} AS "{column}"'
    if column in PEOPLE and not has_people:
        return f'{_NOBODY} AS "{column}"'
    return f't."{column}"'
