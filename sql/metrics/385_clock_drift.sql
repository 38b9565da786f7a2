-- id: clock_drift
-- title: Drift of device clocks
-- question: How fast does a device's clock run away from the clocks around it?
-- unit: s/d
-- better: lower
-- kind: max
-- statistic: value
-- clock_start: exam_started by the RIS, else the report
-- clock_stop: exam_started by the device
-- includes: the fastest drift, ahead or behind, among the devices of each group; n counts devices
-- excludes: devices with fewer than 7 days of exams that another clock tells too, in the 90 days before the data cut-off
-- nulls: none
-- min_n: 1
-- table: dq_clock_offset
-- anchor: none: over all data
-- groups: facility, device
-- filters: facility, device
-- target: the site's to set; a clock that is set by a time server does not drift
-- reference: Theil-Sen slope (median of all pairs) of the days' median offsets; with its sign: dq_clock_offset
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 49b5b1f30c6d | first definition
SELECT s.data_through AS period_local, abs(c.drift_s_day) AS value, c.facility, c.device
FROM dq_clock_offset c
CROSS JOIN meta_snapshot s
WHERE c.drift_s_day IS NOT NULL
