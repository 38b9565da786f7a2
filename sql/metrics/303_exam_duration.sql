-- id: exam_duration
-- title: Exam duration
-- question: How long does an exam take?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: exam_started
-- clock_stop: exam_ended
-- includes: exams that count
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: SIIM SWIM lexicon: exam begun to exam ended
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 825eb6e9e486 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.exam_duration_min AS value,
       e.exam_started_at AS start_at, e.exam_ended_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
