-- id: image_availability
-- title: Exam end to images
-- question: How long after the exam are its images in the archive?
-- unit: min
-- better: lower
-- kind: percentile
-- statistic: p50
-- clock_start: exam_ended
-- clock_stop: images_available
-- includes: exams that count
-- excludes: none
-- nulls: exams that lack a stamp are counted and have no value; so are intervals that run backwards
-- min_n: 10
-- table: fct_exam
-- anchor: exam_ended_local
-- groups: facility, modality, device, priority, patient_class, service_line, procedure, radiologist, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, service_line, device, radiologist, procedure
-- target: none customary
-- reference: SIIM SWIM lexicon: exam ended to images available
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | d355333e07b5 | first definition
SELECT e.exam_key, e.exam_ended_local AS period_local, e.image_availability_min AS value,
       e.exam_ended_at AS start_at, e.images_available_at AS stop_at,
       e.facility, e.modality, e.device, e.priority, e.patient_class, e.service_line, e.procedure, e.radiologist
FROM fct_exam e
WHERE e.is_countable
