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
-- history: 1 | 2026-11-25 | 85eb6c53bda0 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, CAST(u.is_usual AS INTEGER) AS numerator,
       e.facility, e.modality, e.device, e.service_line, e.procedure
FROM fct_exam e
JOIN (SELECT c.facility, c.procedure, c.procedure_local,
             c.n_exams = max(c.n_exams) OVER (PARTITION BY c.facility, c.procedure) AS is_usual
      FROM (SELECT x.facility, x.procedure, x.procedure_local, count(*) AS n_exams
            FROM fct_exam x
            WHERE x.is_countable AND x.procedure IS NOT NULL AND x.procedure_local IS NOT NULL
            GROUP BY x.facility, x.procedure, x.procedure_local) c) u
    ON u.facility = e.facility AND u.procedure = e.procedure AND u.procedure_local = e.procedure_local
WHERE e.is_countable
