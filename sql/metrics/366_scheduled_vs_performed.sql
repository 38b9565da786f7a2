-- id: scheduled_vs_performed
-- title: Booked against performed
-- question: How often does an exam not go as it was booked?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: late
-- choices: late=is_late, early=is_early, moved=is_moved, longer=is_longer
-- numerator: exams that began over 15 minutes after or before their slot, on another device, or took longer than booked
-- denominator: booked exams that were performed
-- clock_start: none
-- clock_stop: none
-- includes: exams that count with a booked slot, against the last slot of the appointment
-- excludes: exams without a slot or without a start
-- nulls: moved is not known where the device is not; longer where the length of slot or exam is not
-- min_n: 10
-- table: fct_appointment
-- anchor: slot_local
-- groups: facility, modality, device, priority, patient_class, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, device
-- target: none customary
-- reference: booked slot against performed exam; the device as booked, else as used
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 083e369d4348 | first definition
SELECT a.slot_local AS period_local,
       CAST(a.exam_started_at > a.slot_at + INTERVAL 15 MINUTE AS INTEGER) AS is_late,
       CAST(a.exam_started_at < a.slot_at - INTERVAL 15 MINUTE AS INTEGER) AS is_early,
       CAST(a.exam_device <> a.booked_device AS INTEGER) AS is_moved,
       CASE WHEN a.exam_duration_min >= 0 THEN CAST(a.exam_duration_min > a.duration_min AS INTEGER) END AS is_longer,
       'missing|device or length' AS why_null,
       a.facility, a.modality, a.device, a.priority, a.patient_class
FROM fct_appointment a
WHERE a.is_countable AND a.exam_started_at IS NOT NULL AND a.slot_at IS NOT NULL
