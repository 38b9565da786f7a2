-- name: dim_procedure_weight
-- grain: modality, procedure of final reads
-- key: modality, procedure
-- purpose: Minutes of reading that an exam usually takes, learned from the site's own reports.
-- materialize: table
-- column: modality VARCHAR - | modality
-- column: procedure VARCHAR - | harmonized procedure, NULL where unmapped
-- column: minutes DOUBLE min | median of the reads that it was learned from
-- column: low_min DOUBLE min | their 25th percentile
-- column: high_min DOUBLE min | their 75th percentile
-- column: n BIGINT reads | these reads
-- column: learned_from VARCHAR - | reads of the same procedure, of its modality and region, or of its modality
-- column: learned_by VARCHAR - | timed: from the begin of reading; gap: from report to report, with the pause between
WITH alike AS (  -- 1 procedure, 2 modality and region, 3 modality; CR and DX are one
    SELECT r.modality, r.procedure, r.learned_by, r.minutes, r.n_reads, l.level,
           CASE l.level WHEN 1 THEN r.procedure WHEN 2 THEN concat(r.kind, '|', r.region) ELSE r.kind END AS alike
    FROM (SELECT t.*, CASE WHEN t.modality = 'CR' THEN 'DX' ELSE t.modality END AS kind FROM fct_read_minutes t) r
    CROSS JOIN (SELECT 1 AS level UNION ALL SELECT 2 UNION ALL SELECT 3) l
    WHERE CASE l.level WHEN 1 THEN r.procedure IS NOT NULL WHEN 2 THEN r.kind IS NOT NULL AND r.region IS NOT NULL
                       ELSE r.kind IS NOT NULL END
), counted AS (
    SELECT a.level, a.alike, a.learned_by, a.minutes, CAST(sum(a.n_reads) AS BIGINT) AS n_reads
    FROM alike a
    WHERE a.minutes IS NOT NULL
    GROUP BY a.level, a.alike, a.learned_by, a.minutes
), ranked AS (
    SELECT c.*, sum(c.n_reads) OVER (PARTITION BY c.level, c.alike, c.learned_by) AS n,
           sum(c.n_reads) OVER (PARTITION BY c.level, c.alike, c.learned_by ORDER BY c.minutes
                                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM counted c
), part AS (  -- between the two reads beside the place of each part, from 0 on
    SELECT r.level, r.alike, r.learned_by, q.part, max(r.n) AS n, max(q.part * (r.n - 1)) AS place,
           min(r.minutes) FILTER (WHERE r.upto > floor(q.part * (r.n - 1))) AS below_min,
           min(r.minutes) FILTER (WHERE r.upto > ceil(q.part * (r.n - 1))) AS above_min
    FROM ranked r
    CROSS JOIN (SELECT 0.25E0 AS part UNION ALL SELECT 0.5E0 UNION ALL SELECT 0.75E0) q
    WHERE r.n >= 10
    GROUP BY r.level, r.alike, r.learned_by, q.part
), learned AS (
    SELECT p.level, p.alike, p.learned_by, CAST(max(p.n) AS BIGINT) AS n,
           max(p.below_min + (p.above_min - p.below_min) * (p.place - floor(p.place))) FILTER (WHERE p.part = 0.5E0)
               AS minutes,
           max(p.below_min + (p.above_min - p.below_min) * (p.place - floor(p.place))) FILTER (WHERE p.part = 0.25E0)
               AS low_min,
           max(p.below_min + (p.above_min - p.below_min) * (p.place - floor(p.place))) FILTER (WHERE p.part = 0.75E0)
               AS high_min
    FROM part p
    GROUP BY p.level, p.alike, p.learned_by
)
SELECT c.modality, c.procedure, c.minutes, c.low_min, c.high_min, c.n,
       CASE c.level WHEN 1 THEN 'procedure' WHEN 2 THEN 'region' ELSE 'modality' END AS learned_from,
       c.learned_by
FROM (SELECT p.modality, p.procedure, l.minutes, l.low_min, l.high_min, l.n, l.level, l.learned_by,
             row_number() OVER (PARTITION BY p.modality, p.procedure ORDER BY l.learned_by DESC, l.level) AS choice
      FROM (SELECT DISTINCT a.modality, a.procedure, a.level, a.alike FROM alike a) p
      JOIN learned l ON l.level = p.level AND l.alike = p.alike) c
WHERE c.choice = 1
