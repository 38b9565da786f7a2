-- name: stg_image
-- grain: exam with image objects
-- key: exam_key
-- purpose: What the images of an exam say: counts, first and last acquisition, main device and modality.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: started_at TIMESTAMP UTC | first acquisition of an ORIGINAL image (all images where none says so)
-- column: ended_at TIMESTAMP UTC | last acquisition, with its duration where stated
-- column: n_images BIGINT images | objects that no rejection note names
SELECT c.exam_key,
       min(c.study_key) AS study_key,
       count(DISTINCT c.series_key) AS n_series,
       count(*) FILTER (WHERE NOT c.is_rejected) AS n_images,
       coalesce(min(c.acquired_at) FILTER (WHERE c.is_original), min(c.acquired_at)) AS started_at,
       coalesce(max(c.acquired_ended_at) FILTER (WHERE c.is_original), max(c.acquired_ended_at)) AS ended_at,
       max(c.imported_at) AS imported_at,
       bool_or(c.imported_at IS NOT NULL) AS is_imported
FROM (SELECT i.exam_key, i.study_key, i.series_key, i.acquired_at, i.acquired_ended_at, i.imported_at,
             coalesce(i.is_original, TRUE) AND i.acquired_clock IN ('acquisition_datetime', 'acquisition', 'content')
                 AS is_original,
             r.sop_hash IS NOT NULL AS is_rejected
      FROM stg_instance i
      LEFT JOIN stg_reject r ON r.exam_key = i.exam_key AND r.sop_hash = i.sop_hash) c
GROUP BY c.exam_key
