-- name: dq_freshness
-- grain: facility, source, standard
-- key: facility, source, standard
-- purpose: The last event of each sender, against the data cut-off.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: source VARCHAR - | sending system
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: last_at TIMESTAMP UTC | latest event up to the data cut-off
-- column: silent_hours DOUBLE h | from it to the data cut-off
-- column: n_events_7d BIGINT events | in the seven days before the cut-off
SELECT m.facility, m.source, m.standard, max(m.last_at) AS last_at,
       minutes_between(max(m.last_at), max(c.data_through)) / 60.0 AS silent_hours,
       CAST(coalesce(sum(m.n_events) FILTER (WHERE m.day > CAST(c.data_through AS DATE) - INTERVAL 7 DAY), 0) AS BIGINT)
           AS n_events_7d
FROM dq_message_flow m
CROSS JOIN clock c
WHERE m.last_at <= c.data_through
GROUP BY m.facility, m.source, m.standard
