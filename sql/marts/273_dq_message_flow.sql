-- name: dq_message_flow
-- grain: facility, source, standard, origin, day
-- key: facility, source, standard, origin, day
-- purpose: How many events up to the data cut-off each sender tells a day, and until when.
-- materialize: table
-- scope: tally
-- latest: last_at
-- again: fct_exam_event at day
-- column: facility VARCHAR - | facility of the exams
-- column: source VARCHAR - | sending system
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: origin VARCHAR - | kind of message
-- column: day DATE UTC | day of the events
-- column: n_events BIGINT events | events
-- column: last_at TIMESTAMP UTC | latest event
SELECT v.facility, v.source, v.standard, v.origin, CAST(v.at AS DATE) AS day, CAST(sum(v.sign) AS BIGINT) AS n_events,
       max(v.at) FILTER (WHERE v.sign > 0) AS last_at, max(v.at) FILTER (WHERE v.sign < 0) AS lost_last_at
FROM fct_exam_event_change v
CROSS JOIN clock c
WHERE v.at <= CASE WHEN v.sign > 0 THEN c.data_through ELSE c.told_through END AND v.source IS NOT NULL
GROUP BY v.facility, v.source, v.standard, v.origin, CAST(v.at AS DATE)
