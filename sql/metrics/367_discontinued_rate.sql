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
-- history: 1 | 2026-11-25 | 3dd4ea5b57d3 | first definition
SELECT k.exam_started_local AS period_local, CAST(k.is_discontinued AS INTEGER) AS is_discontinued,
       CAST(k.kind = 'equipment' AS INTEGER) AS is_equipment, CAST(k.kind = 'patient' AS INTEGER) AS is_patient,
       CAST(k.kind = 'order' AS INTEGER) AS is_order, CAST(k.kind = 'other' AS INTEGER) AS is_other,
       k.facility, k.modality, k.device, k.priority, k.patient_class, k.service_line, k.procedure, k.radiologist
FROM (SELECT e.exam_started_local, e.is_discontinued, e.facility, e.modality, e.device, e.priority, e.patient_class,
             e.service_line, e.procedure, e.radiologist,
             CASE WHEN NOT e.is_discontinued THEN 'none'
                  WHEN e.discontinued_reason IN ('110501', '110516') THEN 'equipment'
                  WHEN e.discontinued_reason IN ('110503', '110504', '110505', '110506', '110507', '110508', '110515')
                      THEN 'patient'
                  WHEN e.discontinued_reason IN ('110500', '110502', '110509', '110510', '110511', '110512')
                      THEN 'order'
                  ELSE 'other' END AS kind
      FROM fct_exam e
      WHERE e.exam_started_at IS NOT NULL AND NOT e.is_imported) k
