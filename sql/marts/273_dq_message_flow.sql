-- name: dq_message_flow
-- grain: facility, source, standard, origin, day
-- key: facility, source, standard, origin, day
-- purpose: How many events up to the data cut-off each sender tells a day, and until when.
-- materialize: table
-- column: facility VARCHAR - | facility of the exams
-- column: source VARCHAR - | sending system
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: origin VARCHAR - | kind of message
-- column: day DATE UTC | day of the events
-- column: n_events BIGINT events | events
-- column: last_at TIMESTAMP UTC | latest event
SELECT e.facility, v.source, v.standard, v.origin, CAST(v.at AS DATE) AS day, count(*) AS n_events, max(v.at) AS last_at
FROM fct_exam_event v
JOIN fct_exam e ON e.exam_key = v.exam_key
CROSS JOIN clock c
WHERE v.at <= c.data_through AND v.source IS NOT NULL
GROUP BY ALL
