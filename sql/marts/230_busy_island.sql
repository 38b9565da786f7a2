-- name: busy_island
-- grain: device, stretch of busy time
-- key: device, started_at
-- purpose: Busy time of a touched device: the union of its sessions.
-- materialize: work
-- column: device VARCHAR - | device
-- column: started_at TIMESTAMP UTC | begin of the stretch
-- column: ended_at TIMESTAMP UTC | its end
SELECT n.device, min(n.busy_started_at) AS started_at, max(n.busy_ended_at) AS ended_at
FROM (SELECT g.*, sum(g.is_first) OVER (
                 PARTITION BY g.device ORDER BY g.busy_started_at, g.busy_ended_at, g.is_first DESC
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
      FROM (SELECT b.device, b.busy_started_at, b.busy_ended_at,
                   CASE WHEN b.busy_started_at <= max(b.busy_ended_at) OVER (
                            PARTITION BY b.device ORDER BY b.busy_started_at, b.busy_ended_at
                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS is_first
            FROM fct_device_busy b
            JOIN touched_device t ON t.device = b.device AND b.busy_ended_at >= t.load_from
                AND b.busy_started_at < t.load_to
            WHERE b.busy_ended_at >= (SELECT min(k.load_from) FROM touched_device k)) g) n
GROUP BY n.device, n.island
