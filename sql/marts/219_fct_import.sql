-- name: fct_import
-- grain: imported outside study
-- key: exam_key
-- purpose: Outside studies that came into the archive.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | placeholder exam of the study
-- column: patient_key VARCHAR - | keyed patient
-- column: facility VARCHAR - | facility that imported
-- column: modality VARCHAR - | modality
-- column: region VARCHAR - | region by procedure, else of the body part, else the body part as sent
-- column: imported_at TIMESTAMP UTC | first import
SELECT f.exam_key, f.patient_key, f.facility, p.modality, coalesce(p.region, b.region, upper(f.body_part)) AS region,
       min(e.at) AS imported_at
FROM stg_exam_fact f
JOIN stg_procedure p ON p.exam_key = f.exam_key
JOIN stg_event e ON e.exam_key = f.exam_key
LEFT JOIN body_part_region b ON b.body_part = upper(f.body_part)
WHERE e.code = 'images_imported'
GROUP BY f.exam_key, f.patient_key, f.facility, p.modality, p.region, b.region, f.body_part
