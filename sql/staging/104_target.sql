-- name: target
-- grain: target
-- key: metric, facility, modality, priority, patient_class, valid_from
-- purpose: The site's targets in minutes, under the words of the marts; NULL means any.
-- materialize: table
-- column: metric VARCHAR - | metric id
-- column: n_conditions INTEGER - | how specific it is
-- column: target_min DOUBLE min | value in minutes
SELECT n.metric, n.facility, n.modality, n.priority, n.patient_class, n.target, n.unit, n.source, n.valid_from,
       n.valid_to,
       n.target * CASE WHEN n.unit IN ('h', 'hour', 'hours') THEN 60 WHEN n.unit IN ('d', 'day', 'days') THEN 1440
                       ELSE 1 END AS target_min,
       CAST(n.facility IS NOT NULL AS INTEGER) + CAST(n.modality IS NOT NULL AS INTEGER)
           + CAST(n.priority IS NOT NULL AS INTEGER) + CAST(n.patient_class IS NOT NULL AS INTEGER) AS n_conditions
FROM (SELECT t.metric, nullif(t.facility, '*') AS facility, nullif(t.modality, '*') AS modality,
             CASE upper(t.priority) WHEN 'S' THEN 'stat' WHEN 'T' THEN 'stat' WHEN 'A' THEN 'urgent'
                                    WHEN 'P' THEN 'urgent' WHEN 'R' THEN 'routine' WHEN '*' THEN NULL
                                    ELSE lower(t.priority) END AS priority,
             CASE upper(t.patient_class) WHEN 'E' THEN 'emergency' WHEN 'I' THEN 'inpatient' WHEN 'O' THEN 'outpatient'
                                         WHEN '*' THEN NULL ELSE lower(t.patient_class) END AS patient_class,
             t.target, t.unit, t.source, t.valid_from, t.valid_to
      FROM site_targets t) n
