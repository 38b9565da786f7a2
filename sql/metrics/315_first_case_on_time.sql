-- id: first_case_on_time
-- title: First case on time
-- question: How often does the day begin on time?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: value
-- numerator: days whose first session starts at most 15 minutes after opening
-- denominator: staffed days with a session
-- clock_start: none
-- clock_stop: exam_started
-- includes: staffed days with a session; the first that starts later than 60 minutes before opening
-- excludes: days without staffing
-- nulls: staffed days without a session have no value
-- min_n: 5
-- table: fct_device_day
-- anchor: opens_local
-- groups: facility, modality, device, shift, weekday
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: first case of the day at most 15 minutes after opening, as for operating rooms
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 344654742b19 | first definition
SELECT d.opens_local AS period_local, CAST(d.is_on_time AS INTEGER) AS numerator, 'missing|session' AS why_null,
       d.facility, d.modality, d.device
FROM fct_device_day d
WHERE d.opens_local IS NOT NULL
