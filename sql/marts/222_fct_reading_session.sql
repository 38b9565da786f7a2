-- name: fct_reading_session
-- grain: reader, stretch of reading
-- key: radiologist, started_at
-- purpose: Active reading time: read intervals of a reader, gaps under 30 minutes bridged.
-- materialize: table
-- scope: radiologist started_at
-- column: radiologist VARCHAR - | keyed reader
-- column: facility VARCHAR - | facility of the first read, for the local clock
-- column: started_at TIMESTAMP UTC | begin of the first read interval
-- column: ended_at TIMESTAMP UTC | end of the last
-- column: started_local TIMESTAMP local | wall clock of the facility
-- column: minutes DOUBLE min | length
-- column: n_reads BIGINT reads | reads in it
-- column: n_charged BIGINT reads | final reads with a charge
-- column: wrvu DOUBLE wRVU | of these
SELECT s.radiologist, s.facility, s.started_at, s.ended_at, local_at(s.started_at, coalesce(z.zone, d.default_zone))
           AS started_local,
       minutes_between(s.started_at, s.ended_at) AS minutes, s.n_reads, s.n_charged,
       CAST(s.wrvu AS DOUBLE) AS wrvu
FROM (SELECT n.radiologist, n.session, arg_min(n.facility, concat(n.started_at, n.ended_at, n.facility)) AS facility,
             min(n.started_at) AS started_at, max(n.ended_at) AS ended_at, count(*) AS n_reads,
             count(n.wrvu) AS n_charged, sum(CAST(n.wrvu AS DECIMAL(18, 4))) AS wrvu
      FROM (SELECT g.*, sum(g.is_first) OVER (
                       PARTITION BY g.radiologist ORDER BY g.started_at, g.ended_at, g.exam_key, g.role
                       ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS session
            FROM (SELECT i.*, CASE WHEN i.started_at < max(i.ended_at) OVER (
                                  PARTITION BY i.radiologist ORDER BY i.started_at, i.ended_at, i.exam_key, i.role
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + INTERVAL 30 MINUTE
                              THEN 0 ELSE 1 END AS is_first
                  FROM (SELECT r.radiologist, r.facility, r.exam_key, r.role, r.read_at AS ended_at,
                               least(coalesce(r.read_started_at, r.read_at - INTERVAL 10 MINUTE), r.read_at)
                                   AS started_at, CASE WHEN r.role = 'final' THEN r.wrvu END AS wrvu, t.since_at
                        FROM fct_read r
                        JOIN touched_radiologist t ON t.radiologist = r.radiologist
                        WHERE r.read_at >= (SELECT min(k.since_at) FROM touched_radiologist k)) i
                  WHERE i.started_at >= i.since_at) g) n
      GROUP BY n.radiologist, n.session) s
CROSS JOIN site_zone d
LEFT JOIN site_facility z ON z.facility = s.facility
