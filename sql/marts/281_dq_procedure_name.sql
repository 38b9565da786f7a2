-- name: dq_procedure_name
-- grain: local procedure name, modality seen with it, harmonized procedure
-- key: label_key, modality, procedure
-- purpose: The names of exams with what they say, what is proposed and what image headers say beside them.
-- materialize: table
-- column: label_key VARCHAR - | keyed name, as in fct_label
-- column: facility VARCHAR - | facility
-- column: code VARCHAR - | local code, NULL where the sender has none
-- column: text VARCHAR - | local text where at least five patients share it, since a rarer one may be written for one
-- column: modality VARCHAR - | modality of the exams
-- column: procedure VARCHAR - | harmonized procedure, NULL where the name waits for a person
-- column: n_exams BIGINT exams | exams
-- column: method VARCHAR - | how the procedure was found, or why none was taken
-- column: score DOUBLE - | agreement with the best procedure, 0 to 1
-- column: proposal VARCHAR - | procedure to confirm
-- column: others VARCHAR - | the next best
-- column: says VARCHAR - | what the name says, in radops' words
-- column: n_unknown INTEGER words | words that no table knows
-- column: header_region VARCHAR - | the one region that the images' body parts name
-- column: header_laterality VARCHAR - | the one side that they tell
-- column: header_contrast VARCHAR - | W or WO where all that tell it agree
-- column: header_views INTEGER views | most different views of an exam
-- column: n_against BIGINT exams | exams whose headers speak against the procedure that the name says
-- column: n_modality_against BIGINT exams | by modality
-- column: n_region_against BIGINT exams | by body part
-- column: n_laterality_against BIGINT exams | by side
-- column: n_contrast_against BIGINT exams | by contrast agent
-- column: n_views_against BIGINT exams | by number of views
SELECT n.label_key, n.facility, n.code, max(t.text) AS text, n.modality, n.procedure,
       CAST(sum(n.n_exams) AS BIGINT) AS n_exams,
       max(CASE WHEN n.choice = 1 THEN n.method END) AS method, max(CASE WHEN n.choice = 1 THEN n.score END) AS score,
       max(CASE WHEN n.choice = 1 THEN n.proposal END) AS proposal,
       max(CASE WHEN n.choice = 1 THEN n.others END) AS others, max(CASE WHEN n.choice = 1 THEN n.says END) AS says,
       max(CASE WHEN n.choice = 1 THEN n.n_unknown END) AS n_unknown,
       CASE WHEN min(n.header_region) = max(n.header_region) THEN max(n.header_region) END AS header_region,
       CASE WHEN min(n.header_laterality) = max(n.header_laterality) THEN max(n.header_laterality) END
           AS header_laterality,
       CASE WHEN min(n.header_contrast) = max(n.header_contrast) THEN max(n.header_contrast) END AS header_contrast,
       max(n.header_views) AS header_views,
       CAST(sum(CASE WHEN n.is_against THEN n.n_exams ELSE 0 END) AS BIGINT) AS n_against,
       CAST(sum(CASE WHEN n.is_modality_against THEN n.n_exams ELSE 0 END) AS BIGINT) AS n_modality_against,
       CAST(sum(CASE WHEN n.is_region_against THEN n.n_exams ELSE 0 END) AS BIGINT) AS n_region_against,
       CAST(sum(CASE WHEN n.is_laterality_against THEN n.n_exams ELSE 0 END) AS BIGINT) AS n_laterality_against,
       CAST(sum(CASE WHEN n.is_contrast_against THEN n.n_exams ELSE 0 END) AS BIGINT) AS n_contrast_against,
       CAST(sum(CASE WHEN n.is_views_against THEN n.n_exams ELSE 0 END) AS BIGINT) AS n_views_against
FROM (SELECT c.*, row_number() OVER (PARTITION BY c.label_key, c.modality, c.procedure
                                     ORDER BY c.score DESC NULLS LAST, c.proposal NULLS LAST, c.method,
                                              c.others NULLS LAST, c.says NULLS LAST, c.n_unknown NULLS LAST) AS choice
      FROM fct_label_count c) n
LEFT JOIN (SELECT s.label_key, s.text,
                  row_number() OVER (PARTITION BY s.label_key ORDER BY s.n_patients DESC, s.text) AS choice
           FROM shared_text s) t ON t.label_key = n.label_key AND t.choice = 1
GROUP BY n.label_key, n.facility, n.code, n.modality, n.procedure
