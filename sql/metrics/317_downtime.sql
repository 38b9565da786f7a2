-- id: downtime
-- title: Unusual standstill
-- question: How long did devices stand still for longer than they usually do?
-- unit: h
-- better: lower
-- kind: sum
-- statistic: value
-- numerator: staffed hours of the runs without an exam that are longer than 99 % of the device's own
-- denominator: idle runs that were judged; the value is not divided by them
-- clock_start: exam_ended
-- clock_stop: exam_started
-- includes: staffed time from one session to the next, over nights, by the begin of the run; the last one up to the data cut-off
-- excludes: time outside staffed hours and closed days; the time before a device's first exam
-- nulls: devices with fewer than 50 idle runs in all data are left out: what is usual there is not known
-- min_n: 8
-- table: fct_device_idle
-- anchor: idle_from_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary: about one run in a hundred is longer by definition, so compare devices and periods
-- reference: 99th percentile of the device over all data, so that days can be compared; repair, no patients and a silent sender look the same, see freshness for the last; n counts idle runs
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | b7e96f6c0e15 | first definition
WITH run AS (
    SELECT q.device, q.idle_since_at, min(q.idle_from_at) AS from_at, sum(q.idle_min) AS run_min
    FROM fct_device_idle q
    WHERE q.idle_since_at IS NOT NULL
    GROUP BY q.device, q.idle_since_at
)
SELECT i.idle_from_local AS period_local, CASE WHEN r.run_min > u.usual_min THEN r.run_min / 60 ELSE 0 END AS numerator,
       i.facility, i.modality, i.device
FROM fct_device_idle i
JOIN (SELECT n.device, quantile_cont(n.run_min, 0.99) AS usual_min
      FROM run n
      GROUP BY n.device
      HAVING count(*) >= 50) u ON u.device = i.device
JOIN run r ON r.device = i.device AND r.from_at = i.idle_from_at
