-- id: local_minutes
-- title: Work in learned minutes
-- question: How many minutes of reading does each reader's work usually take?
-- unit: min
-- better: neither
-- kind: sum
-- statistic: value
-- numerator: minutes that exams of the procedure usually take to read
-- denominator: reads with a weight; the value is not divided by them
-- clock_start: none
-- clock_stop: first_final
-- includes: first final reports, weighed by dim_procedure_weight: the median time of the site's own reads
-- excludes: preliminary reports
-- nulls: reads without a weight have no value and are not in n
-- min_n: 1
-- table: fct_read
-- anchor: read_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: begin of reading to report, else report to report, cut as by Cowan 2013 (radiographs 10, US 30, else 60 min)
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f9f491e799b1 | first definition
-- history: 2 | 2026-11-28 | f9f491e799b1 | a begin of reading that is told after the report is none
SELECT r.read_local AS period_local, w.minutes AS numerator,
       r.facility, r.modality, r.device, r.priority, r.patient_class, r.service_line, r.procedure, r.radiologist
FROM fct_read r
LEFT JOIN dim_procedure_weight w ON w.modality IS NOT DISTINCT FROM r.modality
    AND w.procedure IS NOT DISTINCT FROM r.procedure
WHERE r.role = 'final'
