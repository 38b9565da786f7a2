-- id: wrvu
-- title: Work RVU
-- question: How much work does each reader report?
-- unit: wRVU
-- better: neither
-- kind: sum
-- statistic: value
-- numerator: wRVU
-- denominator: reads with a charge; the value is not divided by them
-- clock_start: none
-- clock_stop: first_final
-- includes: first final reports, weighed by the charges and the site's fee schedule
-- excludes: preliminary reports
-- nulls: reads without a charge have no value and are not in n
-- min_n: 1
-- table: fct_read
-- anchor: read_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: the site's own fee schedule, as valid on the day of the charge
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 7af04d511b87 | first definition
SELECT r.read_local AS period_local, r.wrvu AS numerator, 'missing|charge' AS why_null,
       r.facility, r.modality, r.device, r.priority, r.patient_class, r.service_line, r.procedure, r.radiologist
FROM fct_read r
WHERE r.role = 'final'
