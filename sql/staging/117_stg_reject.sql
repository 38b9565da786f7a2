-- name: stg_reject
-- grain: rejected image of an exam
-- key: exam_key, sop_hash
-- purpose: Images that a rejection note names, each once; the earliest note counts.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: reason_code VARCHAR - | CID 7011 code of the rejection reason
-- column: rejected_at TIMESTAMP UTC | content time of the note
SELECT r.exam_key, r.sop_hash, r.study_key, r.series_key, r.title_code, r.reason_code, r.operator, r.rejected_at
FROM (SELECT m.exam_key, j.sop_hash, m.study_key, keyed('series', j.series_uid) AS series_key, j.title_code,
             j.reason_code, j.operator, j.at AS rejected_at,
             row_number() OVER (
                 PARTITION BY m.exam_key, j.sop_hash
                 ORDER BY j.at NULLS LAST, j.reason_code NULLS LAST, j.title_code, j.operator) AS choice
      FROM raw_reject j
      JOIN exam_mention m ON m.mention = j.mention) r
WHERE r.choice = 1
