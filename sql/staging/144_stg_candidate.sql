-- name: stg_candidate
-- grain: exam
-- key: exam_key
-- purpose: What the site decided for an exam's name, else what the name itself says, before headers are asked.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: candidate VARCHAR - | decided procedure, else that of a code, else that of the text; NULL where there is none
-- column: procedure VARCHAR - | the same where nothing that the name is matched with keeps it from being taken
-- column: method VARCHAR - | site, code, text, proposed, ambiguous, conflict or none
SELECT f.exam_key, f.facility, f.procedure_code, f.procedure_text,
       coalesce(d.procedure, n.candidate) AS candidate, coalesce(d.procedure, n.procedure) AS procedure,
       CASE WHEN d.procedure IS NOT NULL THEN 'site' ELSE n.method END AS method,
       n.score, n.proposal, n.others, n.says, n.n_unknown
FROM stg_exam_fact f
LEFT JOIN procedure_name n ON n.name_key = name_key(f.facility, f.procedure_code, f.procedure_text, f.procedure_system,
                                                    f.alternate_code, f.alternate_text, f.alternate_system, f.modality,
                                                    f.body_part)
LEFT JOIN stg_decision d ON d.exam_key = f.exam_key
