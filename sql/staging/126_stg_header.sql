-- name: stg_header
-- grain: exam, attribute, value
-- key: exam_key, attribute, value
-- purpose: What the image headers of an exam say of it; a header that says nothing, or UNKNOWN, has no row.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: attribute VARCHAR - | modality, region, laterality, contrast or views
-- column: value VARCHAR - | modality, region (also those around it), L, R or B, W or WO, number of views as text
SELECT i.exam_key, 'modality' AS attribute, i.modality AS value
FROM stg_instance i
WHERE i.is_header AND i.imported_at IS NULL
    AND i.modality IN (SELECT m.header FROM modality_fits m)
GROUP BY i.exam_key, i.modality
UNION ALL
SELECT b.exam_key, 'region', n.region
FROM stg_instance b
JOIN body_part_near n ON n.body_part = upper(b.body_part)
WHERE b.is_header AND b.imported_at IS NULL
GROUP BY b.exam_key, n.region
UNION ALL
SELECT s.exam_key, 'laterality', s.laterality
FROM stg_instance s
WHERE s.is_header AND s.imported_at IS NULL AND s.laterality IN ('L', 'R', 'B')
GROUP BY s.exam_key, s.laterality
UNION ALL
SELECT c.exam_key, 'contrast', min(c.means)
FROM (SELECT k.exam_key,
             CASE WHEN a.agent IS NULL THEN 'W' ELSE nullif(a.means, '') END AS means
      FROM stg_instance k
      LEFT JOIN contrast_agent a ON a.agent = upper(k.contrast_agent)
      WHERE k.is_header AND k.imported_at IS NULL AND k.contrast_agent <> '') c
WHERE c.means IS NOT NULL
GROUP BY c.exam_key
UNION ALL
SELECT v.exam_key, 'views', CAST(count(*) AS VARCHAR)
FROM (SELECT DISTINCT w.exam_key, w.view, w.laterality
      FROM stg_instance w
      LEFT JOIN stg_reject r ON r.exam_key = w.exam_key AND r.sop_hash = w.sop_hash
      WHERE w.is_header AND w.imported_at IS NULL AND w.view <> '' AND r.sop_hash IS NULL) v
GROUP BY v.exam_key
