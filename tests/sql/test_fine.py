"""Fine groups of which coarser ones are told."""

from __future__ import annotations

import duckdb
import pytest

from sql.fine import HOUR, MINUTE, MOMENTS, Moment, fine_sets, moment

#: A bad stamp of long ago, the edges of a week, a leap day, microseconds before midnight.
STAMPS = ("0001-01-01 00:00:00", "1899-12-31 23:59:00", "1969-12-28 23:59:59.999999", "1969-12-29 00:00:00",
          "1970-01-01 00:00:00", "2024-02-29 12:30:59", "2026-11-29 23:59:59.999999", "2026-11-30 00:00:00",
          "9999-12-31 23:59:00")  # fmt: skip


@pytest.mark.parametrize("of_week", [HOUR, moment(30), moment(12), MINUTE])
def test_a_moment_of_the_week_tells_weekday_hour_and_minute(of_week: Moment) -> None:
    assert MOMENTS[of_week.name] == of_week
    for kind in ("TIMESTAMP", "DATE"):
        for stamp in STAMPS:
            body = f"SELECT CAST(CAST('{stamp}' AS TIMESTAMP) AS {kind}) AS period_local"
            row = duckdb.execute(
                f"SELECT {of_week.sql}, isodow(period_local), hour(CAST(period_local AS TIMESTAMP)), "
                f"minute(CAST(period_local AS TIMESTAMP)) FROM ({body}) b"
            ).fetchone()
            assert row is not None
            at, weekday, hour, minute = row
            assert at // (24 * of_week.per_hour) + 1 == weekday
            assert at // of_week.per_hour % 24 == hour
            assert at % of_week.per_hour == minute * of_week.per_hour // 60


def test_a_moment_that_is_not_known_is_none() -> None:
    sql = f"SELECT {MINUTE.sql} FROM (SELECT CAST(NULL AS TIMESTAMP) AS period_local) b"
    assert duckdb.execute(sql).fetchone() == (None,)


def test_sets_go_together_as_long_as_their_groups_are_few() -> None:
    sets = [((MINUTE.name,), "all"), ((), "all"), (("radiologist",), "all"), (("service_line",), "week")]
    (whole,) = fine_sets(sets, 90, 10**9)
    assert whole == (((MINUTE.name, "radiologist", "service_line"), "week"), [0, 2, 3, 1])
    assert fine_sets(sets, 90, 50_000) == [
        (((MINUTE.name,), "all"), [0, 1]), ((("radiologist", "service_line"), "week"), [2, 3]),
    ]  # fmt: skip


def test_two_grains_are_two_sets() -> None:
    assert fine_sets([((), "week"), ((), "month")], 90, 50_000) == [(((), "week"), [0]), (((), "month"), [1])]
