-- name: dq_linkage
-- grain: facility, modality, day
-- key: facility, modality, day
-- purpose: How well orders, studies and reports found each other.
-- materialize: table
-- scope: tally
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: day DATE local | day of exam end, else start, else order
-- column: n_exams BIGINT exams | all
-- column: n_orders BIGINT exams | with an order
-- column: n_studies BIGINT exams | with images, outside imports left out
-- column: n_reports BIGINT exams | with a report
-- column: n_orders_performed BIGINT exams | with an order, performed
-- column: n_orders_with_study BIGINT exams | of these with images
-- column: n_studies_with_order BIGINT exams | images and an order
-- column: n_reports_with_both BIGINT exams | report, images and order
SELECT e.facility, e.modality,
       CAST(coalesce(e.exam_ended_local, e.exam_started_local, e.ordered_local, e.first_final_local) AS DATE) AS day,
       CAST(sum(e.sign) AS BIGINT) AS n_exams,
       CAST(sum(CASE WHEN e.has_order THEN e.sign ELSE 0 END) AS BIGINT) AS n_orders,
       CAST(sum(CASE WHEN e.has_study AND NOT e.is_imported THEN e.sign ELSE 0 END) AS BIGINT) AS n_studies,
       CAST(sum(CASE WHEN e.has_report THEN e.sign ELSE 0 END) AS BIGINT) AS n_reports,
       CAST(sum(CASE WHEN e.has_order AND e.exam_ended_at IS NOT NULL THEN e.sign ELSE 0 END) AS BIGINT)
           AS n_orders_performed,
       CAST(sum(CASE WHEN e.has_order AND e.exam_ended_at IS NOT NULL AND e.has_study THEN e.sign ELSE 0 END) AS BIGINT)
           AS n_orders_with_study,
       CAST(sum(CASE WHEN e.has_study AND NOT e.is_imported AND e.has_order THEN e.sign ELSE 0 END) AS BIGINT)
           AS n_studies_with_order,
       CAST(sum(CASE WHEN e.has_report AND e.has_study AND e.has_order THEN e.sign ELSE 0 END) AS BIGINT)
           AS n_reports_with_both
FROM fct_exam_change e
GROUP BY ALL
