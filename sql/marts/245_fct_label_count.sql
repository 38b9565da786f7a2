-- name: fct_label_count
-- grain: local procedure name with all that is said of it, modality and harmonized procedure of the exam
-- key: label_key, facility, code, modality, procedure, method, score, proposal, others, says, n_unknown, header_region, header_laterality, header_contrast, header_views, is_against, is_modality_against, is_region_against, is_laterality_against, is_contrast_against, is_views_against
-- purpose: Exams by what their names and image headers say, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- column: label_key VARCHAR - | keyed name, as in fct_label
-- column: facility VARCHAR - | facility
-- column: code VARCHAR - | local code, NULL where the sender has none
-- column: modality VARCHAR - | modality of the exams
-- column: procedure VARCHAR - | harmonized procedure, NULL where the name waits for a person
-- column: method VARCHAR - | how the procedure was found, or why none was taken
-- column: score DOUBLE - | agreement with the best procedure, 0 to 1
-- column: proposal VARCHAR - | procedure to confirm
-- column: others VARCHAR - | the next best
-- column: says VARCHAR - | what the name says, in radops' words
-- column: n_unknown INTEGER words | words that no table knows
-- column: header_region VARCHAR - | region of the images' Body Part Examined
-- column: header_laterality VARCHAR - | side that image headers tell, B where they tell both
-- column: header_contrast VARCHAR - | W where a contrast agent is named, WO where it is said to be none
-- column: header_views INTEGER views | different views of the images kept
-- column: is_against BOOLEAN - | some attribute speaks against the procedure
-- column: is_modality_against BOOLEAN - | no image has a modality of the procedure
-- column: is_region_against BOOLEAN - | no body part lies in, around or within a region of the procedure
-- column: is_laterality_against BOOLEAN - | all sides told are the other one
-- column: is_contrast_against BOOLEAN - | an agent in an exam without contrast, or none in one with
-- column: is_views_against BOOLEAN - | more views than the procedure has
-- column: n_exams BIGINT exams | exams
SELECT l.label_key, l.facility, e.procedure_local AS code, e.modality, e.procedure, l.method, l.score, l.proposal,
       l.others, l.says, l.n_unknown, l.header_region, l.header_laterality, l.header_contrast, l.header_views,
       l.is_against, l.is_modality_against, l.is_region_against, l.is_laterality_against, l.is_contrast_against,
       l.is_views_against, CAST(sum(l.sign) AS BIGINT) AS n_exams
FROM fct_label_change l
JOIN fct_exam_change e ON e.exam_key = l.exam_key AND e.sign = l.sign
GROUP BY ALL
