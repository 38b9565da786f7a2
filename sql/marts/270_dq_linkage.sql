-- name: dq_linkage
-- grain: facility, modality, day
-- key: facility, modality, day
-- purpose: How well orders, studies and reports found each other.
-- materialize: table
-- scope: day day
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
       count(*) AS n_exams, count(*) FILTER (WHERE e.has_order) AS n_orders,
       count(*) FILTER (WHERE e.has_study AND NOT e.is_imported) AS n_studies,
       count(*) FILTER (WHERE e.has_report) AS n_reports,
       count(*) FILTER (WHERE e.has_order AND e.exam_ended_at IS NOT NULL) AS n_orders_performed,
       count(*) FILTER (WHERE e.has_order AND e.exam_ended_at IS NOT NULL AND e.has_study) AS n_orders_with_study,
       count(*) FILTER (WHERE e.has_study AND NOT e.is_imported AND e.has_order) AS n_studies_with_order,
       count(*) FILTER (WHERE e.has_report AND e.has_study AND e.has_order) AS n_reports_with_both
FROM fct_exam e
JOIN touched_day t ON t.facility = e.facility AND t.day IS NOT DISTINCT FROM
    CAST(coalesce(e.exam_ended_local, e.exam_started_local, e.ordered_local, e.first_final_local) AS DATE)
GROUP BY ALL
