-- id: order_to_final
-- title: Order to final report
-- question: How long from the order until the referrer has the final report?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: ordered
-- clock_stop: first_final
-- includes: exams that count, booked ones too; addenda and corrections do not restart the clock
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: 28 days of NHS England (2023); the site's targets are in dim_target
-- reference: end to end, as the referrer sees it
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | ea3b0a1d7622 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.order_to_final_min AS value,
       e.ordered_at AS start_at, e.first_final_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
