-- id: door_to_read
-- title: Door to first read
-- question: How long from an emergency patient's arrival until the first report?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: door
-- clock_stop: first_read
-- includes: emergency patients whose exam counts; from the first registered arrival of the visit to the first preliminary or final report
-- excludes: other patients
-- nulls: exams without a registered arrival or without a report have no value; so have reports before the door
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: 45 min for stroke CT; the site's targets are in dim_target
-- reference: AHA/ASA stroke guideline: door to CT interpretation
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 73e971e69be6 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local,
       date_diff('second', e.door_at, least(e.first_prelim_at, e.first_final_at)) / 60.0 AS value,
       e.door_at AS start_at, least(e.first_prelim_at, e.first_final_at) AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable AND e.patient_class = 'emergency'
