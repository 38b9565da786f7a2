-- name: device_piece
-- grain: device, hour, piece of busy time
-- key: device, hour_at, started_at
-- purpose: Busy time (union of sessions) of a device cut at the hours.
-- materialize: work
-- column: device VARCHAR - | device
-- column: hour_at TIMESTAMP UTC | hour
-- column: started_at TIMESTAMP UTC | begin of the busy piece
-- column: ended_at TIMESTAMP UTC | end of the busy piece
SELECT p.device, k.hour_at, greatest(p.started_at, k.from_at) AS started_at, least(p.ended_at, k.to_at) AS ended_at
FROM (SELECT u.device, u.started_at, u.ended_at,
             unnest(generate_series(date_trunc('hour', u.started_at), u.ended_at, INTERVAL 1 HOUR)) AS utc_hour
      FROM (SELECT n.device, min(n.busy_started_at) AS started_at, max(n.busy_ended_at) AS ended_at
            FROM (SELECT g.*, sum(g.is_first) OVER (
                             PARTITION BY g.device ORDER BY g.busy_started_at, g.busy_ended_at
                             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
                  FROM (SELECT b.device, b.busy_started_at, b.busy_ended_at,
                               CASE WHEN b.busy_started_at <= max(b.busy_ended_at) OVER (
                                        PARTITION BY b.device ORDER BY b.busy_started_at, b.busy_ended_at
                                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 0 ELSE 1 END AS is_first
                        FROM fct_device_busy b
                        JOIN touched_device t ON t.device = b.device AND b.busy_ended_at >= t.load_from) g) n
            GROUP BY n.device, n.island) u) p
JOIN device_tick k ON k.device = p.device AND k.utc_hour = p.utc_hour
WHERE k.from_at < p.ended_at AND k.to_at > p.started_at
