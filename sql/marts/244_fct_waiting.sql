-- name: fct_waiting
-- grain: facility, modality, priority, patient class, end of the exam, target, wRVU
-- key: facility, modality, priority, patient_class, exam_ended_at, target_min, wrvu
-- purpose: Exams that have ended and have no final report, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: priority VARCHAR - | stat, urgent or routine
-- column: patient_class VARCHAR - | emergency, inpatient or outpatient
-- column: exam_ended_at TIMESTAMP UTC | end of the exam
-- column: target_min DOUBLE min | most specific report_final target
-- column: wrvu DOUBLE wRVU | by charges and the site's fee schedule
-- column: n_exams BIGINT exams | exams that count
SELECT c.facility, c.modality, c.priority, c.patient_class, c.exam_ended_at, c.target_min, c.wrvu,
       CAST(sum(c.sign) AS BIGINT) AS n_exams
FROM fct_exam_change c
WHERE c.is_countable AND c.exam_ended_at IS NOT NULL AND c.first_final_at IS NULL
GROUP BY c.facility, c.modality, c.priority, c.patient_class, c.exam_ended_at, c.target_min, c.wrvu
