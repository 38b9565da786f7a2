-- name: backlog_not_negative
-- purpose: A backlog row counts at least one exam, not more past target than waiting.
SELECT b.facility, b.hour_at FROM fct_backlog_hour_new b
WHERE b.n_waiting < 1 OR b.n_past_target < 0 OR b.n_past_target > b.n_waiting OR b.oldest_min < 0
