-- name: dq_freshness
-- grain: facility, source, standard
-- key: facility, source, standard
-- purpose: The last event of each sender, against the data cut-off and against its own longest pause so far.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: source VARCHAR - | sending system
-- column: standard VARCHAR - | hl7, dicom or fhir
-- column: last_at TIMESTAMP UTC | latest event up to the data cut-off
-- column: silent_hours DOUBLE h | from it to the data cut-off
-- column: longest_pause_days BIGINT d | most days from one day with events to the next; NULL with one such day
-- column: is_silent BOOLEAN - | days since the last event exceed the longest pause, and a day; unknown before two pauses
-- column: n_events_7d BIGINT events | in the seven days before the cut-off
SELECT s.facility, s.source, s.standard, max(s.last_at) AS last_at,
       minutes_between(max(s.last_at), max(s.data_through)) / 60.0 AS silent_hours,
       max(s.pause_days) AS longest_pause_days,
       CASE WHEN count(s.pause_days) >= 2
            THEN date_diff('day', max(s.day), CAST(max(s.data_through) AS DATE)) > greatest(max(s.pause_days), 1) END
           AS is_silent,
       CAST(coalesce(sum(s.n_events) FILTER (WHERE s.day > CAST(s.data_through AS DATE) - INTERVAL 7 DAY), 0) AS BIGINT)
           AS n_events_7d
FROM (SELECT d.*, c.data_through,
             date_diff('day', lag(d.day) OVER (PARTITION BY d.facility, d.source, d.standard ORDER BY d.day), d.day)
                 AS pause_days
      FROM (SELECT m.facility, m.source, m.standard, m.day, sum(m.n_events) AS n_events, max(m.last_at) AS last_at
            FROM dq_message_flow m
            GROUP BY m.facility, m.source, m.standard, m.day) d
      CROSS JOIN clock c) s
GROUP BY s.facility, s.source, s.standard
