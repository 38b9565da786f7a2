-- id: throughput
-- title: Throughput
-- question: How many exams does a device do in a staffed hour?
-- unit: exams/h
-- better: higher
-- kind: rate
-- statistic: value
-- numerator: exams
-- denominator: staffed hours
-- clock_start: exam_started
-- clock_stop: none
-- includes: exams that count and began in staffed time
-- excludes: exams outside staffed time, closed days
-- nulls: exams without a start are not counted
-- min_n: 10
-- table: fct_device_hour
-- anchor: hour_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: exams per staffed device hour; n counts exams
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 01a86d61a228 | first definition
SELECT h.hour_local AS period_local, h.n_exams_staffed AS numerator, h.staffed_min / 60 AS denominator,
       h.n_exams_staffed AS n, h.facility, h.modality, h.device
FROM fct_device_hour h
WHERE h.staffed_min > 0
