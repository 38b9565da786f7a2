-- id: negative_intervals
-- title: Intervals that run backwards
-- question: How many intervals end before they begin?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: intervals below zero
-- denominator: intervals with both ends known
-- clock_start: none
-- clock_stop: none
-- includes: exams that count, once for each of the seven intervals whose ends are known
-- excludes: none
-- nulls: an interval that lacks an end is not judged
-- min_n: 10
-- table: dq_negative
-- anchor: day
-- groups: interval_name, facility, modality, device, weekday
-- filters: since, until, facility, modality, device
-- target: none of them
-- goal: 0
-- reference: duration columns of fct_exam; such intervals are left out of every statistic; see clock_offset
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 1dc74186556f | first definition
SELECT CAST(n.day AS TIMESTAMP) AS period_local, n.n_negative AS numerator, n.n_known AS denominator,
       n.facility, n.modality, n.device, n.interval_name
FROM dq_negative n
