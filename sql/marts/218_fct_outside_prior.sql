-- name: fct_outside_prior
-- grain: exam whose order answers the question about outside imaging
-- key: exam_key
-- purpose: What the order declared about earlier imaging elsewhere.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | exam
-- column: patient_key VARCHAR - | keyed patient
-- column: facility VARCHAR - | facility of the exam
-- column: availability VARCHAR - | imported, held, unavailable or none, as declared
-- column: modality VARCHAR - | modality of the outside study
-- column: region VARCHAR - | region of the outside study
-- column: declared_at TIMESTAMP UTC | time of the order
SELECT f.exam_key, f.patient_key, f.facility, lower(f.outside_prior) AS availability, f.outside_modality AS modality,
       upper(f.outside_body_part) AS region, f.ordered_at AS declared_at
FROM stg_exam_fact f
WHERE lower(f.outside_prior) IN ('imported', 'held', 'unavailable', 'none')
