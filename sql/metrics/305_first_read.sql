-- id: first_read
-- title: Exam end to first read
-- question: How long after the exam does the referrer have a first answer?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: exam_ended
-- clock_stop: first_read
-- includes: exams that count; the first preliminary or final report, whichever came first
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: residents and night cover report preliminarily: the time to the first report, as practised in emergency radiology
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 30e5bec2a778 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.first_read_min AS value,
       e.exam_ended_at AS start_at, least(e.first_prelim_at, e.first_final_at) AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
