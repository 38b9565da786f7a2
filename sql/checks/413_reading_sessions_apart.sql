-- name: reading_sessions_apart
-- purpose: Reading sessions of a reader do not overlap.
SELECT s.radiologist, s.started_at
FROM (SELECT r.radiologist, r.started_at,
             lag(r.ended_at) OVER (PARTITION BY r.radiologist ORDER BY r.started_at) AS previous_ended_at
      FROM fct_reading_session r
      WHERE r.radiologist IN (SELECT n.radiologist FROM fct_reading_session_new n)) s
WHERE s.started_at < s.previous_ended_at
