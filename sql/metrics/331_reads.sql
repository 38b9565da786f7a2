-- id: reads
-- title: Reads
-- question: How many exams does each reader report?
-- unit: reads
-- better: neither
-- kind: sum
-- statistic: final
-- choices: final=n_final, preliminary=n_preliminary
-- numerator: reads
-- denominator: reads; the value is not divided by them
-- clock_start: none
-- clock_stop: first_final
-- includes: first final reports of their interpreter; preliminary ones of their assistant apart
-- excludes: addenda and corrections
-- nulls: reports without a reader or time are left out
-- min_n: 1
-- table: fct_read
-- anchor: read_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: finalized exams per interpreter
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f9cc1dfbc5dc | first definition
SELECT r.read_local AS period_local, CASE WHEN r.role = 'final' THEN 1 END AS n_final,
       CASE WHEN r.role = 'preliminary' THEN 1 END AS n_preliminary,
       'other|' || r.role || ' report' AS why_null,
       r.facility, r.modality, r.device, r.priority, r.patient_class, r.service_line, r.procedure, r.radiologist
FROM fct_read r
