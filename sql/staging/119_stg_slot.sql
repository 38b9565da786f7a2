-- name: stg_slot
-- grain: appointment of an exam
-- key: appointment_key, exam_key
-- purpose: What the messages of an appointment come to: the last word on each of its facts, and when it was cancelled.
-- materialize: table
-- column: appointment_key VARCHAR - | keyed appointment number
-- column: exam_key VARCHAR - | exam
-- column: told_at TIMESTAMP UTC | the last message
-- column: cancelled_at TIMESTAMP UTC | the first of the cancels that nothing but cancels follow
SELECT w.exam_key, w.appointment_key, max(w.message_at) AS told_at,
       arg_max(w.slot_at, w.version) FILTER (WHERE w.slot_at IS NOT NULL) AS slot_at,
       arg_max(w.duration_min, w.version) FILTER (WHERE w.duration_min IS NOT NULL) AS duration_min,
       arg_max(w.resource, w.version) FILTER (WHERE w.resource IS NOT NULL) AS resource,
       arg_max(w.status, w.version) FILTER (WHERE w.status IS NOT NULL) AS status,
       min(w.at) FILTER (WHERE w.is_cancel AND w.version > w.last_open) AS cancelled_at
FROM (SELECT v.*, coalesce(max(CASE WHEN NOT v.is_cancel THEN v.version END) OVER (
                               PARTITION BY v.exam_key, v.appointment_key), 0) AS last_open
      FROM (SELECT q.exam_key, q.appointment_key, q.message_at, coalesce(q.at, q.message_at) AS at, q.slot_at,
                   q.duration_min, q.resource, q.status,
                   coalesce(q.status IN ('cancelled', 'discontinued'), FALSE) AS is_cancel,
                   row_number() OVER (
                       PARTITION BY q.exam_key, q.appointment_key
                       ORDER BY q.message_at NULLS FIRST, q.source, q.message_id, q.row_number, q.status, q.slot_at,
                                q.duration_min, q.resource) AS version
            FROM stg_appointment q
            WHERE q.appointment_key IS NOT NULL) v) w
GROUP BY w.exam_key, w.appointment_key
