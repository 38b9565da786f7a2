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
-- history: 1 | 2026-11-25 | 8c4755508bf5 | first definition
SELECT h.hour_local AS period_local, h.idle_min / (x.exam_min + coalesce(t.turnover_min, 0)) AS numerator, h.facility,
       h.modality, h.device
FROM fct_device_hour h
JOIN (SELECT e.device, median(e.exam_duration_min) AS exam_min
      FROM fct_exam e
      WHERE e.is_countable AND e.exam_duration_min > 0
      GROUP BY e.device) x ON x.device = h.device
LEFT JOIN (SELECT b.device, median(b.gap_before_min) AS turnover_min
           FROM fct_device_busy b
           WHERE b.is_turnover
           GROUP BY b.device) t ON t.device = h.device
WHERE h.staffed_min > 0
