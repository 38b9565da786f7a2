-- id: schedule_lag
-- title: Order to booked slot
-- question: How many days do outpatients wait from the order to their slot?
-- unit: d
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: ordered
-- clock_stop: scheduled
-- includes: outpatients that count and had a booked slot; the slot as last told
-- excludes: emergency patients, inpatients, and outpatients without a slot
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: scheduled_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: access to imaging: days from the order to the slot, by the day of the slot
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 9406bddf68ce | first definition
SELECT e.exam_key, e.scheduled_local AS period_local, e.schedule_lag_days AS value,
       e.ordered_at AS start_at, e.scheduled_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable AND e.patient_class = 'outpatient' AND e.scheduled_at IS NOT NULL
