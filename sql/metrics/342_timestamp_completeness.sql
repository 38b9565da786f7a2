-- id: timestamp_completeness
-- title: Complete timestamps
-- question: How often is each milestone known?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: value
-- numerator: milestones known
-- denominator: exams times milestones
-- clock_start: none
-- clock_stop: none
-- includes: exams that count, once for each of the seven milestones; preliminary reports are not made for every exam
-- excludes: none
-- nulls: a missing milestone is what is counted
-- min_n: 10
-- table: dq_completeness
-- anchor: day of exam end
-- groups: milestone, facility, modality, device, weekday
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: milestones of fct_exam and the source that won them: dq_completeness
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 0e0e62eb7227 | first definition
SELECT CAST(c.day AS TIMESTAMP) AS period_local, CASE WHEN c.source <> 'none' THEN c.n_exams ELSE 0 END AS numerator,
       c.n_exams AS denominator, c.facility, c.modality, c.device, c.milestone
FROM dq_completeness c
