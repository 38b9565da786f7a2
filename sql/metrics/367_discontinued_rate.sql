-- id: discontinued_rate
-- title: Discontinued exams
-- question: How many exams are begun and given up, and why?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: all
-- choices: all=is_discontinued, equipment=is_equipment, patient=is_patient, order=is_order, other=is_other
-- numerator: performed steps given up, for all reasons of CID 9300 or for one kind of them
-- denominator: exams that began
-- clock_start: exam_started
-- clock_stop: discontinued
-- includes: exams with a start, finished or given up
-- excludes: outside studies
-- nulls: a reason that is not told, or is of no other kind, is other
-- min_n: 30
-- table: fct_exam
-- anchor: exam_started_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: DICOM performed procedure step discontinued, reasons of PS3.16 CID 9300
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 21765484df57 | first definition
SELECT e.exam_key, e.exam_started_local AS period_local, CAST(e.is_discontinued AS INTEGER) AS is_discontinued,
       CAST(e.is_discontinued AND coalesce(e.discontinued_reason IN ('110501', '110516'), FALSE) AS INTEGER) AS is_equipment,
       CAST(e.is_discontinued AND coalesce(e.discontinued_reason IN (
           '110503', '110504', '110505', '110506', '110507', '110508', '110515'), FALSE) AS INTEGER) AS is_patient,
       CAST(e.is_discontinued AND coalesce(e.discontinued_reason IN (
           '110500', '110502', '110509', '110510', '110511', '110512'), FALSE) AS INTEGER) AS is_order,
       CAST(e.is_discontinued AND coalesce(e.discontinued_reason NOT IN (
           '110501', '110516', '110503', '110504', '110505', '110506', '110507', '110508', '110515',
           '110500', '110502', '110509', '110510', '110511', '110512'), TRUE) AS INTEGER) AS is_other,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.exam_started_at IS NOT NULL AND NOT e.is_imported
