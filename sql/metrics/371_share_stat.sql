-- id: share_stat
-- title: Stat reads
-- question: What share of the reading is stat?
-- unit: share
-- better: neither
-- kind: ratio
-- statistic: value
-- numerator: reads of stat exams
-- denominator: reads
-- clock_start: none
-- clock_stop: first_final
-- includes: first final reports
-- excludes: preliminary reports
-- nulls: an exam without a priority is routine
-- min_n: 10
-- table: fct_read
-- anchor: read_local
-- groups: facility, modality, device, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: priority stat of the order: HL7 v2 table 0485 codes S and T, FHIR priority stat
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f91d409a53dd | first definition
SELECT r.read_local AS period_local, CAST(r.priority = 'stat' AS INTEGER) AS numerator,
       r.facility, r.modality, r.device, r.priority, r.patient_class, r.service_line, r.procedure, r.radiologist
FROM fct_read r
WHERE r.role = 'final'
