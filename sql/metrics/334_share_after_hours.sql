-- id: share_after_hours
-- title: Reads after hours
-- question: What share of the reading is done after hours?
-- unit: share
-- better: neither
-- kind: ratio
-- statistic: value
-- numerator: reads after hours
-- denominator: reads
-- clock_start: none
-- clock_stop: first_final
-- includes: first final reports
-- excludes: preliminary reports
-- nulls: none
-- min_n: 10
-- table: fct_read
-- anchor: read_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: after hours: no regular shift of the site works at the minute of the report
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 19dac8556db7 | first definition
SELECT r.read_local AS period_local, CAST(r.is_after_hours AS INTEGER) AS numerator,
       r.facility, r.modality, r.device, r.priority, r.patient_class, r.service_line, r.procedure, r.radiologist
FROM fct_read r
WHERE r.role = 'final'
