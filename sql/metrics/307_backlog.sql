-- id: backlog
-- title: Unread exams
-- question: How many exams wait for their final report?
-- unit: exams
-- better: lower
-- kind: last
-- statistic: waiting
-- choices: waiting=n_waiting/n_waiting, past_target=n_past_target/n_waiting, wrvu=wrvu_waiting/n_waiting
-- numerator: waiting exams, those past their target, or their wRVU
-- denominator: waiting exams; the value is not divided by them
-- clock_start: exam_ended
-- clock_stop: first_final
-- includes: exams that count, ended at or before the last full hour of the period and not final at it; 0 where some waited earlier in the period only
-- excludes: none
-- nulls: exams without an end stamp never wait; where the wall clock repeats an hour its second pass counts
-- min_n: 1
-- table: fct_backlog_hour
-- anchor: hour_local
-- groups: facility, modality, priority, patient_class
-- filters: since, until, facility, modality, priority, patient_class
-- target: none customary
-- reference: exams ended and not final at each full hour of UTC, which is half past where zones have half hours
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 8c8cfb390485 | first definition
-- history: 2 | 2026-11-28 | f51f15d29dd7 | a target holds by the local day of the exam's end
SELECT b.hour_local AS period_local, l.latest_local, l.latest_end_local, b.n_waiting, b.n_past_target, b.wrvu_waiting,
       b.n_waiting AS n, b.facility, b.modality, b.priority, b.patient_class
FROM fct_backlog_hour b
JOIN (SELECT h.facility, h.latest_at, h.latest_local, h.latest_local + INTERVAL 1 HOUR AS latest_end_local
      FROM (SELECT f.facility, date_trunc('hour', s.data_through) AS latest_at,
                   timezone(f.zone, timezone('UTC', date_trunc('hour', s.data_through))) AS latest_local
            FROM dim_facility f
            CROSS JOIN meta_snapshot s) h) l ON l.facility = b.facility
WHERE NOT b.is_first_pass OR b.hour_at = l.latest_at
