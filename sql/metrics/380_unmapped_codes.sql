-- id: unmapped_codes
-- title: Unmapped procedures
-- question: How many exams carry a procedure name that nobody has mapped?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: exams whose local procedure has no harmonized one
-- denominator: exams
-- clock_start: none
-- clock_stop: none
-- includes: exams that count
-- excludes: none
-- nulls: an exam without any code or name is unmapped
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, weekday
-- filters: since, until, facility, modality, priority, patient_class, device
-- target: none of them
-- goal: 0
-- reference: the names themselves by volume: dq_unmapped, and radops map
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | ee44e56ab729 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, CAST(e.procedure IS NULL AS INTEGER) AS numerator,
       e.facility, e.modality, e.device, e.priority, e.patient_class
FROM fct_exam e
WHERE e.is_countable
