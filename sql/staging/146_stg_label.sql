-- name: stg_label
-- grain: exam whose name or decision says a procedure and whose image headers say something of it
-- key: exam_key
-- purpose: Which attributes the headers tell and which they tell otherwise; what is absent contradicts nothing.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: is_modality_told BOOLEAN - | some image has a modality
-- column: is_modality_against BOOLEAN - | no image has a modality of the procedure
-- column: is_region_against BOOLEAN - | no body part lies in, around or within a region of the procedure
-- column: is_laterality_against BOOLEAN - | the procedure is of one side and all sides told are the other one
-- column: is_contrast_against BOOLEAN - | an agent in an exam without, or said to be none in an exam with contrast
-- column: is_views_against BOOLEAN - | more different views than the procedure has
SELECT h.exam_key,
       count(*) FILTER (WHERE h.attribute = 'modality') > 0 AS is_modality_told,
       count(*) FILTER (WHERE h.attribute = 'region') > 0 AS is_region_told,
       count(*) FILTER (WHERE h.attribute = 'laterality') > 0 AS is_laterality_told,
       count(*) FILTER (WHERE h.attribute = 'contrast') > 0 AS is_contrast_told,
       count(*) FILTER (WHERE h.attribute = 'views') > 0 AS is_views_told,
       count(*) FILTER (WHERE h.attribute = 'modality' AND NOT h.fits) > 0 AS is_modality_against,
       count(*) FILTER (WHERE h.attribute = 'region' AND NOT h.fits) > 0 AS is_region_against,
       count(*) FILTER (WHERE h.attribute = 'laterality' AND NOT h.fits) > 0 AS is_laterality_against,
       count(*) FILTER (WHERE h.attribute = 'contrast' AND NOT h.fits) > 0 AS is_contrast_against,
       count(*) FILTER (WHERE h.attribute = 'views' AND NOT h.fits) > 0 AS is_views_against,
       count(*) FILTER (WHERE NOT h.fits) > 0 AS is_against
FROM (SELECT e.exam_key, e.attribute,
             bool_or(CASE e.attribute
                         WHEN 'modality' THEN m.header IS NOT NULL
                         WHEN 'region' THEN r.region IS NOT NULL
                         WHEN 'laterality' THEN e.value IN (p.laterality, 'B')
                         WHEN 'contrast' THEN (e.value = 'W') = (p.contrast <> 'WO')
                         ELSE CAST(e.value AS INTEGER) <= w.most END) AS fits
      FROM stg_header e
      JOIN stg_candidate c ON c.exam_key = e.exam_key
      JOIN procedure_reference p ON p.procedure = c.candidate
      LEFT JOIN modality_fits m ON e.attribute = 'modality' AND m.modality = p.modality AND m.header = e.value
      LEFT JOIN procedure_region r ON e.attribute = 'region' AND r.procedure = p.procedure AND r.region = e.value
      LEFT JOIN procedure_views w ON w.procedure = p.procedure
      WHERE e.attribute IN ('modality', 'region')
          OR (e.attribute = 'laterality' AND p.laterality IN ('L', 'R'))
          OR (e.attribute = 'contrast' AND p.contrast IN ('WO', 'W', 'WWO') AND p.modality IN ('CT', 'MR'))
          OR (e.attribute = 'views' AND w.most IS NOT NULL)
      GROUP BY e.exam_key, e.attribute) h
GROUP BY h.exam_key
