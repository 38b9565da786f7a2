-- id: arrival_to_final
-- title: Arrival to final report
-- question: How long do emergency patients wait from their arrival in imaging to the final report?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: arrived
-- clock_stop: first_final
-- includes: emergency patients whose exam counts; arrival in imaging, not at the hospital's door
-- excludes: inpatients and outpatients
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: end to end for emergency patients
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 1df363b0b622 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.arrival_to_final_min AS value,
       e.arrived_at AS start_at, e.first_final_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable AND e.patient_class = 'emergency'
