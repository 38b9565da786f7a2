-- id: wrvu_per_hour
-- title: Work RVU per active hour
-- question: How much work does a reader report in an hour of reading?
-- unit: wRVU/h
-- better: neither
-- kind: rate
-- statistic: value
-- numerator: wRVU of final reads
-- denominator: active reading hours
-- clock_start: read_started
-- clock_stop: first_final
-- includes: stretches of reading with a charged final read, with the whole of their time; n counts charged final reads
-- excludes: stretches without one, so the reading time of trainees
-- nulls: a final read without a charge adds its time and no wRVU
-- min_n: 10
-- table: fct_reading_session
-- anchor: started_local
-- groups: radiologist, facility, shift, weekday
-- filters: since, until, facility, radiologist
-- target: none customary
-- reference: the site's own fee schedule; hours as in reads_per_hour; a stretch counts where and when it began
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | f6dd0c8cb9e7 | first definition
-- history: 2 | 2026-11-28 | f6dd0c8cb9e7 | a begin of reading that is told after the report is none
SELECT s.started_local AS period_local, s.wrvu AS numerator, s.minutes / 60 AS denominator, s.n_charged AS n,
       s.radiologist, s.facility
FROM fct_reading_session s
WHERE s.n_charged > 0
