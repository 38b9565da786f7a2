-- id: unused_capacity
-- title: Unused capacity
-- question: How many more exams could have been done in the staffed time?
-- unit: exams
-- better: lower
-- kind: sum
-- statistic: value
-- numerator: idle staffed minutes, divided for each device by its median exam and median turnover together
-- denominator: staffed device hours; the value is not divided by them
-- clock_start: exam_ended
-- clock_stop: exam_started
-- includes: staffed minutes of devices in which no session ran
-- excludes: time outside staffed hours, closed days, time after the data cut-off
-- nulls: devices whose exams have no duration have no value; without any turnover it is taken as none
-- min_n: 8
-- table: fct_device_hour
-- anchor: hour_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary: a device that takes emergencies must have room
-- reference: medians over all data of the device, so that days can be compared and add up; n counts staffed device hours
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | ec9d2df31255 | first definition
SELECT h.hour_local AS period_local, h.idle_min / (x.exam_min + coalesce(x.turnover_min, 0)) AS numerator, h.facility,
       h.modality, h.device
FROM fct_device_hour h
JOIN dim_device_usual x ON x.device = h.device AND x.exam_min IS NOT NULL
WHERE h.staffed_min > 0
