-- id: door_to_ct
-- title: Door to CT
-- question: How long from an emergency patient's arrival until the first CT image?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: door
-- clock_stop: first_acquisition
-- includes: emergency patients whose CT counts; from the first registered arrival of the visit
-- excludes: other patients, other modalities
-- nulls: exams without a registered arrival or without images have no value; so have images before the door
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: 20 to 25 min for stroke; the site's targets are in dim_target
-- reference: AHA/ASA stroke guideline: door to CT; stop: first acquisition of the exam's images
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | b59c8fb519aa | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, date_diff('second', e.door_at, i.started_at) / 60.0 AS value,
       e.door_at AS start_at, i.started_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
LEFT JOIN (SELECT s.exam_key, min(s.started_at) AS started_at FROM fct_series s GROUP BY s.exam_key) i
    ON i.exam_key = e.exam_key
WHERE e.is_countable AND e.patient_class = 'emergency' AND e.modality = 'CT'
