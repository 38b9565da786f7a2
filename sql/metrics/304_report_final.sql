-- id: report_final
-- title: Exam end to final report
-- question: How long after the exam is the final report there?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: exam_ended
-- clock_stop: first_final
-- includes: exams that count; addenda and corrections do not restart the clock
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: by priority, patient class and modality in dim_target; share met: within_target
-- reference: ACR General Radiology Improvement Database: exam completed to report signed, published there as means
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 15927eed8d26 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.report_final_min AS value,
       e.exam_ended_at AS start_at, e.first_final_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
