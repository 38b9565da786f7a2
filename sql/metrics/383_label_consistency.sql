-- id: label_consistency
-- title: Consistent labels
-- question: How often does a procedure go by its usual code?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: value
-- numerator: exams under the code that most exams of their procedure have at their facility, over all data
-- denominator: exams with a code and a harmonized procedure
-- clock_start: none
-- clock_stop: none
-- includes: exams that count
-- excludes: none
-- nulls: exams without a code, or whose code nobody has mapped, are left out: unmapped_codes
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, service_line, procedure, weekday
-- filters: since, until, facility, modality, service_line, device, procedure
-- target: all of them
-- goal: 1
-- reference: several codes for one procedure split every count by code; of codes equally often used, all are usual
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 13471aea0694 | first definition
SELECT c.exam_ended_local AS period_local, CAST(c.n_same = max(c.n_same) OVER (PARTITION BY c.facility, c.procedure)
                                                AS INTEGER) AS numerator,
       c.facility, c.modality, c.device, c.service_line, c.procedure
FROM (SELECT e.exam_ended_local, e.facility, e.modality, e.device, e.service_line, e.procedure,
             count(*) OVER (PARTITION BY e.facility, e.procedure, e.procedure_local) AS n_same
      FROM fct_exam e
      WHERE e.is_countable AND e.procedure IS NOT NULL AND e.procedure_local IS NOT NULL) c
