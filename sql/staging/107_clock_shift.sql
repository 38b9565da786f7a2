-- name: clock_shift
-- grain: minute of the week
-- key: minute_of_week
-- purpose: In hours if any regular shift works; the shift that began first is named. Without shifts: Mon-Fri, 8 to 17.
-- materialize: table
-- column: minute_of_week INTEGER min | 0 is Monday 00:00
-- column: shift VARCHAR - | shift, NULL where none works
-- column: is_after_hours BOOLEAN - | no regular shift works
SELECT m.minute_of_week, min(m.shift) FILTER (WHERE m.choice = 1) AS shift,
       CASE WHEN count(m.shift) > 0 THEN bool_and(m.is_after_hours)
            WHEN max(m.n_spans) > 0 THEN TRUE
            ELSE m.minute_of_week >= 7200 OR mod(m.minute_of_week, 1440) < 480 OR mod(m.minute_of_week, 1440) >= 1020
       END AS is_after_hours
FROM (SELECT w.minute_of_week, s.shift, s.is_after_hours, n.n_spans,
             row_number() OVER (
                 PARTITION BY w.minute_of_week
                 ORDER BY s.is_after_hours, mod(w.minute_of_week - s.from_minute + 10080, 10080) DESC, s.shift)
                 AS choice
      FROM week_minute w
      CROSS JOIN (SELECT count(*) AS n_spans FROM shift_span) n
      LEFT JOIN shift_span s ON mod(w.minute_of_week - s.from_minute + 10080, 10080) < s.n_minutes) m
GROUP BY m.minute_of_week
