-- id: late_cancel_rate
-- title: Late cancellations
-- question: How many slots are cancelled too late to be given to somebody else?
-- unit: share
-- better: lower
-- kind: ratio
-- statistic: 24h
-- choices: 24h=is_within_day, same_day=is_same_day, any=is_cancelled
-- numerator: slots cancelled less than 24 hours before they began or later, on the local day of the slot, or at any time
-- denominator: booked slots whose outcome is known
-- clock_start: cancelled
-- clock_stop: scheduled
-- includes: the last slot of each appointment, up to the data cut-off; cancelled by the booking, else by its order
-- excludes: slots after the data cut-off; bookings deleted as made in error; slots left by moving the appointment
-- nulls: slots without any word on what became of them are left out, and cancelled ones without its time unless any is asked
-- min_n: 10
-- table: fct_appointment
-- anchor: slot_local
-- groups: facility, modality, device, priority, patient_class, shift, weekday, hour
-- filters: since, until, facility, modality, priority, patient_class, device
-- target: none customary
-- reference: cancelled within 24 hours of the slot over booked slots; no-shows are apart in no_show_rate
-- version: 1
-- since: 0.1.0
-- history: 1 | 2026-11-25 | 01529a29db8b | first definition
SELECT a.slot_local AS period_local,
       CASE WHEN a.outcome <> 'cancelled' THEN 0
            WHEN a.outcome = 'cancelled' THEN CAST(a.cancelled_at > a.slot_at - INTERVAL 24 HOUR AS INTEGER)
            END AS is_within_day,
       CASE WHEN a.outcome <> 'cancelled' THEN 0
            WHEN a.outcome = 'cancelled'
            THEN CAST(CAST(a.cancelled_local AS DATE) >= CAST(a.slot_local AS DATE) AS INTEGER) END AS is_same_day,
       CAST(a.outcome = 'cancelled' AS INTEGER) AS is_cancelled,
       CASE WHEN a.outcome = 'cancelled' THEN 'missing|time of the cancel' ELSE 'missing|word on what became of it' END
           AS why_null,
       a.facility, a.modality, a.device, a.priority, a.patient_class
FROM fct_appointment a
CROSS JOIN meta_snapshot s
WHERE a.slot_at <= s.data_through
