-- id: label_contradictions
-- title: Headers against names
-- question: How many exams carry image headers that contradict the procedure's name?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: any
-- choices: any=is_against/is_told, modality=is_modality_against/is_modality_told, body_part=is_region_against/is_region_told, laterality=is_laterality_against/is_laterality_told, contrast=is_contrast_against/is_contrast_told, views=is_views_against/is_views_told
-- numerator: exams whose headers speak against the procedure that the name says or the site decided
-- denominator: exams whose headers tell something that can be compared, for one kind: that tell this
-- clock_start: none
-- clock_stop: none
-- includes: exams that count with image headers of their own and a name that says a procedure
-- excludes: outside imports; names that say no procedure: unmapped_codes
-- nulls: what is absent contradicts nothing: no body part, no side, no contrast agent, fewer views than named
-- min_n: 30
-- table: fct_label
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, procedure
-- target: none of them
-- goal: 0
-- reference: Modality, Body Part Examined, Laterality, View Position, Contrast/Bolus Agent of DICOM PS3.3; body parts within one another agree
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 0372d8a3df19 | first definition
SELECT e.exam_ended_local AS period_local,
       CAST(l.is_against AS INTEGER) AS is_against, CAST(l.is_told AS INTEGER) AS is_told,
       CAST(l.is_modality_against AS INTEGER) AS is_modality_against,
       CAST(l.is_modality_told AS INTEGER) AS is_modality_told,
       CAST(l.is_region_against AS INTEGER) AS is_region_against, CAST(l.is_region_told AS INTEGER) AS is_region_told,
       CAST(l.is_laterality_against AS INTEGER) AS is_laterality_against,
       CAST(l.is_laterality_told AS INTEGER) AS is_laterality_told,
       CAST(l.is_contrast_against AS INTEGER) AS is_contrast_against,
       CAST(l.is_contrast_told AS INTEGER) AS is_contrast_told,
       CAST(l.is_views_against AS INTEGER) AS is_views_against, CAST(l.is_views_told AS INTEGER) AS is_views_told,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, l.candidate AS procedure
FROM fct_label l
JOIN fct_exam e ON e.exam_key = l.exam_key
WHERE e.is_countable AND l.is_told
