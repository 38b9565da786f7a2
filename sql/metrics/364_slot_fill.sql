-- id: slot_fill
-- title: Booked slots filled
-- question: How many of the slots that were booked did a patient fill?
-- unit: share
-- better: higher
-- kind: ratio
-- statistic: value
-- numerator: slots whose patient arrived or was examined
-- denominator: booked slots whose outcome is known
-- clock_start: none
-- clock_stop: none
-- includes: the last slot of each appointment, up to the data cut-off
-- excludes: slots after the data cut-off
-- nulls: slots without any word on what became of them are left out, and bookings made in error; slots that nobody booked are in no message and are not known
-- min_n: 10
-- table: fct_appointment
-- anchor: slot_local
-- groups: facility, modality, device, priority, patient_class, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, device
-- target: none customary
-- reference: arrived slots over offered slots, as far as messages tell of the offer: slots that were booked
-- version: 2
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 1216e4d53d4c | first definition
-- history: 2 | 2026-11-25 | 0558f31f3b3c | a slot whose order was cancelled is not filled; another appointment of the exam does not fill it
SELECT a.slot_local AS period_local, CAST(a.outcome = 'kept' AS INTEGER) AS numerator,
       'missing|word on what became of it' AS why_null,
       a.facility, a.modality, a.device, a.priority, a.patient_class
FROM fct_appointment a
CROSS JOIN meta_snapshot s
WHERE a.slot_at <= s.data_through
