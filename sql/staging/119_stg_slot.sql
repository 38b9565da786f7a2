-- name: stg_slot
-- grain: appointment of an exam
-- key: appointment_key, exam_key
-- purpose: What the messages of an appointment come to: the last word on each of its facts, and when it was told.
-- materialize: table
-- column: appointment_key VARCHAR - | keyed appointment number
-- column: exam_key VARCHAR - | exam
-- column: told_at TIMESTAMP UTC | the last message
-- column: slot_told_at TIMESTAMP UTC | the first message that told of the last slot
-- column: cancelled_at TIMESTAMP UTC | the first of the cancels that nothing but cancels follow
WITH version AS (
    SELECT q.exam_key, q.appointment_key, q.message_at, coalesce(q.at, q.message_at) AS at, q.slot_at,
           q.duration_min, q.resource, q.status, coalesce(q.status IN ('cancelled', 'discontinued'), FALSE) AS is_cancel,
           row_number() OVER (
               PARTITION BY q.exam_key, q.appointment_key
               ORDER BY q.message_at NULLS FIRST, q.source, q.message_id, q.row_number, q.status, q.slot_at,
                        q.duration_min, q.resource) AS version
    FROM stg_appointment q
    WHERE q.appointment_key IS NOT NULL
), last_word AS (
    SELECT v.exam_key, v.appointment_key, max(v.message_at) AS told_at,
           arg_max(v.slot_at, v.version) FILTER (WHERE v.slot_at IS NOT NULL) AS slot_at,
           arg_max(v.duration_min, v.version) FILTER (WHERE v.duration_min IS NOT NULL) AS duration_min,
           arg_max(v.resource, v.version) FILTER (WHERE v.resource IS NOT NULL) AS resource,
           arg_max(v.status, v.version) FILTER (WHERE v.status IS NOT NULL) AS status,
           coalesce(max(v.version) FILTER (WHERE NOT v.is_cancel), 0) AS last_open
    FROM version v
    GROUP BY v.exam_key, v.appointment_key
)
SELECT w.exam_key, w.appointment_key, w.told_at, w.slot_at, w.duration_min, w.resource, w.status,
       min(v.at) FILTER (WHERE v.slot_at = w.slot_at) AS slot_told_at,
       min(v.at) FILTER (WHERE v.is_cancel AND v.version > w.last_open) AS cancelled_at
FROM last_word w
JOIN version v ON v.exam_key = w.exam_key AND v.appointment_key = w.appointment_key
GROUP BY w.exam_key, w.appointment_key, w.told_at, w.slot_at, w.duration_min, w.resource, w.status
