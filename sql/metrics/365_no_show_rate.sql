-- id: no_show_rate
-- title: No-shows
-- question: How many patients do not come to their slot?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: slots whose patient did not come
-- denominator: slots whose patient came or did not come
-- clock_start: none
-- clock_stop: none
-- includes: the last slot of each appointment, up to the data cut-off
-- excludes: cancelled slots; slots after the data cut-off
-- nulls: slots without any word on what became of them are left out
-- min_n: 10
-- table: fct_appointment
-- anchor: slot_local
-- groups: facility, modality, device, priority, patient_class, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, device
-- target: none customary
-- reference: no-shows over slots that were not cancelled
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 9eac513d2fcd | first definition
-- history: 2 | 2026-11-25 | e67295b90f07 | only the last appointment of an exam is kept because the patient came
SELECT a.slot_local AS period_local,
       CASE WHEN a.outcome IN ('kept', 'no_show') THEN CAST(a.outcome = 'no_show' AS INTEGER) END AS numerator,
       CASE WHEN a.outcome = 'cancelled' THEN 'other|cancelled slot' ELSE 'missing|word on what became of it' END AS why_null,
       a.facility, a.modality, a.device, a.priority, a.patient_class
FROM fct_appointment a
CROSS JOIN meta_snapshot s
WHERE a.slot_at <= s.data_through
