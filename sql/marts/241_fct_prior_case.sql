-- name: fct_prior_case
-- grain: exam whose order answers the question about outside imaging
-- key: exam_key
-- purpose: Availability of outside imaging, by evidence before declaration, and whether the imaging was done again.
-- materialize: table
-- scope: patient
-- column: exam_key VARCHAR - | index exam
-- column: patient_key VARCHAR - | keyed patient
-- column: facility VARCHAR - | facility
-- column: availability VARCHAR - | imported (seen in the archive), held, unavailable or none
-- column: modality VARCHAR - | modality of the outside study, for none of the exam
-- column: region VARCHAR - | region of the outside study, for none of the exam
-- column: priority VARCHAR - | of the index exam
-- column: patient_class VARCHAR - | of the index exam
-- column: service_line VARCHAR - | of the index exam
-- column: declared_at TIMESTAMP UTC | time of the order
-- column: declared_local TIMESTAMP local | wall clock of the facility
-- column: is_repeated BOOLEAN - | the region was imaged with the modality again within 30 days
WITH index_exam AS (
    SELECT d.exam_key, d.patient_key, d.facility, d.availability, d.declared_at, e.ordered_local AS declared_local,
           CASE WHEN d.availability = 'none' THEN e.modality ELSE d.modality END AS modality,
           CASE WHEN d.availability = 'none' THEN e.region ELSE d.region END AS region,
           coalesce(e.exam_started_at, e.ordered_at) AS index_at, e.exam_started_at, e.priority, e.patient_class,
           e.service_line
    FROM fct_outside_prior d
    JOIN touched_patient t ON t.patient_key = d.patient_key
    JOIN patient_exam e ON e.exam_key = d.exam_key
)
SELECT x.exam_key, x.patient_key, x.facility,
       CASE WHEN x.availability = 'none' THEN 'none'
            WHEN x.exam_key IN (SELECT y.exam_key
                                FROM index_exam y
                                JOIN fct_import i ON i.patient_key = y.patient_key AND i.facility = y.facility
                                    AND i.modality = y.modality AND i.region = y.region AND i.imported_at <= y.index_at
                                    AND i.imported_at >= y.index_at - INTERVAL 120 DAY) THEN 'imported'
            WHEN x.availability = 'imported' THEN 'held'
            ELSE x.availability END AS availability,
       x.modality, x.region, x.priority, x.patient_class, x.service_line, x.declared_at, x.declared_local,
       x.exam_key IN (
           SELECT y.exam_key
           FROM index_exam y
           JOIN patient_exam e ON e.patient_key = y.patient_key AND e.facility = y.facility AND e.modality = y.modality
               AND e.region = y.region AND e.is_countable
           WHERE (y.availability = 'none' AND e.exam_key <> y.exam_key AND e.exam_started_at > y.exam_started_at
                  AND e.exam_started_at < y.exam_started_at + INTERVAL 30 DAY)
               OR (y.availability <> 'none' AND e.exam_started_at >= y.declared_at
                   AND e.exam_started_at < y.declared_at + INTERVAL 30 DAY)) AS is_repeated
FROM index_exam x
