-- id: clock_offset
-- title: Device clock offset
-- question: How far does a device's clock stand from the clocks around it?
-- unit: s
-- better: lower
-- kind: max
-- statistic: value
-- clock_start: begin and end of the exam by the RIS, else the report
-- clock_stop: the same by the device
-- includes: the largest offset, ahead or behind, among the devices of each group; n counts devices
-- excludes: none
-- nulls: a device whose exams no other clock tells is not known
-- min_n: 1
-- table: dq_clock_offset
-- anchor: none: over all data
-- groups: facility, device
-- filters: facility, device
-- target: the site's to set; minutes are lost in every interval between the two clocks
-- reference: median over exams of the mean of begin and end, typing delay included; with sign and spread: dq_clock_offset
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 9ce28140208e | first definition
-- history: 2 | 2026-11-28 | 9ce28140208e | end of the exam counts beside its begin
SELECT s.data_through AS period_local, abs(c.offset_s) AS value, c.facility, c.device
FROM dq_clock_offset c
CROSS JOIN meta_snapshot s
