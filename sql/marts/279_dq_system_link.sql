-- name: dq_system_link
-- grain: facility, modality, link of the chain from order to charge
-- key: facility, modality, link
-- purpose: Missing links: how many of the exams that count have what each system should tell of them.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: link VARCHAR - | order, booking, visit, status, step, images, report, charge or reject_note
-- column: n_exams BIGINT exams | exams that count
-- column: n_linked BIGINT exams | of these, with it
-- column: n_linked_7d BIGINT exams | of these, ended in the last 7 days before the data cut-off
-- column: n_exams_7d BIGINT exams | exams that count, ended in the last 7 days
-- column: last_at TIMESTAMP UTC | end of the newest exam with it
SELECT k.facility, k.modality, k.link, k.n_exams, k.n_linked, coalesce(r.n_linked, 0) AS n_linked_7d,
       coalesce(r.n_exams, 0) AS n_exams_7d, k.last_at
FROM fct_link_count k
LEFT JOIN (SELECT e.facility, e.modality, e.link, count(*) AS n_exams, count(*) FILTER (WHERE e.is_linked) AS n_linked
           FROM exam_link e
           WHERE e.sign = 0
           GROUP BY e.facility, e.modality, e.link) r
    ON r.facility = k.facility AND r.modality IS NOT DISTINCT FROM k.modality AND r.link = k.link
