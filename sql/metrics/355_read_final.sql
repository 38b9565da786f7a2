-- id: read_final
-- title: Images to final report
-- question: How long does the reading room take once it has the images?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: images_available
-- clock_stop: first_final
-- includes: exams that count; addenda and corrections do not restart the clock
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: the reading room's own share of the report's turnaround, without the time to send the images
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 4c07b3bfa62a | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.read_final_min AS value,
       e.images_available_at AS start_at, e.first_final_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
