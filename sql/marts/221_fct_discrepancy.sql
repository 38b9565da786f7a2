-- name: fct_discrepancy
-- grain: exam whose preliminary and final report are of different readers
-- key: exam_key
-- purpose: How far the preliminary report differed, as the reader of the final one coded it, where the site names the code.
-- materialize: table
-- scope: exam
-- sorted_by: month of read_at, facility, read_at
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: radiologist VARCHAR - | keyed reader of the preliminary report: its assistant, else its interpreter
-- column: read_at TIMESTAMP UTC | first preliminary report
-- column: read_local TIMESTAMP local | wall clock of the facility
-- column: final_at TIMESTAMP UTC | first final report, not before the preliminary one
-- column: grade VARCHAR - | none, minor or major, the last word; NULL where nothing is coded or it was taken back
-- column: modality VARCHAR - | modality
-- column: device VARCHAR - | device
-- column: procedure VARCHAR - | harmonized procedure
-- column: service_line VARCHAR - | service line
-- column: priority VARCHAR - | priority
-- column: patient_class VARCHAR - | patient class
-- column: first_prelim_source VARCHAR - | source of the first preliminary report
-- column: first_final_source VARCHAR - | source of the first final report
SELECT f.exam_key, f.facility, coalesce(f.assistant, f.prelim_radiologist) AS radiologist, f.first_prelim_at AS read_at,
       local_at(f.first_prelim_at, f.zone) AS read_local, f.first_final_at AS final_at, r.discrepancy AS grade,
       p.modality, f.device, p.procedure, p.service_line, f.priority, f.patient_class, f.first_prelim_source,
       f.first_final_source
FROM stg_exam_fact f
JOIN stg_reading r ON r.exam_key = f.exam_key
JOIN stg_procedure p ON p.exam_key = f.exam_key
WHERE f.first_prelim_at <= f.first_final_at AND coalesce(f.assistant, f.prelim_radiologist) <> f.radiologist
