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
SELECT v.facility, v.source, v.standard, v.origin, v.day, count(*) AS n_events, max(v.at) AS last_at
FROM (SELECT e.facility, w.source, w.standard, w.origin, CAST(w.at AS DATE) AS day, w.at
      FROM (SELECT x.exam_key, x.source, x.standard, x.origin, x.at FROM fct_exam_event x
            WHERE CAST(x.at AS DATE) IN (SELECT d.day FROM touched_event_day d)) w
      JOIN fct_exam e ON e.exam_key = w.exam_key
      CROSS JOIN clock c
      WHERE w.at <= c.data_through AND w.source IS NOT NULL) v
WHERE EXISTS (SELECT 1 FROM touched_event_day t WHERE t.facility = v.facility AND t.day = v.day)
GROUP BY v.facility, v.source, v.standard, v.origin, v.day
