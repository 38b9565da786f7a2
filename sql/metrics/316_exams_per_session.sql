-- id: exams_per_session
-- title: Exams per session
-- question: How many exams does a patient have done in one sitting?
-- unit: exams/session
-- better: neither
-- kind: rate
-- statistic: value
-- numerator: exams (accessions) in the sessions
-- denominator: sessions: exams of one patient on one device that touch or overlap
-- clock_start: exam_started
-- clock_stop: exam_ended
-- includes: sessions that began in the period, exams given up among them
-- excludes: outside studies
-- nulls: exams without start or end make no session; exams over 24 hours are clock faults
-- min_n: 10
-- table: fct_device_busy
-- anchor: busy_started_local
-- groups: facility, modality, device, shift, weekday, hour
-- filters: since, until, facility, modality, device
-- target: none customary
-- reference: sessions carry busy time, accessions turnaround and wRVU; n counts sessions
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | fe1954594e89 | first definition
SELECT b.busy_started_local AS period_local, b.n_exams AS numerator, 1 AS denominator, 1 AS n, b.facility, b.modality,
       b.device
FROM fct_device_busy b
