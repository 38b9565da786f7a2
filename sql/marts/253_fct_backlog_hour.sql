-- name: fct_backlog_hour
-- grain: facility, modality, priority, patient class, UTC hour
-- key: facility, modality, priority, patient_class, hour_at
-- purpose: Exams ended and not yet final at each full hour; hours without any have no row.
-- materialize: table
-- scope: backlog hour_at
-- sorted_by: month of hour_at, facility, hour_at
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: priority VARCHAR - | priority
-- column: patient_class VARCHAR - | patient class
-- column: hour_at TIMESTAMP UTC | instant of the count
-- column: hour_local TIMESTAMP local | wall clock of the facility
-- column: is_first_pass BOOLEAN - | the wall clock repeats this hour, and this is the first of the two
-- column: n_waiting BIGINT exams | ended at or before, not final at that instant
-- column: n_past_target BIGINT exams | of these, past their target
-- column: oldest_min DOUBLE min | longest wait
-- column: wrvu_waiting DOUBLE wRVU | work waiting
SELECT h.facility, h.modality, h.priority, h.patient_class, h.hour_at,
       local_at(h.hour_at, coalesce(z.zone, s.default_zone)) AS hour_local,
       local_at(h.hour_at + INTERVAL 1 HOUR, coalesce(z.zone, s.default_zone)) <= hour_local AS is_first_pass,
       CAST(h.n_waiting AS BIGINT) AS n_waiting,
       CAST(h.n_past_target AS BIGINT) AS n_past_target, minutes_between(o.oldest_at, h.hour_at) AS oldest_min,
       CAST(h.wrvu_waiting AS DOUBLE) AS wrvu_waiting
FROM (SELECT c.facility, c.modality, c.priority, c.patient_class, c.n_waiting, c.n_past_target, c.wrvu_waiting,
             unnest(generate_series(c.hour_at, c.until_at - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS hour_at
      FROM backlog_count c
      WHERE c.n_waiting > 0) h
CROSS JOIN site_zone s
LEFT JOIN site_facility z ON z.facility = h.facility
JOIN backlog_oldest o ON o.facility = h.facility AND o.modality IS NOT DISTINCT FROM h.modality
    AND o.priority = h.priority AND o.patient_class = h.patient_class AND o.hour_at = h.hour_at
