-- id: prelim_final_discrepancy
-- title: Preliminary reports that differ
-- question: How often does the final report differ from the preliminary one, as its reader coded it?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: any
-- choices: any=is_any, major=is_major
-- numerator: preliminary reports with a minor or major discrepancy; or a major one
-- denominator: preliminary reports with a coded grade, of a reader other than that of the final report
-- clock_start: first_prelim
-- clock_stop: first_final
-- includes: exams with both, dated by the preliminary report and credited to its reader; the last word on the grade counts
-- excludes: facilities that code nothing: not reported, which is not zero
-- nulls: reports that nobody graded, or whose grade was taken back, have no value and are not in n
-- min_n: 50
-- table: fct_discrepancy
-- anchor: read_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary; rates depend on who is asked to grade what, so compare a department with itself
-- reference: the discrepancy field and grades that the site names for a sender, as of the ACR RADPEER scoring system
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-28 | bde2ca42a050 | first definition
SELECT d.read_local AS period_local, CAST(d.grade IN ('minor', 'major') AS INTEGER) AS is_any,
       CAST(d.grade = 'major' AS INTEGER) AS is_major, 'missing|not graded' AS why_null,
       d.facility, d.modality, d.device, d.priority, d.patient_class, d.service_line, d.procedure, d.radiologist
FROM fct_discrepancy d
WHERE d.facility IN (SELECT DISTINCT c.facility FROM fct_discrepancy c WHERE c.grade IS NOT NULL)
