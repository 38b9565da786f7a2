-- id: negative_intervals
-- title: Intervals that run backwards
-- question: How many intervals end before they begin?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: intervals below zero
-- denominator: intervals with both ends known
-- clock_start: none
-- clock_stop: none
-- includes: exams that count, once for each of the seven intervals whose ends are known
-- excludes: none
-- nulls: an interval that lacks an end is not judged
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: interval_name, facility, modality, device, weekday
-- filters: since, until, facility, modality, device
-- target: none of them
-- goal: 0
-- reference: duration columns of fct_exam; such intervals are left out of every statistic; see clock_offset, dq_negative
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 60074a8dd1a4 | first definition
SELECT v.exam_ended_local AS period_local, CAST(v.value_min < 0 AS INTEGER) AS numerator,
       v.facility, v.modality, v.device, v.interval_name
FROM (SELECT e.exam_ended_local, e.facility, e.modality, e.device, i.interval_name,
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
      WHERE e.is_countable) v
WHERE v.value_min IS NOT NULL
