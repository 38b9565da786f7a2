-- id: reads_per_hour
-- title: Reads per active hour
-- question: How many exams does a reader report in an hour of reading?
-- unit: reads/h
-- better: neither
-- kind: rate
-- statistic: value
-- numerator: reads
-- denominator: active reading hours
-- clock_start: read_started
-- clock_stop: first_final
-- includes: final and preliminary reads; a told begin is the assistant's if the preliminary report came first; a read without one before its report is taken to have begun 10 minutes earlier
-- excludes: none
-- nulls: reports without a reader or time are left out
-- min_n: 10
-- table: fct_reading_session
-- anchor: started_local
-- groups: radiologist, facility, shift, weekday
-- filters: since, until, facility, radiologist
-- target: none customary
-- reference: union of read intervals, gaps under 30 minutes bridged; a stretch counts where and when it began
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 5b2002e21135 | first definition
-- history: 2 | 2026-11-28 | 5b2002e21135 | a begin of reading that is told after the report is none
SELECT s.started_local AS period_local, s.n_reads AS numerator, s.minutes / 60 AS denominator, s.n_reads AS n,
       s.radiologist, s.facility
FROM fct_reading_session s
