-- id: utilization
-- title: Utilization
-- question: How much of its staffed time is a device busy?
-- unit: share
-- better: higher
-- kind: rate
-- statistic: value
-- numerator: busy minutes within staffed hours
-- denominator: staffed minutes
-- clock_start: exam_started
-- clock_stop: exam_ended
-- includes: busy minutes: union of sessions on the device, one patient's exams that touch or overlap
-- excludes: time outside staffed hours, closed days, time after the data cut-off
-- nulls: exams without start or end are not busy time; exams over 24 hours are clock faults
-- min_n: 8
-- table: fct_device_hour
-- anchor: hour_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary: what is healthy depends on the mix of emergency and booked patients
-- reference: busy minutes within staffed hours over staffed minutes; n counts device hours
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | d2f2168f2d51 | first definition
SELECT h.hour_local AS period_local, h.busy_staffed_min AS numerator, h.staffed_min AS denominator,
       h.facility, h.modality, h.device
FROM fct_device_hour h
WHERE h.staffed_min > 0
