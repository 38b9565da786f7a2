-- id: ai_readiness
-- title: Headers ready for algorithms
-- question: Do image headers carry what routing and validating an algorithm needs?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: ready
-- choices: ready=is_ready, identity=has_identity, modality=has_modality, body_part=has_body_part, description=has_description, maker=has_maker, time=has_time
-- numerator: exams all of whose image headers have all of the fields, or those of one kind
-- denominator: exams with image headers
-- clock_start: none
-- clock_stop: none
-- includes: exams that count with image headers of their own
-- excludes: outside imports; studies known from a listing only
-- nulls: a field that is absent, empty or says UNKNOWN is what is counted
-- min_n: 10
-- table: fct_header
-- anchor: exam_ended_local
-- groups: facility, modality, device, patient_class, service_line, procedure, weekday
-- filters: since, until, facility, modality, patient_class, service_line, device, procedure
-- target: the site's to set
-- reference: to route: Modality, body part, series or protocol; to validate: maker, model, own time, patient and accession
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 9fbcafc05e21 | first definition
SELECT e.exam_ended_local AS period_local, CAST(h.is_ready AS INTEGER) AS is_ready,
       CAST(h.has_identity AS INTEGER) AS has_identity, CAST(h.has_modality AS INTEGER) AS has_modality,
       CAST(h.has_body_part AS INTEGER) AS has_body_part, CAST(h.has_description AS INTEGER) AS has_description,
       CAST(h.has_maker AS INTEGER) AS has_maker, CAST(h.has_time AS INTEGER) AS has_time,
       e.facility, e.modality, e.device, e.patient_class, e.service_line, e.procedure
FROM fct_header h
JOIN fct_exam e ON e.exam_key = h.exam_key
WHERE e.is_countable
