-- name: stg_exam
-- grain: exam
-- key: exam_key
-- purpose: One row an exam with what its identifiers say: facility, patient, accession, study.
-- materialize: table
-- column: exam_key VARCHAR - | keyed canonical identifier of the exam
-- column: facility VARCHAR - | facility of the accession, else of any mention; unmapped where no alias is known
-- column: patient_key VARCHAR - | keyed patient
-- column: accession VARCHAR - | as sent; private
-- column: first_loaded_batch BIGINT - | first batch that mentioned the exam
SELECT m.exam_key,
       coalesce(min(m.facility) FILTER (WHERE m.is_mapped AND m.accession IS NOT NULL),
                min(m.facility) FILTER (WHERE m.is_mapped), 'unmapped') AS facility,
       coalesce(min(m.patient_key) FILTER (WHERE NOT m.is_assumed), min(m.patient_key)) AS patient_key,
       min(m.accession) AS accession,
       min(m.first_batch) AS first_loaded_batch
FROM exam_mention m
GROUP BY m.exam_key
