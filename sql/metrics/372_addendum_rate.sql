-- id: addendum_rate
-- title: Reports amended
-- question: How many reports are added to or corrected after they were final?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: addendum
-- choices: addendum=has_addendum, corrected=has_correction, any=has_any
-- numerator: final reports with an addendum, with a corrected version, or with either
-- denominator: first final reports
-- clock_start: none
-- clock_stop: first_final
-- includes: first final reports, dated by them and credited to their interpreter, whoever amended
-- excludes: a report signed again as final, unchanged
-- nulls: reports without a reader or time are left out; the newest reports have had less time to be amended
-- min_n: 50
-- table: fct_read
-- anchor: read_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: report versions of status addendum and corrected: OBR-25/OBX-11, TXA-2, FHIR DiagnosticReport.status
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 9f0afec736bc | first definition
SELECT r.read_local AS period_local, CAST(e.n_addenda > 0 AS INTEGER) AS has_addendum,
       CAST(e.n_corrections > 0 AS INTEGER) AS has_correction,
       CAST(e.n_addenda > 0 OR e.n_corrections > 0 AS INTEGER) AS has_any,
       r.facility, r.modality, r.device, r.priority, r.patient_class, r.service_line, r.procedure, r.radiologist
FROM fct_read r
JOIN fct_exam e ON e.exam_key = r.exam_key
WHERE r.role = 'final'
