-- id: backlog_age
-- title: Longest wait for a report
-- question: How long has the oldest unread exam waited?
-- unit: h
-- better: lower
-- kind: max
-- statistic: value
-- clock_start: exam_ended
-- clock_stop: first_final
-- includes: exams that count, ended and not final at a full hour; the longest wait at any full hour of the period
-- excludes: none
-- nulls: exams without an end stamp never wait; hours at which nothing waits have no value
-- min_n: 1
-- table: fct_backlog_hour
-- anchor: hour_local
-- groups: facility, modality, priority, patient_class, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class
-- target: none customary
-- reference: exams ended and not final at each full hour; n counts hours by facility, modality, priority and patient class
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | e00e20a63a74 | first definition
SELECT b.hour_local AS period_local, b.oldest_min / 60 AS value, 'other|nothing waits' AS why_null,
       b.facility, b.modality, b.priority, b.patient_class
FROM fct_backlog_hour b
