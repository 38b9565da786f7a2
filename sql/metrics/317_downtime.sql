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
-- window: fct_device_idle:k idle_from_local 0 0
-- reference: 99th percentile of the device over all data, so that days can be compared; repair, no patients and a silent sender look the same, see freshness for the last; n counts idle runs
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | a430c0a5d7a4 | first definition
WITH later AS (  -- pieces behind the one that begins where the exam ended, as over a night
    SELECT q.device, q.idle_since_at, min(q.idle_from_at) AS from_at, sum(q.idle_min) AS idle_min
    FROM fct_device_idle q
    WHERE q.idle_from_at > q.idle_since_at AND q.idle_since_at >= (SELECT min(k.idle_since_at) FROM fct_device_idle k)
    GROUP BY q.device, q.idle_since_at
), rest AS (  -- the first of them begins the run where the exam ended outside staffed time
    SELECT l.device, l.idle_since_at, l.idle_min, CASE WHEN b.device IS NULL THEN l.from_at END AS from_at
    FROM later l
    LEFT JOIN fct_device_idle b ON b.device = l.device AND b.idle_from_at = l.idle_since_at
)
SELECT i.idle_from_local AS period_local,
       CASE WHEN CASE WHEN i.idle_from_at = i.idle_since_at THEN i.idle_min ELSE 0 END + coalesce(r.idle_min, 0)
                 > u.idle_run_min
            THEN (CASE WHEN i.idle_from_at = i.idle_since_at THEN i.idle_min ELSE 0 END + coalesce(r.idle_min, 0)) / 60
            ELSE 0 END AS numerator,
       i.facility, i.modality, i.device
FROM fct_device_idle i
JOIN dim_device_usual u ON u.device = i.device AND u.n_idle_runs >= 50
LEFT JOIN rest r ON r.device = i.device AND r.idle_since_at = i.idle_since_at
WHERE i.idle_from_at = i.idle_since_at OR i.idle_from_at = r.from_at
