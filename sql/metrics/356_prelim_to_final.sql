-- id: prelim_to_final
-- title: Preliminary to final report
-- question: How long does a preliminary report wait to be signed?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: first_prelim
-- clock_stop: first_final
-- includes: exams that count; the first of each kind
-- excludes: none
-- nulls: exams without a preliminary or without a final report have no value; so have those final before they were preliminary
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- floor: 0
-- target: none customary
-- reference: SIIM SWIM lexicon: first preliminary to first final report
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 157f4f8afb6a | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.prelim_to_final_min AS value,
       e.first_prelim_at AS start_at, e.first_final_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
