-- name: fct_report_version
-- grain: report version of an exam
-- key: exam_key, version_number
-- purpose: Every version of the report in order of time.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | exam
-- column: version_number BIGINT - | from 1
-- column: status VARCHAR - | partial, preliminary, final, corrected, addendum or cancelled
-- column: at TIMESTAMP UTC | time of the version
-- column: radiologist VARCHAR - | keyed interpreter
SELECT d.exam_key,
       row_number() OVER (PARTITION BY d.exam_key ORDER BY d.at NULLS LAST, d.status, d.radiologist) AS version_number,
       d.status, d.at, d.radiologist
FROM (SELECT DISTINCT r.exam_key, r.status, r.at, r.radiologist FROM stg_report r) d
