-- id: link_rate
-- title: Linked records
-- question: Do orders, studies and reports find each other?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: reports
-- choices: orders=n_orders_with_study/n_orders_performed, studies=n_studies_with_order/n_studies, reports=n_reports_with_both/n_reports
-- numerator: orders with a study, studies with an order, or reports with both
-- denominator: performed orders, studies, or reports
-- clock_start: none
-- clock_stop: none
-- includes: performed orders, studies without outside imports, reports
-- excludes: none
-- nulls: records without any time are left out
-- min_n: 10
-- table: dq_linkage
-- anchor: day
-- groups: facility, modality, weekday
-- filters: since, until, facility, modality
-- target: all of them
-- goal: 1
-- reference: orders with a study, studies with an order, reports with both; day of exam end, else start, else order, else report
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | c9898d7a5bba | first definition
SELECT CAST(l.day AS TIMESTAMP) AS period_local, l.n_orders_with_study, l.n_orders_performed, l.n_studies_with_order,
       l.n_studies, l.n_reports_with_both, l.n_reports, l.facility, l.modality
FROM dq_linkage l
WHERE l.day IS NOT NULL
