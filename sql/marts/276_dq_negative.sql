-- name: dq_negative
-- grain: facility, modality, device, interval, month
-- key: facility, modality, device, interval_name, month
-- purpose: Intervals that run backwards: left out of statistics, counted here beside their device.
-- materialize: table
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: device VARCHAR - | device
-- column: interval_name VARCHAR - | duration column of fct_exam
-- column: month DATE local | month of exam end
-- column: n_negative BIGINT exams | exams
-- column: worst_min DOUBLE min | most negative
SELECT n.facility, n.modality, n.device, n.interval_name,
       CAST(date_trunc('month', n.exam_ended_local) AS DATE) AS month,
       count(*) AS n_negative, min(n.value_min) AS worst_min
FROM (SELECT e.facility, e.modality, e.device, e.exam_ended_local, i.interval_name,
             CASE i.interval_name WHEN 'order_to_exam_min' THEN e.order_to_exam_min WHEN 'wait_min' THEN e.wait_min
                                  WHEN 'exam_duration_min' THEN e.exam_duration_min
                                  WHEN 'report_prelim_min' THEN e.report_prelim_min
                                  WHEN 'report_final_min' THEN e.report_final_min
                                  WHEN 'read_final_min' THEN e.read_final_min
                                  WHEN 'prelim_to_final_min' THEN e.prelim_to_final_min END AS value_min
      FROM fct_exam e
      CROSS JOIN (SELECT 'order_to_exam_min' AS interval_name UNION ALL SELECT 'wait_min'
                  UNION ALL SELECT 'exam_duration_min' UNION ALL SELECT 'report_prelim_min'
                  UNION ALL SELECT 'report_final_min' UNION ALL SELECT 'read_final_min'
                  UNION ALL SELECT 'prelim_to_final_min') i
      WHERE e.is_countable AND least(e.order_to_exam_min, e.wait_min, e.exam_duration_min, e.report_prelim_min,
                                     e.report_final_min, e.read_final_min, e.prelim_to_final_min) < 0) n
WHERE n.value_min < 0
GROUP BY ALL
