-- id: avoidable_repeats
-- title: Avoidable repeats
-- question: How many exams were repeated because the outside images were not at hand?
-- unit: exams
-- better: lower
-- kind: sum
-- statistic: value
-- numerator: repeated cases, less what the imported cohort's rate would have given
-- denominator: cases whose outside images were held or not available; the value is not divided by them
-- clock_start: ordered
-- clock_stop: exam_started
-- includes: cases with outside imaging that was not imported: each counts its repeat less the imported cohort's rate
-- excludes: imported cases and the control group without outside imaging
-- nulls: unknown where no imported case is there to compare with
-- min_n: 9
-- table: fct_prior_case
-- anchor: declared_local
-- groups: availability, facility, modality, region, priority, patient_class, service_line, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line
-- target: 0: as many repeats as with imported images; below it chance, or a mix that repeats less
-- goal: 0
-- window: fct_exam ordered_local 0 0
-- reference: the rate of all imported cases of the snapshot (Lu et al., AJR 2012;198:628-634); see prior_availability
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 6ecf633945c1 | first definition
SELECT c.declared_local AS period_local, CAST(c.is_repeated AS INTEGER) - i.rate AS numerator, c.availability,
       c.facility, c.modality, c.region, c.priority, c.patient_class, c.service_line
FROM fct_prior_case c
CROSS JOIN (SELECT avg(CAST(p.is_repeated AS INTEGER)) AS rate FROM fct_prior_case p WHERE p.availability = 'imported') i
WHERE c.availability IN ('held', 'unavailable')
