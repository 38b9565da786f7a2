-- name: dq_message_flow
-- grain: facility, source, standard, origin, day
-- key: facility, source, standard, origin, day
-- purpose: How many events up to the data cut-off each sender tells a day, and until when.
-- materialize: table
-- scope: event_day day
-- column: facility VARCHAR - | facility of the exams
-- column: source VARCHAR - | sending system
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: origin VARCHAR - | kind of message
-- column: day DATE UTC | day of the events
-- column: n_events BIGINT events | events
-- column: last_at TIMESTAMP UTC | latest event
SELECT e.facility, v.source, v.standard, v.origin, CAST(v.at AS DATE) AS day, count(*) AS n_events, max(v.at) AS last_at
FROM (SELECT w.exam_key, w.source, w.standard, w.origin, w.at FROM fct_exam_event w
      WHERE CAST(w.at AS DATE) IN (SELECT d.day FROM touched_event_day d)) v
JOIN fct_exam e ON e.exam_key = v.exam_key
JOIN touched_event_day t ON t.facility = e.facility AND t.day = CAST(v.at AS DATE)
CROSS JOIN clock c
WHERE v.at <= c.data_through AND v.source IS NOT NULL
GROUP BY ALL
