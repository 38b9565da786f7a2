"""Every row that a metric could have used: its statement without its rules, and the first rule that each breaks.

The rules are the parts of the outermost WHERE, and its inner joins. A row that breaks one is kept here and named, so
what is used and what is left out always add up to the table's rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sqlglot
from sqlglot import exp

from sql.catalog import Catalog, Metric
from sql.nullness import simplify
from sql.shape import last_hour_sql, weight_sql
from sql.windows import bounds, windowed

#: Rule, without aliases -> why a row that breaks it is left out. A rule that is not here is told by the header.
WORDS: dict[str, str] = {
    "NOT target_min IS NULL": "without a target",
    "NOT exam_started_at IS NULL": "did not begin",
    "NOT is_imported": "outside study",
    "NOT scheduled_at IS NULL": "without a slot",
    "NOT slot_at IS NULL": "without a slot",
    "NOT opens_local IS NULL": "day without staffing",
    "NOT day IS NULL": "without any time",
    "NOT procedure IS NULL": "unmapped procedure",
    "NOT procedure_local IS NULL": "without a code",
    "NOT value_min IS NULL": "an end is missing",
    "slot_at <= data_through": "slot after the data cut-off",
    "staffed_min > 0": "hour without staffing",
    "observed_min > 0": "after the data cut-off",
    "is_told": "no header to compare with a procedure",
    "is_reported": "day with exams on which nobody tells of the room",
    "room_occupancy.l": "after the last day on which the room is told of",
    "is_turnover": "no gap of up to 60 min inside one staffed block",
    "role = 'final'": "preliminary report",
    "level = 'facility_modality'": "added up to another level",
    "model = 'forecast'": "of a plain rule",
    "n_charged > 0": "stretch without a charged final read",
    "patient_class = 'emergency'": "not an emergency patient",
    "patient_class = 'outpatient'": "not an outpatient",
    "modality = 'CT'": "other modality",
    "is_end OR NOT first_final_at IS NULL": "not final yet",
    "NOT is_first_pass OR hour_at = latest_at": "first pass of an hour that the wall clock repeats",
    "critical_communication.c": "without a critical result that has a limit",
    "unused_capacity.x": "device whose exams have no duration",
    "downtime.u": "device with fewer than 50 idle runs",
    "idle_from_at = idle_since_at OR idle_from_at = from_at": "later piece of a run, or before the first exam",
    "third_next_available.u": "device with fewer than 20 booked days",
    "day_local >= from_day": "first 28 days of the device's bookings",
    "label_consistency.u": "unmapped procedure or no code",
}
#: Wall clock of an exam that may never have been performed, for placing what was excluded in a period.
ANY_CLOCK = "placed_local"
#: The column of it among those of an exam's metric.
ANY_LOCAL = "any_local"
#: Milestones whose winning source fct_exam keeps.
CLOCKED = ("ordered", "arrived", "exam_started", "exam_ended", "images_available", "first_prelim", "first_final")
#: Kinds of fate: used, or why not. `other` rows are not what the metric asks about; `excluded` ones do not count.
FATES = ("used", "missing", "waiting", "negative", "excluded", "other")

#: Milestones that an exam without them still waits for; others that are missing were lost or never happened.
AWAITED = frozenset({"first_final", "first_read"})


def source_of(milestone: str) -> str:
    """The column that names the source of a milestone."""
    return f"{milestone}_source"


@lru_cache(maxsize=256)
def candidates(asked: Metric, since: str = "NULL", until: str = "NULL", statistic: str = "") -> str:
    """The metric's statement over all rows of its table, with `left_out` (kind|reason, NULL for a row that it uses),

    `row_key` (the key of the table's row) and, where the table has them, `exam_key` and the sources of milestones.
    `since` and `until` are SQL dates, where only rows between them will be looked at. With a statistic its numerator
    says no more than whether it is known, and those of others are left out.
    """
    tree = opened(asked, statistic)
    if tree is None:
        return f"SELECT x.*, CAST(NULL AS VARCHAR) AS left_out FROM ({asked.body}) x"
    told = windowed(placed(tree, since, until), asked.windows, since, until)
    if ANY_LOCAL not in tree.named_selects:
        return told
    return f"""SELECT c.* EXCLUDE ({ANY_LOCAL}) REPLACE (
CASE WHEN c.left_out IS NULL THEN c.period_local ELSE coalesce(c.period_local, c.{ANY_LOCAL}) END AS period_local)
FROM ({told}) c"""


def opened(asked: Metric, statistic: str = "") -> exp.Select | None:
    """The metric's statement without its rules, with the columns that `candidates` adds and `ANY_LOCAL` where there is
    one; None where it does not read its table outermost."""
    tree = sqlglot.parse_one(asked.body, read="duckdb")
    assert isinstance(tree, exp.Select)  # noqa: S101 - every body is one
    base = tree.args["from_"].this
    if not isinstance(base, exp.Table):
        return None
    if statistic and asked.choices:
        _keep_fate(tree, asked, statistic)
    where = tree.args.get("where")
    rules = [] if where is None else list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
    counts = [(rule, _exclusion(rule)) for rule in rules if _is_countable(rule)]
    others = [(rule, _why(asked, _plain(rule))) for rule in rules if not _is_countable(rule)]
    cases = [*counts, *_opened(tree, asked), *others]
    tree.set("where", None)
    left_out = "".join(f" WHEN NOT coalesce({rule.sql('duckdb')}, FALSE) THEN {reason}" for rule, reason in cases)
    tree.select(f"CASE WHEN FALSE THEN ''{left_out} END AS left_out", dialect="duckdb", copy=False)
    if asked.table == base.name == "fct_exam":
        tree.select(f"{base.alias_or_name}.{ANY_CLOCK} AS {ANY_LOCAL}", dialect="duckdb", copy=False)
    for name, column in _keys(base).items():
        if name in tree.named_selects:
            continue
        tree.select(f"{column} AS {name}", dialect="duckdb", copy=False)
    return tree


def _keep_fate(tree: exp.Select, asked: Metric, statistic: str) -> None:
    """Of the numerators only whether that of a statistic is known; none of the others that is not counted as well."""
    counted = {choice.denominator for choice in asked.choices}
    mine = {choice.numerator for choice in asked.choices if choice.name == statistic}
    others = {choice.numerator for choice in asked.choices} - mine - counted
    tree.set("expressions", [item for item in tree.selects if item.alias_or_name not in others])
    simplify(tree, mine - counted)


def placed(tree: exp.Select, since: str, until: str) -> str:
    """The statement of `opened`, reading no more of its table than the dates need where a column of it is the period.

    An exam without that time is placed by another one, so it is kept.
    """
    text, base = tree.sql("duckdb"), tree.args["from_"].this
    (period,) = (item.unalias() for item in tree.selects if item.alias == "period_local")
    if not isinstance(period, exp.Column) or period.table != base.alias_or_name:
        return text
    held = " AND ".join(bounds(period.name, since, until))
    if not held:
        return text
    rows = f"SELECT * FROM {base.name} w WHERE {held}"
    if (
        base.name == "fct_exam"
    ):  # two scans, of which each skips what lies outside, where one with OR would skip nothing
        others = " AND ".join([f"w.{period.name} IS NULL", *bounds(ANY_CLOCK, since, until)])
        rows += f" AND w.{period.name} IS NOT NULL UNION ALL SELECT * FROM {base.name} w WHERE {others}"
    named = f"FROM {base.name} AS {base.alias_or_name}"
    return text.replace(named, f"FROM ({rows}) AS {base.alias_or_name}")


def _keys(base: exp.Table) -> dict[str, str]:
    """Columns that name a row of the metric's table."""
    model, alias = Catalog.load().models[base.name], base.alias_or_name
    parts = ", ".join(f"{alias}.{part.strip()}" for part in model.key.split(","))
    keys = {"row_key": f"concat_ws(chr(31), {parts})"}
    if any(column.name == "exam_key" for column in model.columns):
        keys["exam_key"] = f"{alias}.exam_key"
    known = {column.name for column in model.columns}
    keys |= {source: f"{alias}.{source}" for source in map(source_of, CLOCKED) if source in known}
    return keys


def _opened(tree: exp.Select, asked: Metric) -> list[tuple[exp.Expr, str]]:
    """Turns inner joins into left ones; returns the rule that each of them was."""
    rules: list[tuple[exp.Expr, str]] = []
    for join in tree.args.get("joins") or []:
        if join.side or join.kind == "CROSS" or not join.args.get("on"):
            continue
        name, inner = join.this.alias_or_name, join.this.copy()
        text = inner.this.sql("duckdb") if isinstance(inner, exp.Subquery) else f"SELECT * FROM {inner.name}"
        marked = f"(SELECT j.*, TRUE AS is_joined FROM ({text}) j) {name}"
        join.set("this", sqlglot.parse_one(f"SELECT 1 FROM {marked}", read="duckdb").args["from_"].this)
        join.set("side", "LEFT")
        rules.append((sqlglot.parse_one(f"{name}.is_joined", read="duckdb"), _why(asked, f"{asked.id}.{name}")))
    return rules


def _is_countable(rule: exp.Expr) -> bool:
    return isinstance(rule, exp.Column) and rule.name == "is_countable"


def _exclusion(rule: exp.Expr) -> str:
    table = rule.table if isinstance(rule, exp.Column) else ""
    return f"'excluded|' || coalesce({table}.exclusion_reason, 'does not count')"


def _plain(rule: exp.Expr) -> str:
    """A rule's text without aliases."""
    copy = rule.copy()
    for column in copy.find_all(exp.Column):
        column.set("table", None)
    return copy.sql("duckdb")


def _why(asked: Metric, rule: str) -> str:
    told = WORDS.get(rule) or (asked.excludes if asked.excludes != "none" else "not asked about")
    return "'other|" + told.replace("'", "''") + "'"


def completeness_sql(asked: Metric, where: str, since: str, until: str, statistics: Mapping[str, str]) -> str:
    """The statement behind `completeness`; `statistics` maps each one asked for to its condition, '' for always."""
    told = " UNION ALL ".join(_told_sql(asked, where, until, name, condition) for name, condition in statistics.items())
    alone = next(iter(statistics)) if len(statistics) == 1 else ""
    return f"""WITH body AS ({candidates(asked, since, until, alone)}
), told AS (
{told}
)
{fates_sql()}"""


def fates_sql(rule: str = "") -> str:
    """Kind, reason, n, share and n_rows of `told` (fate, n, n_rows): of fates that meet a rule, else of all."""
    return f"{_FATES}{rule} ORDER BY {_FATES_ORDER}"


def _told_sql(asked: Metric, where: str, until: str, statistic: str, condition: str) -> str:
    """How often each fate occurs."""
    return f"""SELECT {fate_sql(asked, statistic, until)} AS fate,
sum(coalesce({weight_sql(asked, statistic)}, 0)) AS n, count(*) AS n_rows
FROM body b WHERE {where}{f" AND {condition}" if condition else ""} GROUP BY ALL"""


_FATES = """SELECT split_part(t.fate, '|', 1) AS kind, substr(t.fate, instr(t.fate, '|') + 1) AS reason,
CAST(sum(t.n) AS BIGINT) AS n, coalesce(sum(t.n) / nullif(sum(sum(t.n)) OVER (), 0), 0.0) AS share,
CAST(sum(t.n_rows) AS BIGINT) AS n_rows
FROM told t
GROUP BY t.fate"""
_FATES_ORDER = f"list_position([{', '.join(map(repr, FATES))}], kind), n DESC, n_rows DESC, reason"


def value_of(asked: Metric, statistic: str) -> str:
    """The column that a statistic is told of."""
    return {choice.name: choice.numerator for choice in asked.choices}.get(statistic, "value")


def fate_sql(asked: Metric, statistic: str, until: str, behind: str = "") -> str:
    """Expression over a candidate `b`: kind|reason. `until` is the end of the dates, for counts at an instant; the
    metric's own columns (`own_columns`) end in `behind`."""
    value, left_out = f"b.{value_of(asked, statistic)}{behind}", f"b.left_out{behind}"
    cases = [f"WHEN {left_out} IS NOT NULL THEN {left_out}"]
    if asked.kind == "last":
        begin, end = last_hour_sql("CAST(NULL AS TIMESTAMP)", until)
        cases.append(f"WHEN b.period_local < {begin} OR b.period_local >= {end} "
                     "THEN 'other|not the last full hour'")  # fmt: skip
    for end, milestone in (("start_at", asked.clock_start), ("stop_at", asked.clock_stop)):
        if end in asked.columns:
            kind = "waiting" if end == "stop_at" and milestone in AWAITED else "missing"
            cases.append(f"WHEN {value} IS NULL AND b.{end}{behind} IS NULL THEN '{kind}|{milestone}'")
    if asked.kind == "percentile":
        cases.append(f"WHEN {value} < 0 THEN 'negative|runs backwards'")
    why = f"coalesce(b.why_null{behind}, 'missing|no value')" if "why_null" in asked.columns else "'missing|no value'"
    return f"CASE {' '.join(cases)} WHEN {value} IS NULL THEN {why} ELSE 'used|' END"


def own_columns(asked: Metric) -> set[str]:
    """Columns of candidates that are the metric's own: what becomes of a row is told of them."""
    chosen = {column for choice in asked.choices for column in (choice.numerator, choice.denominator) if column}
    return {"value", "start_at", "stop_at", "why_null", "left_out", *chosen}
