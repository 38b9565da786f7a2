-- id: report_prelim
-- title: Exam end to preliminary report
-- question: How long after the exam is a preliminary report there?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: exam_ended
-- clock_stop: first_prelim
-- includes: exams that count
-- excludes: none
-- nulls: preliminary reports are not made for every exam; those without have no value, as have intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- floor: 0
-- target: none customary
-- reference: SIIM SWIM lexicon: exam ended to the first preliminary report
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f8d7dc39366e | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.report_prelim_min AS value,
       e.exam_ended_at AS start_at, e.first_prelim_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
