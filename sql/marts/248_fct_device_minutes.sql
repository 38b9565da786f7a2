-- name: fct_device_minutes
-- grain: device, what is measured, minutes
-- key: device, measure, minutes
-- purpose: How long exams, turnovers and idle runs of a device take, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- column: device VARCHAR - | device
-- column: measure VARCHAR - | exam (exams that count), turnover, or idle_run: staffed time from one session to the next
-- column: minutes DOUBLE min | how long, of whole seconds
-- column: n BIGINT - | how many
WITH changed AS (
    SELECT c.device, c.idle_since_at, sum(c.sign * round(c.idle_min * 60)) AS seconds, sum(c.sign) AS n_pieces
    FROM fct_device_idle_change c
    WHERE c.idle_since_at IS NOT NULL
    GROUP BY c.device, c.idle_since_at
), run AS (
    SELECT q.device, q.idle_since_at, sum(round(q.idle_min * 60)) AS seconds, count(*) AS n_pieces
    FROM fct_device_idle q
    JOIN changed c ON c.device = q.device AND c.idle_since_at = q.idle_since_at
    WHERE q.idle_since_at >= (SELECT min(k.idle_since_at) FROM changed k)
    GROUP BY q.device, q.idle_since_at
), measured AS (
    SELECT e.device, 'exam' AS measure, e.exam_duration_min AS minutes, e.sign
    FROM fct_exam_change e
    WHERE e.is_countable AND e.exam_duration_min > 0
    UNION ALL
    SELECT b.device, 'turnover', b.gap_before_min, b.sign
    FROM fct_device_busy_change b
    WHERE b.is_turnover
    UNION ALL
    SELECT r.device, 'idle_run', r.seconds / 60.0, 1
    FROM run r
    UNION ALL
    SELECT c.device, 'idle_run', (coalesce(r.seconds, 0) - c.seconds) / 60.0, -1
    FROM changed c
    LEFT JOIN run r ON r.device = c.device AND r.idle_since_at = c.idle_since_at
    WHERE coalesce(r.n_pieces, 0) > c.n_pieces
)
SELECT m.device, m.measure, m.minutes, CAST(sum(m.sign) AS BIGINT) AS n
FROM measured m
WHERE m.device IS NOT NULL
GROUP BY m.device, m.measure, m.minutes
