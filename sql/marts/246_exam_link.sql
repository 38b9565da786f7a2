-- name: exam_link
-- grain: exam that counts, link of the chain from order to charge
-- key: exam_key, link, sign
-- purpose: What each system told of the exams that have changed, and of those of the last week (sign 0).
-- materialize: view
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: link VARCHAR - | order, booking, visit, status, step, images, report, charge or reject_note
-- column: exam_ended_at TIMESTAMP UTC | end of the exam
-- column: is_linked BOOLEAN - | the system told it
-- column: sign INTEGER - | 1 as it is, -1 as it was, 0 of an exam that ended in the last 7 days
SELECT e.exam_key, e.facility, e.modality, l.link, e.exam_ended_at, e.sign,
       coalesce(CASE l.link WHEN 'order' THEN e.has_order WHEN 'booking' THEN e.has_booking
                            WHEN 'visit' THEN e.door_at IS NOT NULL WHEN 'status' THEN e.has_status
                            WHEN 'step' THEN e.has_step WHEN 'images' THEN e.has_study
                            WHEN 'report' THEN e.has_report WHEN 'charge' THEN e.wrvu IS NOT NULL
                            ELSE e.n_rejected > 0 END, FALSE) AS is_linked
FROM (SELECT c.exam_key, c.facility, c.modality, c.exam_ended_at, c.is_countable, c.has_order, c.has_booking, c.door_at,
             c.has_status, c.has_step, c.has_study, c.has_report, c.wrvu, c.n_rejected, c.sign
      FROM fct_exam_change c
      UNION ALL
      SELECT x.exam_key, x.facility, x.modality, x.exam_ended_at, x.is_countable, x.has_order, x.has_booking, x.door_at,
             x.has_status, x.has_step, x.has_study, x.has_report, x.wrvu, x.n_rejected, 0
      FROM fct_exam x
      CROSS JOIN clock k
      WHERE x.exam_ended_at > k.data_through - INTERVAL 7 DAY) e
CROSS JOIN chain_link l
WHERE e.is_countable
