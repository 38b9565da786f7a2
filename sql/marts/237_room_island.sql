-- name: room_island
-- grain: device, stretch of time with a patient in its room
-- key: device, started_at
-- purpose: Occupied time of a touched device's room: the union of its stays.
-- materialize: work
-- column: device VARCHAR - | device
-- column: started_at TIMESTAMP UTC | begin of the stretch
-- column: ended_at TIMESTAMP UTC | its end
SELECT n.device, min(n.entered_at) AS started_at, max(n.left_at) AS ended_at
FROM (SELECT g.*, sum(g.is_first) OVER (
                 PARTITION BY g.device ORDER BY g.entered_at, g.left_at, g.is_first DESC
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
      FROM (SELECT s.device, s.entered_at, s.left_at,
                   CASE WHEN s.entered_at <= max(s.left_at) OVER (
                            PARTITION BY s.device ORDER BY s.entered_at, s.left_at
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS is_first
            FROM fct_room_stay s
            JOIN touched_device t ON t.device = s.device
                AND s.left_at >= CAST(t.since_day AS TIMESTAMP) - INTERVAL 1 DAY
                AND s.entered_at < CAST(t.until_day AS TIMESTAMP) + INTERVAL 1 DAY
            WHERE s.fate = 'used'
                AND s.left_at >= (SELECT CAST(min(k.since_day) AS TIMESTAMP) - INTERVAL 1 DAY FROM touched_device k)) g) n
GROUP BY n.device, n.island
