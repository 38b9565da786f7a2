-- id: wait
-- title: Waiting time
-- question: How long do patients wait in the department after they arrived?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: arrived
-- clock_stop: exam_started
-- includes: exams that count
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_started_local, exam_ended_local where the start is missing
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: SIIM SWIM lexicon: patient arrived to exam begun
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 3447cf168d77 | first definition
SELECT e.exam_key, e.exam_local AS period_local, e.wait_min AS value,
       e.arrived_at AS start_at, e.exam_started_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
