-- name: dim_target
-- grain: target
-- key: metric, facility, modality, priority, patient_class, valid_from
-- purpose: Targets of the site with their sources; NULL means any.
-- materialize: table
-- column: metric VARCHAR - | metric id; of critical results with their category, as in critical_communication:1
-- column: facility VARCHAR - | facility or any
-- column: modality VARCHAR - | modality or any
-- column: priority VARCHAR - | priority or any
-- column: patient_class VARCHAR - | patient class or any
-- column: target DOUBLE - | value in its unit
-- column: unit VARCHAR - | unit
-- column: target_min DOUBLE min | value in minutes, for times
-- column: source VARCHAR - | where the target comes from
-- column: valid_from DATE - | first day
-- column: valid_to DATE - | day after the last, NULL open
SELECT t.metric, t.facility, t.modality, t.priority, t.patient_class, t.target, t.unit, t.target_min, t.source,
       t.valid_from, t.valid_to
FROM target t
