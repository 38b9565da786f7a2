-- name: fct_link_count
-- grain: facility, modality, link of the chain from order to charge
-- key: facility, modality, link
-- purpose: Exams that count, and those with what each system should tell of them, as counts that a night adds to.
-- materialize: table
-- scope: tally
-- latest: last_at
-- again: fct_exam
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: link VARCHAR - | order, booking, visit, status, step, images, report, charge or reject_note
-- column: n_exams BIGINT exams | exams that count
-- column: n_linked BIGINT exams | of these, with it
-- column: last_at TIMESTAMP UTC | end of the newest exam with it
SELECT e.facility, e.modality, e.link, CAST(sum(e.sign) AS BIGINT) AS n_exams,
       CAST(sum(CASE WHEN e.is_linked THEN e.sign ELSE 0 END) AS BIGINT) AS n_linked,
       max(e.exam_ended_at) FILTER (WHERE e.is_linked AND e.sign > 0) AS last_at,
       max(e.exam_ended_at) FILTER (WHERE e.is_linked AND e.sign < 0) AS lost_last_at
FROM exam_link e
WHERE e.sign <> 0
GROUP BY e.facility, e.modality, e.link
