-- name: fct_read_minutes
-- grain: modality, procedure and region of the exams, way of measuring, minutes
-- key: modality, procedure, region, learned_by, minutes
-- purpose: Final reads of the year before the data cut-off by how long they took, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- column: modality VARCHAR - | modality
-- column: procedure VARCHAR - | harmonized procedure
-- column: region VARCHAR - | region of the procedure
-- column: learned_by VARCHAR - | timed: from the begin of reading; gap: from report to report; NULL where it cannot be seen
-- column: minutes DOUBLE min | timed: read by one reader, to the first report; gap: from the reader's last report before
-- column: n_reads BIGINT reads | these reads
WITH measured AS (
    SELECT r.*, CASE WHEN r.modality IN ('CR', 'DX') THEN 10 WHEN r.modality = 'US' THEN 30 ELSE 60 END AS most_min,
           CASE WHEN r.is_alone THEN minutes_between(r.read_started_at, r.reported_at) END AS timed_min,
           CASE WHEN r.is_alone AND r.read_started_at IS NULL AND count(*) OVER same = 1
                THEN minutes_between(lag(r.reported_at) OVER w, r.reported_at) END AS gap_min
    FROM read_near r
    WINDOW same AS (PARTITION BY r.sign, r.radiologist, r.reported_at),
           w AS (PARTITION BY r.sign, r.radiologist ORDER BY r.reported_at)
), seen AS (
    SELECT m.modality, m.procedure, m.region, m.sign,
           CASE WHEN m.timed_min > 0 AND m.timed_min <= m.most_min THEN m.timed_min END AS timed_min,
           CASE WHEN m.gap_min <= m.most_min THEN m.gap_min END AS gap_min
    FROM measured m
    CROSS JOIN clock c
    WHERE m.role = 'final' AND m.read_at > CASE WHEN m.sign > 0 THEN c.data_through ELSE c.told_through END
                                           - INTERVAL 365 DAY
)
SELECT s.modality, s.procedure, s.region,
       CASE WHEN s.timed_min IS NOT NULL THEN 'timed' WHEN s.gap_min IS NOT NULL THEN 'gap' END AS learned_by,
       coalesce(s.timed_min, s.gap_min) AS minutes, CAST(sum(s.sign) AS BIGINT) AS n_reads
FROM seen s
GROUP BY ALL
