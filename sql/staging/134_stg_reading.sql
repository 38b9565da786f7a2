-- name: stg_reading
-- grain: exam with reports
-- key: exam_key
-- purpose: Who signed first and who helped, and how many versions followed.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: radiologist VARCHAR - | interpreter of the first final report
-- column: assistant VARCHAR - | assistant named by any version, the earliest
-- column: discrepancy VARCHAR - | grade by the message made last of those with a final report that say anything of it
SELECT r.exam_key,
       arg_min(r.radiologist, r.version) FILTER (WHERE r.status IN ('final', 'corrected', 'addendum')
                                                 AND r.radiologist IS NOT NULL) AS radiologist,
       arg_min(r.radiologist, r.version) FILTER (WHERE r.status = 'preliminary' AND r.radiologist IS NOT NULL)
           AS prelim_radiologist,
       arg_min(r.assistant, r.version) FILTER (WHERE r.assistant IS NOT NULL) AS assistant,
       nullif(arg_max(r.discrepancy, r.telling) FILTER (WHERE r.status IN ('final', 'corrected', 'addendum')
                                                        AND r.discrepancy IS NOT NULL), '') AS discrepancy,
       count(DISTINCT r.at) FILTER (WHERE r.status = 'addendum') AS n_addenda,
       count(DISTINCT r.at) FILTER (WHERE r.status = 'corrected') AS n_corrections,
       bool_or(r.status <> 'cancelled') AS has_report
FROM (SELECT s.exam_key, s.status, s.radiologist, s.assistant, s.discrepancy, coalesce(s.at, s.message_at) AS at,
             row_number() OVER (
                 PARTITION BY s.exam_key
                 ORDER BY s.message_at NULLS FIRST, s.at NULLS FIRST, s.source, s.message_id, s.row_number,
                          CASE s.discrepancy WHEN 'major' THEN 3 WHEN 'minor' THEN 2 WHEN 'none' THEN 1 ELSE 0 END)
                 AS telling,
             row_number() OVER (
                 PARTITION BY s.exam_key
                 ORDER BY CASE WHEN s.status = 'final' THEN 1 ELSE 2 END, coalesce(s.at, s.message_at), s.message_at,
                          s.source, s.message_id, s.row_number, s.radiologist, s.assistant) AS version
      FROM stg_report s) r
GROUP BY r.exam_key
