"""The one way to ask: metrics, rows and what changed. Pages, exports and tests call these and nothing lower.

All answers are polars frames from one immutable snapshot. A metric's frame always has the columns of `SHAPE`.
"""

from __future__ import annotations

from sql.asked import Wanted
from sql.attribution import attribution, attribution_asked, steps
from sql.balance import workload_balance
from sql.benchmark import benchmark
from sql.censored import beside, censored
from sql.compare import compare, control, trend
from sql.evidence import clocks, completeness, verdict
from sql.forecast import backtest, outlook, outlook_groups
from sql.known import difference
from sql.leadership import course, scorecard
from sql.live import facilities_now, kept_exams, last_over, open_exams, open_list, standing, unread_ages
from sql.live_fates import open_fates
from sql.marks import marks
from sql.measure import SHAPE, QueryError, explain, metric
from sql.one_exam import exam, timeline
from sql.planning.answer import what_if
from sql.planning.rebalance import rebalance
from sql.room_for import room_for
from sql.rows import counts, facts, rows
from sql.site_known import alias_preview, devices_staffed, facilities_known, shift_spans, targets_held, unplaced
from sql.site_preview import critical_preview, staffing_preview, target_preview
from sql.site_rows import difference as site_difference
from sql.site_rows import in_force
from sql.together import foresee
from sql.turn import turns, turns_asked
from sql.unfinished import data_from
from sql.way import five_definitions, stage_fates, stages
from sql.weights import weight_agreement, weights

__all__ = [
    "SHAPE",
    "QueryError",
    "Wanted",
    "alias_preview",
    "attribution",
    "attribution_asked",
    "backtest",
    "benchmark",
    "beside",
    "censored",
    "clocks",
    "compare",
    "completeness",
    "control",
    "counts",
    "course",
    "critical_preview",
    "data_from",
    "devices_staffed",
    "difference",
    "exam",
    "explain",
    "facilities_known",
    "facilities_now",
    "facts",
    "five_definitions",
    "foresee",
    "in_force",
    "kept_exams",
    "last_over",
    "marks",
    "metric",
    "open_exams",
    "open_fates",
    "open_list",
    "outlook",
    "outlook_groups",
    "rebalance",
    "room_for",
    "rows",
    "scorecard",
    "shift_spans",
    "site_difference",
    "staffing_preview",
    "stage_fates",
    "stages",
    "standing",
    "steps",
    "target_preview",
    "targets_held",
    "timeline",
    "trend",
    "turns",
    "turns_asked",
    "unplaced",
    "unread_ages",
    "verdict",
    "weight_agreement",
    "weights",
    "what_if",
    "workload_balance",
]
