-- name: fct_device_idle
-- grain: stretch of a staffed block in which a device did nothing
-- key: device, idle_from_at
-- purpose: Idle staffed time in one piece; pieces since the same exam are one run, nights and closed days left out.
-- materialize: table
-- scope: device day_local
-- sorted_by: month of day_local, facility, day_local
-- column: device VARCHAR - | device
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: day_local DATE local | day of the staffed block
-- column: idle_from_at TIMESTAMP UTC | opening, or end of the busy time before
-- column: idle_to_at TIMESTAMP UTC | begin of the next session, closing, or the data cut-off
-- column: idle_from_local TIMESTAMP local | its begin on the wall clock
-- column: idle_min DOUBLE min | its length
-- column: idle_since_at TIMESTAMP UTC | end of the last session before, also of one outside staffed hours; NULL before the first
WITH block AS (
    SELECT s.device, s.day_local, s.opens_local, min(s.hour_at + (s.staffed_from - s.hour_local)) AS opens_at,
           max(s.hour_at + (s.staffed_to - s.hour_local)) AS closes_at
    FROM staffed_piece s
    WHERE s.staffed_to > s.staffed_from
    GROUP BY s.device, s.day_local, s.opens_local
), mark AS (
    SELECT b.device, b.day_local, b.opens_local, b.opens_at AS from_at, b.opens_at AS to_at FROM block b
    UNION ALL
    SELECT b.device, b.day_local, b.opens_local, b.closes_at, b.closes_at FROM block b
    UNION ALL
    SELECT b.device, b.day_local, b.opens_local, greatest(i.started_at, b.opens_at), least(i.ended_at, b.closes_at)
    FROM block b
    JOIN busy_island i ON i.device = b.device AND i.started_at < b.closes_at AND i.ended_at > b.opens_at
), piece AS (
    SELECT m.device, m.day_local, m.to_at AS idle_from_at, m.next_at AS idle_to_at
    FROM (SELECT k.*, lead(k.from_at) OVER (PARTITION BY k.device, k.opens_local ORDER BY k.from_at, k.to_at) AS next_at
          FROM mark k) m
    WHERE m.next_at > m.to_at
), lately AS (  -- the session before what is read, which is looked for among all only where the month has none
    SELECT e.device, f.load_from, max(e.busy_ended_at) AS busy_ended_at
    FROM fct_device_busy e
    JOIN touched_device f ON f.device = e.device AND e.busy_ended_at < f.load_from
        AND e.busy_ended_at >= f.load_from - INTERVAL 30 DAY
    WHERE e.busy_ended_at >= (SELECT min(d.load_from) - INTERVAL 30 DAY FROM touched_device d)
    GROUP BY e.device, f.load_from
), known AS (
    SELECT k.*, max(k.busy_ended_at) OVER (PARTITION BY k.device ORDER BY k.idle_from_at, k.idle_to_at NULLS FIRST
                                           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS idle_since_at
    FROM (SELECT p.device, p.day_local, p.idle_from_at, p.idle_to_at, NULL AS busy_ended_at FROM piece p
          UNION ALL
          SELECT b.device, NULL, b.busy_ended_at, NULL, b.busy_ended_at
          FROM fct_device_busy b
          JOIN touched_device d ON d.device = b.device AND b.busy_ended_at >= d.load_from
              AND b.busy_started_at < d.load_to
          WHERE b.busy_ended_at >= (SELECT min(k.load_from) FROM touched_device k)
          UNION ALL
          SELECT n.device, NULL, n.busy_ended_at, NULL, n.busy_ended_at FROM lately n
          UNION ALL
          SELECT e.device, NULL, max(e.busy_ended_at), NULL, max(e.busy_ended_at)
          FROM fct_device_busy e
          JOIN (SELECT d.device, d.load_from
                FROM touched_device d
                LEFT JOIN lately g ON g.device = d.device AND g.load_from = d.load_from
                WHERE g.device IS NULL) f ON f.device = e.device AND e.busy_ended_at < f.load_from
          GROUP BY e.device, f.load_from) k
)
SELECT i.device, t.facility, t.modality, i.day_local, i.idle_from_at, i.idle_to_at,
       local_at(i.idle_from_at, t.zone) AS idle_from_local, minutes_between(i.idle_from_at, i.idle_to_at) AS idle_min,
       i.idle_since_at
FROM known i
JOIN touched_device t ON t.device = i.device AND i.day_local >= t.since_day AND i.day_local < t.until_day
WHERE i.idle_to_at IS NOT NULL
