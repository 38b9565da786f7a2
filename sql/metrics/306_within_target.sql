-- id: within_target
-- title: Reports within target
-- question: What share of reports is final within its target?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: value
-- numerator: exams final at most target_min after their end
-- denominator: exams with a target whose outcome is known
-- clock_start: exam_ended
-- clock_stop: first_final
-- includes: exams that count and have a target; one that still waits and is past its target has missed it
-- excludes: exams without a target; exams that still wait within their target
-- nulls: intervals that run backwards have no value
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: the targets themselves are in dim_target with their sources; the share to reach is the site's to set
-- reference: targets of the site by priority, patient class and modality, the most specific one valid on the local day of the exam's end
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 39a19b90df8d | first definition
-- history: 2 | 2026-11-28 | a9fb5e89bdc3 | a target holds by the local day of the exam's end
SELECT e.exam_key, e.exam_ended_local AS period_local,
       CASE WHEN e.report_final_min >= 0 THEN CAST(e.is_within_target AS INTEGER)
            WHEN e.first_final_at IS NULL AND e.exam_ended_at + to_seconds(e.target_min * 60) < s.data_through THEN 0 END
           AS numerator,
       CASE WHEN e.report_final_min < 0 THEN 'negative|runs backwards' ELSE 'waiting|within its target' END AS why_null,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
CROSS JOIN meta_snapshot s
WHERE e.is_countable AND e.target_min IS NOT NULL
