-- id: repeat_exam_rate
-- title: Repeated exams
-- question: How many exams were already done a short time before?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: 30d
-- choices: 7d=within_7d, 30d=within_30d, 90d=within_90d
-- numerator: exams with the same patient, modality, region, laterality and contrast at most 7, 30 or 90 days before
-- denominator: exams that can be compared
-- clock_start: exam_started
-- clock_stop: exam_started
-- includes: exams that count
-- excludes: planned follow-up, by procedure or order reason, is no repeat; its rows are in fct_repeat
-- nulls: exams without start, patient or harmonized region cannot be compared and are left out
-- min_n: 30
-- table: fct_exam
-- anchor: exam_started_local, exam_ended_local where the start is missing
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- window: fct_repeat exam_started_local 0 0
-- reference: start to start; the latest earlier exam is the prior; exams before the data began are not known
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f3c6b370f797 | first definition
SELECT e.exam_key, e.exam_local AS period_local,
       CASE WHEN e.exam_started_at IS NOT NULL AND e.region IS NOT NULL AND e.patient_key IS NOT NULL
            THEN CAST(coalesce(r.is_7d, FALSE) AS INTEGER) END AS within_7d,
       CASE WHEN e.exam_started_at IS NOT NULL AND e.region IS NOT NULL AND e.patient_key IS NOT NULL
            THEN CAST(coalesce(r.is_30d, FALSE) AS INTEGER) END AS within_30d,
       CASE WHEN e.exam_started_at IS NOT NULL AND e.region IS NOT NULL AND e.patient_key IS NOT NULL
            THEN CAST(coalesce(r.is_90d, FALSE) AS INTEGER) END AS within_90d,
       CASE WHEN e.exam_started_at IS NULL THEN 'missing|exam_started' WHEN e.region IS NULL THEN 'missing|harmonized region'
            ELSE 'missing|patient' END AS why_null,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
LEFT JOIN fct_repeat r ON r.exam_key = e.exam_key AND r.kind IN ('repeat', 'duplicate')
WHERE e.is_countable
