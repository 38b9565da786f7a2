-- id: volume
-- title: Exams
-- question: How many exams are done?
-- unit: exams
-- better: neither
-- kind: sum
-- statistic: value
-- numerator: exams that count
-- denominator: exams; the value is not divided by them
-- clock_start: none
-- clock_stop: exam_ended
-- includes: exams that count, on the day on which they ended
-- excludes: cancelled, discontinued and outside exams
-- nulls: exams without an end do not count
-- min_n: 1
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: count of performed exams; what forecast_volume looks ahead to
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | c7dd8357a8c1 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, 1 AS numerator, 1 AS denominator, e.facility, e.modality, e.device,
       e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
