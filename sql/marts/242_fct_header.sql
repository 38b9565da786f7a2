-- name: fct_header
-- grain: exam with image headers
-- key: exam_key
-- purpose: Whether the image headers of an exam carry what routing and validating an algorithm needs; no values.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | exam
-- column: n_headers BIGINT images | image headers seen; those of outside imports left out
-- column: has_identity BOOLEAN - | all have Patient ID and Accession Number
-- column: has_modality BOOLEAN - | all have Modality
-- column: has_body_part BOOLEAN - | all have Body Part Examined or an anatomic region, other than UNKNOWN
-- column: has_description BOOLEAN - | all have Series Description or Protocol Name
-- column: has_maker BOOLEAN - | all have Manufacturer and Manufacturer's Model Name
-- column: has_time BOOLEAN - | all have a time of acquisition or content of their own
-- column: is_ready BOOLEAN - | all of these
SELECT h.*, h.has_identity AND h.has_modality AND h.has_body_part AND h.has_description AND h.has_maker AND h.has_time
           AS is_ready
FROM (SELECT i.exam_key, count(*) AS n_headers, bool_and(i.has_identity) AS has_identity,
             bool_and(coalesce(i.modality, '') <> '') AS has_modality,
             bool_and(upper(coalesce(i.body_part, '')) NOT IN ('', 'UNKNOWN')) AS has_body_part,
             bool_and(coalesce(i.series_text, '') <> '') AS has_description,
             bool_and(coalesce(i.manufacturer, '') <> '' AND coalesce(i.model, '') <> '') AS has_maker,
             bool_and(i.acquired_at IS NOT NULL
                      AND coalesce(i.acquired_clock, '') IN ('acquisition_datetime', 'acquisition', 'content'))
                 AS has_time
      FROM stg_instance i
      WHERE i.is_header AND i.imported_at IS NULL
      GROUP BY i.exam_key) h
