-- id: queue_fairness
-- title: Reads out of due order
-- question: How often is an exam read while another of the same worklist is due sooner?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: reads
-- choices: reads=is_out_of_order, exams=is_passed_by/is_queued
-- numerator: reads begun while an exam due sooner waited; or exams that such a read passed by
-- denominator: first reads; or exams begun within 7 days of being ready
-- clock_start: exam_ended, or images_available where later
-- clock_stop: read_started, else 10 minutes before the first report
-- includes: the first read of exams that count; worklist: facility and service line; due: exam end and its target
-- excludes: exams nobody has begun, since a report that never came looks the same; reading begun before the exam's end
-- nulls: without a target an exam is compared by its end, and with those of its priority alone
-- min_n: 20
-- table: fct_queue_read
-- anchor: taken_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary; some order is given up for good reasons, such as reading one patient's exams together
-- reference: earliest due date first, by the site's targets; what it cost those passed by: queue_delay
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 7c7d816f1262 | first definition
-- history: 2 | 2026-11-28 | 7c7d816f1262 | a target holds by the local day of the exam's end
SELECT q.taken_local AS period_local, CAST(q.n_passed > 0 AS INTEGER) AS is_out_of_order,
       CASE WHEN q.is_queued THEN CAST(q.n_passed_by > 0 AS INTEGER) END AS is_passed_by,
       CAST(q.is_queued AS INTEGER) AS is_queued,
       q.facility, q.modality, q.device, q.priority, q.patient_class, q.service_line, q.procedure, q.radiologist
FROM fct_queue_read q
