-- id: clock_drift
-- title: Drift of device clocks
-- question: How fast does a device's clock run away from the clocks around it?
-- unit: s/d
-- better: lower
-- kind: max
-- statistic: value
-- clock_start: begin and end of the exam by the RIS, else the report
-- clock_stop: the same by the device
-- includes: the fastest drift, ahead or behind, among the devices of each group; n counts devices
-- excludes: devices with fewer than 7 days of exams that another clock tells too, in the 90 days before the data cut-off
-- nulls: none
-- min_n: 1
-- table: dq_clock_offset
-- anchor: none: over all data
-- groups: facility, device
-- filters: facility, device
-- target: the site's to set; a clock that is set by a time server does not drift
-- reference: Theil-Sen slope (median of all pairs with no step between) of the days' median offsets; sign and steps: dq_clock_offset
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 49b5b1f30c6d | first definition
-- history: 2 | 2026-11-28 | 49b5b1f30c6d | end of the exam counts beside its begin; days with a step of the clock between are not compared
SELECT s.data_through AS period_local, abs(c.drift_s_day) AS value, c.facility, c.device
FROM dq_clock_offset c
CROSS JOIN meta_snapshot s
WHERE c.drift_s_day IS NOT NULL
