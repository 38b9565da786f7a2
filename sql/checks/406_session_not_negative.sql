-- name: session_not_negative
-- purpose: A session has exams and ends after it starts.
SELECT b.device, b.busy_started_at FROM fct_device_busy_new b
WHERE b.busy_ended_at <= b.busy_started_at OR b.n_exams < 1
