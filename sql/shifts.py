"""How long a part of the hour may be, so that one shift works in all of it: rows are put in fewer groups then."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

from sql.bundle import Bundle
from sql.fine import MINUTES_OF_HOUR, MINUTES_OF_WEEK
from sql.snapshot import Snapshot


def with_step(snapshot: Snapshot, bundle: Bundle) -> Bundle:
    """The bundle with the minutes of a part of the hour, where it asks for shifts."""
    return replace(bundle, step=shift_step(snapshot)) if "shift" in bundle.keys else bundle


def shift_step(snapshot: Snapshot) -> int:
    """Minutes, a divisor of 60: each part of that length from the full hour has one shift. 1 where some minute of the
    week is not told of."""
    found = snapshot.execute(
        """SELECT c.minute, c.n_minutes FROM (
            SELECT s.minute_of_week % 60 AS minute, count(*) OVER () AS n_minutes,
                   s.shift IS DISTINCT FROM lag(s.shift, 1, s.shift) OVER (ORDER BY s.minute_of_week) AS is_other
            FROM dim_shift s) c
        WHERE c.is_other OR c.minute = 0
        GROUP BY ALL"""
    )
    is_whole = set(found["n_minutes"]) == {MINUTES_OF_WEEK}
    return gcd(MINUTES_OF_HOUR, *found["minute"].to_list()) if is_whole else 1
