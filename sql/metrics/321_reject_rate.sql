-- id: reject_rate
-- title: Reject rate
-- question: How many images are rejected and taken again?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: rejected images
-- denominator: rejected and accepted images
-- clock_start: none
-- clock_stop: none
-- includes: images of devices that send rejection notes
-- excludes: devices that never sent one: not reported, which is not zero
-- nulls: images without a device are left out
-- min_n: 50
-- table: fct_image_count
-- anchor: taken_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, view, operator, weekday
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, procedure
-- target: 8 %; 10 % calls for action, below 2 % suggests rejects that nobody recorded
-- goal: 0.08
-- reference: AAPM Task Group 151 (Med Phys 2015;42:6658)
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 43ce575a68cf | first definition
SELECT CAST(c.taken_local AS TIMESTAMP) AS period_local, c.n_rejected AS numerator,
       c.n_accepted + c.n_rejected AS denominator, c.facility, c.modality, c.device, c.view, c.operator, c.priority,
       c.patient_class, c.service_line, c.procedure
FROM fct_image_count c
WHERE c.device IN (SELECT DISTINCT r.device FROM fct_image_reject r)
