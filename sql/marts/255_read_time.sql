-- name: read_time
-- grain: final read of the year before the data cut-off, level of likeness
-- key: exam_key, level
-- purpose: How long a reader took for an exam, where it can be seen, under each level at which exams are alike.
-- materialize: work
-- column: exam_key VARCHAR - | exam
-- column: modality VARCHAR - | modality
-- column: procedure VARCHAR - | harmonized procedure
-- column: level INTEGER - | 1 procedure, 2 modality and region, 3 modality; CR and DX are one
-- column: alike VARCHAR - | what exams of the level share
-- column: timed_min DOUBLE min | read by one reader, from its begin to the first report
-- column: gap_min DOUBLE min | the same without a begin, from the reader's last report of another exam
WITH report AS (
    SELECT r.exam_key, r.role, r.radiologist, r.modality, r.procedure, r.read_started_at, e.region,
           r.role = 'final' AND coalesce(e.assistant, r.radiologist) = r.radiologist AS is_alone,
           CASE WHEN r.role = 'final' AND coalesce(e.assistant, r.radiologist) = r.radiologist
                THEN least(e.first_prelim_at, r.read_at) ELSE r.read_at END AS reported_at,
           CASE WHEN r.modality = 'CR' THEN 'DX' ELSE r.modality END AS kind,
           CASE WHEN r.modality IN ('CR', 'DX') THEN 10 WHEN r.modality = 'US' THEN 30 ELSE 60 END AS most_min
    FROM fct_read r
    JOIN fct_exam e ON e.exam_key = r.exam_key
    CROSS JOIN clock c
    WHERE r.read_at > c.data_through - INTERVAL 365 DAY
), measured AS (
    SELECT p.*, CASE WHEN p.is_alone THEN minutes_between(p.read_started_at, p.reported_at) END AS timed_min,
           CASE WHEN p.is_alone AND p.read_started_at IS NULL AND count(*) OVER same = 1
                THEN minutes_between(lag(p.reported_at) OVER w, p.reported_at) END AS gap_min
    FROM report p
    WINDOW same AS (PARTITION BY p.radiologist, p.reported_at),
           w AS (PARTITION BY p.radiologist ORDER BY p.reported_at)
)
SELECT m.exam_key, m.modality, m.procedure, l.level,
       CASE l.level WHEN 1 THEN m.procedure WHEN 2 THEN concat(m.kind, '|', m.region) ELSE m.kind END AS alike,
       CASE WHEN m.timed_min > 0 AND m.timed_min <= m.most_min THEN m.timed_min END AS timed_min,
       CASE WHEN m.gap_min <= m.most_min THEN m.gap_min END AS gap_min
FROM measured m
CROSS JOIN (SELECT 1 AS level UNION ALL SELECT 2 UNION ALL SELECT 3) l
WHERE m.role = 'final' AND CASE l.level WHEN 1 THEN m.procedure IS NOT NULL
                                        WHEN 2 THEN m.kind IS NOT NULL AND m.region IS NOT NULL
                                        ELSE m.kind IS NOT NULL END
