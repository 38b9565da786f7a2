"""What became of every exam at the instant of `sql.live`: open, without an end that is told, excluded or not asked."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from sql.filters import Filters
from sql.live import LOST_HOURS, NOW, STATE, standing, where_now
from sql.noted import noted
from sql.snapshot import Snapshot

#: State -> kind and reason, as the evidence tells them; `excluded` has the exam's own reason.
_FATES = {
    "waiting": ("used", "arrived, not begun"), "in_exam": ("used", "begun, not ended"),
    "unread": ("used", "ended, no final report"), "no_end": ("missing", "no end told, though a report is there"),
    "lost_end": ("excluded", f"begun over {LOST_HOURS} h before, and no end told"),
    "lost_begin": ("excluded", f"arrived over {LOST_HOURS} h before, and no begin told"),
    "unmapped": ("excluded", "unlinked facility"), "final": ("other", "final report there"),
    "not_arrived": ("other", "not arrived yet"),
}  # fmt: skip


@noted
def open_fates(snapshot: Snapshot, filters: Filters | None = None, at: datetime | None = None) -> pl.DataFrame:
    """What became of every exam under the filters at `at`: kind (used, missing, excluded, other), reason, n, share.

    Most exams count and are final: the engine only counts them, and looks at the others."""
    where, params = where_now(snapshot, filters, at)
    params["unread"] = int(standing(snapshot, (), filters, at)["n_unread"][0])
    kinds = " ".join(f"WHEN '{state}' THEN '{kind}'" for state, (kind, _) in _FATES.items())
    reasons = " ".join(f"WHEN '{state}' THEN '{reason}'" for state, (_, reason) in _FATES.items())
    state = f"SELECT {STATE} AS state, e.exclusion_reason FROM fct_exam e CROSS JOIN {NOW} n WHERE {where}"
    return snapshot.execute(
        f"""WITH later AS ({state} AND e.is_countable AND e.exam_ended_at > $at),
        told AS (
            SELECT o.state, o.exclusion_reason, count(*) AS n
            FROM ({state} AND NOT e.is_countable UNION ALL SELECT l.* FROM later l) o
            GROUP BY o.state, o.exclusion_reason
            UNION ALL
            SELECT 'unread', NULL, $unread
            UNION ALL
            SELECT 'final', NULL, (SELECT count(*) FROM fct_exam e WHERE {where} AND e.is_countable)
                - (SELECT count(*) FROM later) - $unread
        )
        SELECT f.kind, f.reason, CAST(sum(f.n) AS BIGINT) AS n, sum(f.n) / sum(sum(f.n)) OVER () AS share
        FROM (SELECT CASE t.state {kinds} ELSE 'excluded' END AS kind,
                CASE t.state {reasons} ELSE replace(t.exclusion_reason, '_', ' ') END AS reason, t.n
            FROM told t WHERE t.n > 0) f
        GROUP BY f.kind, f.reason
        ORDER BY list_position(['used', 'missing', 'excluded', 'other'], f.kind), n DESC, f.reason""",
        params,
    )
