-- id: turnover
-- title: Turnover
-- question: How long is a device empty between two patients?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: exam_ended
-- clock_stop: exam_started
-- includes: gaps of 0 to 60 minutes between sessions inside one staffed block
-- excludes: gaps over 60 minutes (idle, not turnover), gaps that cross a break or the end of staffing, overlapping sessions
-- nulls: a session without one before it on its day has no gap
-- min_n: 10
-- table: fct_device_busy
-- anchor: busy_started_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: one exam's end to the next start on the device inside a staffed block
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 8ef7cf08b5fa | first definition
SELECT b.busy_started_local AS period_local, b.gap_before_min AS value,
       b.facility, b.modality, b.device
FROM fct_device_busy b
WHERE b.is_turnover
