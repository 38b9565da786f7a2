-- name: fct_label
-- grain: exam that is no outside import
-- key: exam_key
-- purpose: How an exam's name was harmonized, and what its image headers say beside it; no word of the name itself.
-- materialize: table
-- scope: exam
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: label_key VARCHAR - | keyed local code, or text where there is no code, within its facility
-- column: method VARCHAR - | site, code, text (taken); proposed, ambiguous, conflict or none (left to a person)
-- column: score DOUBLE - | agreement of the name with the best procedure, 0 to 1
-- column: candidate VARCHAR - | procedure that the name says by itself, or that was decided
-- column: proposal VARCHAR - | procedure to confirm, where none was taken
-- column: others VARCHAR - | the next best procedures
-- column: says VARCHAR - | what the name says, in radops' words
-- column: n_unknown INTEGER words | words of the name that no table knows
-- column: header_region VARCHAR - | region of the images' Body Part Examined
-- column: header_laterality VARCHAR - | side that image headers tell, B where they tell both
-- column: header_contrast VARCHAR - | W where a contrast agent is named, WO where it is said to be none
-- column: header_views INTEGER views | different views of the images kept
-- column: is_told BOOLEAN - | headers say something that can be compared with the procedure
-- column: is_modality_told BOOLEAN - | modality
-- column: is_region_told BOOLEAN - | body part
-- column: is_laterality_told BOOLEAN - | side, of an exam of one side
-- column: is_contrast_told BOOLEAN - | contrast agent, of CT and MR
-- column: is_views_told BOOLEAN - | views, of an exam that is counted in views
-- column: is_against BOOLEAN - | some attribute speaks against the procedure
-- column: is_modality_against BOOLEAN - | no image has a modality of the procedure
-- column: is_region_against BOOLEAN - | no body part lies in, around or within a region of the procedure
-- column: is_laterality_against BOOLEAN - | all sides told are the other one
-- column: is_contrast_against BOOLEAN - | an agent in an exam without contrast, or none in one with
-- column: is_views_against BOOLEAN - | more views than the procedure has
SELECT f.exam_key, f.facility,
       keyed('label', concat_ws('^', f.facility, coalesce(f.procedure_code, ''),
                                CASE WHEN f.procedure_code IS NULL THEN coalesce(trim(f.procedure_text), '') ELSE '' END))
           AS label_key,
       CASE WHEN c.method = 'text' AND l.is_against THEN 'conflict' ELSE c.method END AS method, c.score, c.candidate,
       CASE WHEN c.procedure IS NULL THEN c.proposal WHEN c.method = 'text' AND l.is_against THEN c.candidate END
           AS proposal,
       c.others, c.says, c.n_unknown,
       coalesce(b.region, CASE WHEN f.body_part IN (SELECT r.region FROM procedure_region r) THEN f.body_part END)
           AS header_region,
       h.header_laterality, h.header_contrast, h.header_views,
       l.exam_key IS NOT NULL AS is_told, coalesce(l.is_modality_told, FALSE) AS is_modality_told,
       coalesce(l.is_region_told, FALSE) AS is_region_told, coalesce(l.is_laterality_told, FALSE) AS is_laterality_told,
       coalesce(l.is_contrast_told, FALSE) AS is_contrast_told, coalesce(l.is_views_told, FALSE) AS is_views_told,
       coalesce(l.is_against, FALSE) AS is_against, coalesce(l.is_modality_against, FALSE) AS is_modality_against,
       coalesce(l.is_region_against, FALSE) AS is_region_against,
       coalesce(l.is_laterality_against, FALSE) AS is_laterality_against,
       coalesce(l.is_contrast_against, FALSE) AS is_contrast_against,
       coalesce(l.is_views_against, FALSE) AS is_views_against
FROM stg_exam_fact f
JOIN stg_candidate c ON c.exam_key = f.exam_key
LEFT JOIN stg_label l ON l.exam_key = f.exam_key
LEFT JOIN body_part_region b ON b.body_part = upper(f.body_part)
LEFT JOIN (SELECT s.exam_key,
                  CASE WHEN count(*) FILTER (WHERE s.attribute = 'laterality') > 1 THEN 'B'
                       ELSE max(CASE WHEN s.attribute = 'laterality' THEN s.value END) END AS header_laterality,
                  max(CASE WHEN s.attribute = 'contrast' THEN s.value END) AS header_contrast,
                  CAST(max(CASE WHEN s.attribute = 'views' THEN s.value END) AS INTEGER) AS header_views
           FROM stg_header s
           GROUP BY s.exam_key) h ON h.exam_key = f.exam_key
WHERE NOT f.is_imported
