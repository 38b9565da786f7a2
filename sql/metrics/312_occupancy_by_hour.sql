-- id: occupancy_by_hour
-- title: Occupancy by hour
-- question: At which hours are the devices busy?
-- unit: share
-- better: neither
-- kind: rate
-- statistic: value
-- numerator: busy minutes
-- denominator: minutes observed
-- clock_start: exam_started
-- clock_stop: exam_ended
-- includes: every hour of the device's days in service up to the data cut-off, staffed or not: each day with an exam and the 31 after it, 366 where the site states staffed hours; an exam counts in each hour it touches
-- excludes: none
-- nulls: exams without start or end are not busy time; exams over 24 hours are clock faults
-- min_n: 4
-- table: fct_device_hour
-- anchor: hour_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: overlap of busy intervals with the clock hours; n counts device hours
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 320519ccda5b | first definition
SELECT h.hour_local AS period_local, h.busy_min AS numerator, h.observed_min AS denominator,
       h.facility, h.modality, h.device
FROM fct_device_hour h
WHERE h.observed_min > 0
