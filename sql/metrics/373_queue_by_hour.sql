-- id: queue_by_hour
-- title: Demand against capacity
-- question: At which hours does more work come in than is read?
-- unit: wRVU
-- better: neither
-- kind: sum
-- statistic: growth
-- choices: growth=wrvu_growth, demand=wrvu_ended, capacity=wrvu_final
-- numerator: wRVU of exams that end less wRVU of exams that become final, or either alone
-- denominator: ends and final reports counted; the value is not divided by them
-- clock_start: exam_ended
-- clock_stop: first_final
-- includes: exams that count; each adds its wRVU when it ends and takes it away when it is final
-- excludes: none
-- nulls: an exam without a charge yet weighs as the median of its procedure; without any it is not counted
-- min_n: 10
-- table: fct_exam
-- anchor: exam end for demand, first final report for capacity
-- groups: facility, modality, priority, patient_class, service_line, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line
-- target: none customary
-- reference: arrivals less departures of the reading queue; it starts to grow at the first hour above 0
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | e0231d9fb785 | first definition
SELECT e.exam_key, CASE WHEN m.is_end THEN e.exam_ended_local ELSE e.first_final_local END AS period_local,
       CASE WHEN m.is_end THEN 1 ELSE -1 END * coalesce(e.wrvu, p.wrvu_usual) AS wrvu_growth,
       CASE WHEN m.is_end THEN coalesce(e.wrvu, p.wrvu_usual) END AS wrvu_ended,
       CASE WHEN NOT m.is_end THEN coalesce(e.wrvu, p.wrvu_usual) END AS wrvu_final,
       CASE WHEN coalesce(e.wrvu, p.wrvu_usual) IS NULL THEN 'missing|charge' ELSE 'other|the other side of the queue' END
           AS why_null,
       e.facility, e.modality, e.priority, e.patient_class, e.service_line
FROM fct_exam e
CROSS JOIN (SELECT TRUE AS is_end UNION ALL SELECT FALSE) m
LEFT JOIN dim_procedure p ON p.procedure = e.procedure
WHERE e.is_countable AND (m.is_end OR e.first_final_at IS NOT NULL)
