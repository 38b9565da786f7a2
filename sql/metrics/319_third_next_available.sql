-- id: third_next_available
-- title: Third next available
-- question: How many days until the third free slot of a device, as its bookings let one estimate?
-- unit: d
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: none
-- clock_stop: none
-- includes: each staffed day, seen from its begin; free is what the bookings known by then leave of the usual number of slots
-- excludes: the first 28 days of a device's bookings, when not all were known; days without staffed hours
-- nulls: a third free slot more than 60 days ahead; devices with fewer than 20 booked days, or without staffed hours, are left out
-- min_n: 10
-- table: fct_device_day
-- anchor: day_local
-- groups: facility, modality, device, weekday
-- filters: since, until, facility, modality, device
-- target: none customary
-- window: fct_device_day:d day_local 0 0
-- window: fct_device_day:g day_local 0 0
-- window: fct_device_day:t day_local 0 -
-- window: fct_appointment slot_local 0 61
-- reference: third next available appointment, the accepted sample of access; no message tells of free slots, so the usual number is the 90th percentile of the device's slots a day; a slot left by moving counts as free
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | eaef5b9c15b9 | first definition
WITH slot AS (
    SELECT a.device, CAST(a.slot_local AS DATE) AS day, CAST(a.slot_told_local AS DATE) AS told_day,
           CAST(a.cancelled_local AS DATE) AS cancelled_day
    FROM fct_appointment a
    WHERE a.slot_local IS NOT NULL AND a.slot_told_local IS NOT NULL AND a.status <> 'deleted'
), usual AS (
    SELECT k.device, k.slots AS n_slots, k.bookings_from AS from_day FROM dim_device_usual k WHERE k.slots IS NOT NULL
), past_day AS (
    SELECT t.device, t.day_local AS day FROM fct_device_day t WHERE t.opens_local IS NOT NULL
), open_day AS (
    SELECT p.device, p.day FROM past_day p
    UNION ALL
    SELECT f.device, f.day
    FROM (SELECT l.device, l.last_day + CAST(unnest(generate_series(1, 60)) AS INTEGER) AS day
          FROM (SELECT p.device, max(p.day) AS last_day FROM past_day p GROUP BY p.device) l) f
    WHERE EXISTS (SELECT 1 FROM dim_staffing w WHERE w.device = f.device AND w.weekday = isodow(f.day))
), spare AS (  -- free at any time, whatever was known when: three are enough
    SELECT o.device, o.day, u.n_slots, CAST(least(greatest(u.n_slots - coalesce(b.n, 0), 0), 3) AS BIGINT) AS n_sure
    FROM open_day o
    JOIN usual u ON u.device = o.device
    LEFT JOIN (SELECT s.device, s.day, count(*) AS n FROM slot s GROUP BY s.device, s.day) b
        ON b.device = o.device AND b.day = o.day
), numbered AS (
    SELECT e.*, row_number() OVER (PARTITION BY e.device ORDER BY e.day) AS place,
           CAST(sum(e.n_sure) OVER (PARTITION BY e.device ORDER BY e.day) AS BIGINT) AS n_until
    FROM spare e
), sure AS (
    SELECT n.device, n.place, unnest(range(n.n_until - n.n_sure, n.n_until)) AS nth FROM numbered n
), ahead AS (  -- no further than three are sure
    SELECT n.device, n.day, n.n_slots, unnest(range(n.place, coalesce(r.place, n.place + 60) + 1)) AS place
    FROM fct_device_day g
    JOIN numbered n ON n.device = g.device AND n.day = g.day_local
    LEFT JOIN sure r ON r.device = n.device AND r.nth = n.n_until - n.n_sure + 2
    WHERE g.opens_local IS NOT NULL AND n.n_sure < 3
), seen AS (
    SELECT p.device, p.day, o.day AS ahead_day, greatest(p.n_slots - count(s.device), 0) AS n_free
    FROM ahead p
    JOIN numbered o ON o.device = p.device AND o.place = p.place AND o.day <= p.day + 60
    LEFT JOIN slot s ON s.device = p.device AND s.day = o.day AND s.told_day < p.day
        AND (s.cancelled_day IS NULL OR s.cancelled_day >= p.day)
    GROUP BY p.device, p.day, o.day, p.n_slots
), third AS (
    SELECT n.device, n.day, 0 AS n_days FROM numbered n WHERE n.n_sure = 3
    UNION ALL
    SELECT f.device, f.day, min(f.ahead_day) FILTER (WHERE f.n_until >= 3) - f.day AS n_days
    FROM (SELECT e.*, sum(e.n_free) OVER (PARTITION BY e.device, e.day ORDER BY e.ahead_day
                                          ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n_until
          FROM seen e) f
    GROUP BY f.device, f.day
)
SELECT CAST(d.day_local AS TIMESTAMP) AS period_local, h.n_days AS value,
       'other|third free slot more than 60 days ahead' AS why_null, d.facility, d.modality, d.device
FROM fct_device_day d
JOIN usual u ON u.device = d.device
LEFT JOIN third h ON h.device = d.device AND h.day = d.day_local
WHERE d.opens_local IS NOT NULL AND d.day_local >= u.from_day
