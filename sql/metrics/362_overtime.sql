-- id: overtime
-- title: Overtime
-- question: How long are devices busy outside their staffed hours?
-- unit: min
-- better: lower
-- kind: sum
-- statistic: value
-- numerator: busy minutes outside staffed hours
-- denominator: device hours observed; the value is not divided by them
-- clock_start: exam_started
-- clock_stop: exam_ended
-- includes: busy minutes: union of sessions on the device, one patient's exams that touch or overlap
-- excludes: devices whose staffed hours the site does not state
-- nulls: exams without start or end are not busy time; exams over 24 hours are clock faults
-- min_n: 8
-- table: fct_device_hour
-- anchor: hour_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: busy minutes outside staffed hours, closed days among them; n counts device hours
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 4e3f90ccb97c | first definition
SELECT h.hour_local AS period_local, h.overtime_min AS numerator, h.facility, h.modality, h.device
FROM fct_device_hour h
WHERE h.observed_min > 0 AND h.device IN (SELECT s.device FROM dim_staffing s)
