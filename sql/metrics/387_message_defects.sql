-- id: message_defects
-- title: Messages with defects
-- question: How many messages carry a field that cannot be used?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: value
-- numerator: messages with at least one field that could not be used
-- denominator: messages that were read, each counted once
-- clock_start: none
-- clock_stop: none
-- includes: every message, object or resource that is read, also one that tells nothing of an exam
-- excludes: messages without a time of their own; what went to quarantine, which radops status counts
-- nulls: none
-- min_n: 30
-- table: dq_system_flow
-- anchor: day
-- groups: facility, source, standard, message_kind, weekday
-- filters: since, until, facility
-- target: none of them
-- goal: 0
-- reference: the field rules of each standard as radops lint states them; fields and reasons: dq_message_fault
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | be425db7a1dc | first definition
SELECT CAST(f.day AS TIMESTAMP) AS period_local, f.n_defective AS numerator, f.n_messages AS denominator,
       f.facility, f.sender AS source, f.standard, f.kind AS message_kind
FROM dq_system_flow f
WHERE f.day IS NOT NULL
