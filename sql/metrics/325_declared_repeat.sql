-- id: declared_repeat
-- title: Declared repeats
-- question: How many exams are declared to repeat one that was done before?
-- unit: share
-- better: neither
-- kind: ratio
-- statistic: necessary
-- choices: necessary=is_necessary, unfound=is_unfound, duplicate_order=is_duplicate_order
-- numerator: exams whose order says why they must be done again; of these, without an earlier exam here within 90 days; steps given up as ordered twice
-- denominator: exams that began
-- clock_start: none
-- clock_stop: none
-- includes: exams with a start, finished or given up
-- excludes: outside studies
-- nulls: senders that cannot say it (before HL7 2.5, FHIR) count as not declaring; unfound is not known without a region
-- min_n: 30
-- table: fct_exam
-- anchor: exam_started_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- window: fct_repeat exam_started_local 0 0
-- reference: HL7 OBR-48 medically necessary duplicate; DICOM PS3.16 CID 9300 reason 110510 duplicate order; repeats that are found are in repeat_exam_rate
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 41c03044dac0 | first definition
SELECT e.exam_key, e.exam_started_local AS period_local, CAST(e.is_declared_repeat AS INTEGER) AS is_necessary,
       CASE WHEN NOT e.is_declared_repeat THEN 0
            WHEN e.region IS NOT NULL THEN CAST(r.exam_key IS NULL AS INTEGER) END AS is_unfound,
       CAST(coalesce(e.discontinued_reason = '110510', FALSE) AS INTEGER) AS is_duplicate_order,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
LEFT JOIN fct_repeat r ON r.exam_key = CASE WHEN e.is_declared_repeat THEN e.exam_key END
WHERE e.exam_started_at IS NOT NULL AND NOT e.is_imported
