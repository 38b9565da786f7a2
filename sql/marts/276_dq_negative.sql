-- name: dq_negative
-- grain: facility, modality, device, interval, day
-- key: facility, modality, device, interval_name, day
-- purpose: Intervals that run backwards: left out of statistics, counted here beside their device.
-- materialize: table
-- scope: tally
-- least: worst_min
-- again: fct_exam exam_ended_local day
-- column: facility VARCHAR - | facility
-- column: modality VARCHAR - | modality
-- column: device VARCHAR - | device
-- column: interval_name VARCHAR - | duration column of fct_exam
-- column: day DATE local | day of exam end
-- column: n_known BIGINT exams | exams that count and have both ends
-- column: n_negative BIGINT exams | of these, with the end before the begin
-- column: worst_min DOUBLE min | most negative, NULL where none is
SELECT v.facility, v.modality, v.device, v.interval_name, CAST(v.exam_ended_local AS DATE) AS day,
       CAST(sum(v.sign) AS BIGINT) AS n_known,
       CAST(sum(CASE WHEN v.value_min < 0 THEN v.sign ELSE 0 END) AS BIGINT) AS n_negative,
       min(v.value_min) FILTER (WHERE v.value_min < 0 AND v.sign > 0) AS worst_min,
       min(v.value_min) FILTER (WHERE v.value_min < 0 AND v.sign < 0) AS lost_worst_min
FROM (SELECT e.exam_ended_local, e.sign, e.facility, e.modality, e.device, i.interval_name,
             CASE i.interval_name WHEN 'order_to_exam_min' THEN e.order_to_exam_min WHEN 'wait_min' THEN e.wait_min
                                  WHEN 'exam_duration_min' THEN e.exam_duration_min
                                  WHEN 'report_prelim_min' THEN e.report_prelim_min
                                  WHEN 'report_final_min' THEN e.report_final_min
                                  WHEN 'read_final_min' THEN e.read_final_min
                                  WHEN 'prelim_to_final_min' THEN e.prelim_to_final_min END AS value_min
      FROM fct_exam_change e
      CROSS JOIN (SELECT 'order_to_exam_min' AS interval_name UNION ALL SELECT 'wait_min'
                  UNION ALL SELECT 'exam_duration_min' UNION ALL SELECT 'report_prelim_min'
                  UNION ALL SELECT 'report_final_min' UNION ALL SELECT 'read_final_min'
                  UNION ALL SELECT 'prelim_to_final_min') i
      WHERE e.is_countable AND e.exam_ended_local IS NOT NULL) v
WHERE v.value_min IS NOT NULL
GROUP BY ALL
