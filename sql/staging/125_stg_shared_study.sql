-- name: stg_shared_study
-- grain: exam without images of its own whose study was acquired under another accession
-- key: exam_key
-- purpose: One study read under several accessions: the acquisition times of the study count for each of them.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: started_at TIMESTAMP UTC | first acquisition of the study
-- column: ended_at TIMESTAMP UTC | last acquisition of the study
SELECT m.exam_key, min(i.study_key) AS study_key, min(i.started_at) AS started_at, max(i.ended_at) AS ended_at,
       bool_or(i.is_imported) AS is_imported
FROM (SELECT DISTINCT e.exam_key, e.study_key FROM exam_mention e WHERE e.study_key IS NOT NULL) m
JOIN stg_image i ON i.study_key = m.study_key
WHERE m.exam_key NOT IN (SELECT o.exam_key FROM stg_image o)
GROUP BY m.exam_key
