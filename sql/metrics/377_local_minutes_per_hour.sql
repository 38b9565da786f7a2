-- id: local_minutes_per_hour
-- title: Learned minutes per active hour
-- question: How much work, in the minutes that it usually takes, does a reader report in an hour of reading?
-- unit: min/h
-- better: neither
-- kind: rate
-- statistic: value
-- numerator: minutes that the exams of final reads usually take
-- denominator: active reading hours
-- clock_start: read_started
-- clock_stop: first_final
-- includes: stretches of reading with a weighed final read, with the whole of their time; n counts weighed final reads
-- excludes: stretches without one, so the reading time of trainees
-- nulls: a final read without a weight adds its time and no minutes
-- min_n: 10
-- table: fct_reading_session
-- anchor: started_local
-- groups: radiologist, facility, shift, weekday
-- filters: since, until, facility, radiologist
-- target: none customary; 60 where nothing else is done and each exam takes what it usually takes
-- window: fct_read read_at 7 7
-- window: fct_reading_session started_at 7 7
-- reference: weights as in local_minutes; hours as in reads_per_hour; a stretch counts where and when it began
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 7ff7f36a5a87 | first definition
-- history: 2 | 2026-11-28 | 6689bd1a03f0 | a begin of reading that is told after the report is none
SELECT s.started_local AS period_local, w.minutes AS numerator, s.minutes / 60 AS denominator,
       coalesce(w.n_weighed, 0) AS n, s.radiologist, s.facility
FROM fct_reading_session s
LEFT JOIN (SELECT t.radiologist, t.started_at, count(k.minutes) AS n_weighed,
                  sum(CAST(k.minutes AS DECIMAL(18, 9))) AS minutes
           FROM fct_read r
           JOIN (SELECT x.radiologist, x.started_at, x.ended_at,  -- a stretch ends with a read: found by the read's hour
                        unnest(generate_series(date_trunc('hour', x.started_at), x.ended_at, INTERVAL 1 HOUR)) AS hour_at
                 FROM fct_reading_session x) t
               ON t.radiologist = r.radiologist AND t.hour_at = date_trunc('hour', r.read_at)
               AND r.read_at BETWEEN t.started_at AND t.ended_at
           LEFT JOIN dim_procedure_weight k ON k.modality IS NOT DISTINCT FROM r.modality
               AND k.procedure IS NOT DISTINCT FROM r.procedure
           WHERE r.role = 'final'
           GROUP BY t.radiologist, t.started_at) w ON w.radiologist = s.radiologist AND w.started_at = s.started_at
WHERE w.n_weighed > 0
