-- id: queue_delay
-- title: Delay of exams passed by
-- question: How much later is an exam read because others due later were taken first?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: begin of the read as many turns before its own as it was passed by
-- clock_stop: begin of its own read
-- includes: exams that a read due later passed by, at their own begin
-- excludes: exams that nobody passed by, so a small delay may stand for few exams: see queue_fairness
-- nulls: none
-- min_n: 10
-- table: fct_queue_read
-- anchor: taken_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, procedure
-- target: none customary
-- reference: each read that passed the exam by is put behind it, with all begins of the worklist as they were
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 13d94d8f0588 | first definition
-- history: 2 | 2026-11-28 | 13d94d8f0588 | a target holds by the local day of the exam's end
SELECT q.taken_local AS period_local, q.delay_min AS value,
       q.facility, q.modality, q.device, q.priority, q.patient_class, q.service_line, q.procedure
FROM fct_queue_read q
WHERE q.delay_min IS NOT NULL
