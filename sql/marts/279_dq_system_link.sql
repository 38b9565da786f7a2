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
SELECT q.facility, q.modality, q.link, count(*) AS n_exams, count(*) FILTER (WHERE q.is_linked) AS n_linked,
       count(*) FILTER (WHERE q.is_linked AND q.is_recent) AS n_linked_7d, count(*) FILTER (WHERE q.is_recent) AS n_exams_7d,
       max(q.exam_ended_at) FILTER (WHERE q.is_linked) AS last_at
FROM (SELECT e.facility, e.modality, e.exam_ended_at, l.link, e.exam_ended_at > c.data_through - INTERVAL 7 DAY AS is_recent,
             CASE l.link WHEN 'order' THEN e.has_order WHEN 'booking' THEN e.has_booking
                         WHEN 'visit' THEN e.door_at IS NOT NULL WHEN 'status' THEN e.has_status
                         WHEN 'step' THEN e.has_step WHEN 'images' THEN e.has_study
                         WHEN 'report' THEN e.has_report WHEN 'charge' THEN e.wrvu IS NOT NULL
                         ELSE e.n_rejected > 0 END AS is_linked
      FROM fct_exam e
      CROSS JOIN clock c
      CROSS JOIN (SELECT 'order' AS link UNION ALL SELECT 'booking' UNION ALL SELECT 'visit' UNION ALL SELECT 'status'
                  UNION ALL SELECT 'step' UNION ALL SELECT 'images' UNION ALL SELECT 'report' UNION ALL SELECT 'charge'
                  UNION ALL SELECT 'reject_note') l
      WHERE e.is_countable) q
GROUP BY q.facility, q.modality, q.link
