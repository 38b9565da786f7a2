-- name: stg_milestone_event
-- grain: event of an exam
-- key: exam_key, code, at, origin, source
-- purpose: Told events, and first and last acquisition as events of origin image.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: code VARCHAR - | event of the vocabulary
-- column: at TIMESTAMP UTC | when it happened
SELECT e.exam_key, e.code, e.at, e.slot_at, e.origin, e.message_at, e.detail, e.reason_code
FROM stg_event e
UNION ALL
SELECT i.exam_key, c.code, CASE WHEN c.code = 'exam_started' THEN i.started_at ELSE i.ended_at END AS at, NULL, 'image',
       NULL, NULL, NULL
FROM (SELECT exam_key, started_at, ended_at, is_imported FROM stg_image
      UNION ALL SELECT exam_key, started_at, ended_at, is_imported FROM stg_shared_study) i
CROSS JOIN (SELECT 'exam_started' AS code UNION ALL SELECT 'exam_ended') c
WHERE NOT i.is_imported AND i.started_at IS NOT NULL
