-- name: fct_repeat
-- grain: exam that repeats an earlier one within 90 days
-- key: exam_key
-- purpose: Same patient, modality, region, laterality and contrast again; the latest earlier exam is the prior.
-- materialize: table
-- scope: patient
-- sorted_by: month of exam_started_local, facility, exam_started_local
-- column: exam_key VARCHAR - | later exam
-- column: prior_exam_key VARCHAR - | earlier exam
-- column: patient_key VARCHAR - | keyed patient
-- column: facility VARCHAR - | facility of the later exam
-- column: prior_facility VARCHAR - | facility of the earlier exam
-- column: modality VARCHAR - | modality of both
-- column: region VARCHAR - | region of both
-- column: device VARCHAR - | device of the later exam
-- column: procedure VARCHAR - | procedure of the later exam
-- column: service_line VARCHAR - | of the later exam
-- column: priority VARCHAR - | of the later exam
-- column: patient_class VARCHAR - | of the later exam
-- column: days DOUBLE d | between the starts
-- column: is_same_facility BOOLEAN - | both at one facility
-- column: kind VARCHAR - | follow_up (planned), duplicate (prior elsewhere) or repeat
-- column: is_7d BOOLEAN - | within 7 days
-- column: is_30d BOOLEAN - | within 30 days
-- column: is_90d BOOLEAN - | within 90 days
-- column: exam_started_local TIMESTAMP local | start of the later exam
WITH counted AS (
    SELECT e.exam_key, e.patient_key, e.facility, e.modality, e.region, e.laterality, e.contrast, e.device, e.procedure,
           e.service_line, e.priority, e.patient_class, e.exam_started_at, e.exam_started_local, e.is_follow_up,
           dense_rank() OVER (
               PARTITION BY e.patient_key, e.modality, e.region, e.laterality, e.contrast
               ORDER BY e.exam_started_at) AS number
    FROM patient_exam e
    WHERE e.patient_key IS NOT NULL AND e.is_countable AND e.exam_started_at IS NOT NULL AND e.region IS NOT NULL
)
SELECT r.exam_key, r.prior_exam_key, r.patient_key, r.facility, r.prior_facility, r.modality, r.region, r.device,
       r.procedure, r.service_line, r.priority, r.patient_class, r.days, r.facility = r.prior_facility
           AS is_same_facility,
       CASE WHEN r.is_follow_up THEN 'follow_up' WHEN r.facility <> r.prior_facility THEN 'duplicate' ELSE 'repeat' END
           AS kind,
       r.days <= 7 AS is_7d, r.days <= 30 AS is_30d, r.days <= 90 AS is_90d, r.exam_started_local
FROM (SELECT a.*, b.exam_key AS prior_exam_key, b.facility AS prior_facility,
             minutes_between(b.exam_started_at, a.exam_started_at) / 1440.0 AS days,
             row_number() OVER (PARTITION BY a.exam_key ORDER BY b.exam_key) AS choice
      FROM counted a
      JOIN counted b ON b.patient_key = a.patient_key AND b.modality = a.modality AND b.region = a.region
          AND coalesce(b.laterality, '') = coalesce(a.laterality, '')
          AND coalesce(b.contrast, '') = coalesce(a.contrast, '')
          AND b.number = a.number - 1) r
WHERE r.choice = 1 AND r.days <= 90
