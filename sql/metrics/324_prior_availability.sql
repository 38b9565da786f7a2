-- id: prior_availability
-- title: Repeated although imaged elsewhere
-- question: Is imaging done again when the outside images are not at hand?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: cases whose region was imaged with the modality again within 30 days
-- denominator: cases
-- clock_start: ordered
-- clock_stop: exam_started
-- includes: exams whose order answers the question about outside imaging; availability none is the control group
-- excludes: orders without an answer
-- nulls: none
-- min_n: 9
-- table: fct_prior_case
-- anchor: declared_local
-- groups: availability, facility, modality, region, priority, patient_class, service_line, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line
-- target: the imported cohort's own rate
-- window: fct_exam ordered_local 0 0
-- reference: Lu et al., AJR 2012;198:628-634: imported 9/79, held but not imported 14/27, not available 13/18, control 18/143
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 0f05a984476b | first definition
SELECT c.declared_local AS period_local, CAST(c.is_repeated AS INTEGER) AS numerator, c.availability, c.facility,
       c.modality, c.region, c.priority, c.patient_class, c.service_line
FROM fct_prior_case c
