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
WITH learned AS (
    SELECT k.level, k.alike, k.learned_by, quantile_cont(k.minutes, 0.5) AS minutes,
           quantile_cont(k.minutes, 0.25) AS low_min, quantile_cont(k.minutes, 0.75) AS high_min, count(*) AS n
    FROM (SELECT t.level, t.alike, 'timed' AS learned_by, t.timed_min AS minutes FROM read_time t
          UNION ALL
          SELECT g.level, g.alike, 'gap', g.gap_min FROM read_time g) k
    WHERE k.minutes IS NOT NULL
    GROUP BY k.level, k.alike, k.learned_by
    HAVING count(*) >= 10
)
SELECT c.modality, c.procedure, c.minutes, c.low_min, c.high_min, c.n,
       CASE c.level WHEN 1 THEN 'procedure' WHEN 2 THEN 'region' ELSE 'modality' END AS learned_from,
       c.learned_by
FROM (SELECT p.modality, p.procedure, l.minutes, l.low_min, l.high_min, l.n, l.level, l.learned_by,
             row_number() OVER (PARTITION BY p.modality, p.procedure ORDER BY l.learned_by DESC, l.level) AS choice
      FROM (SELECT DISTINCT t.modality, t.procedure, t.level, t.alike FROM read_time t) p
      JOIN learned l ON l.level = p.level AND l.alike = p.alike) c
WHERE c.choice = 1
