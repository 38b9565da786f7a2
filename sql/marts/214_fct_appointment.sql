-- name: fct_appointment
-- grain: appointment of an exam
-- key: appointment_key, exam_key
-- purpose: The last word on each booked slot, and what became of it.
-- materialize: table
-- scope: exam
-- sorted_by: month of slot_local, facility, slot_local
-- column: appointment_key VARCHAR - | keyed appointment
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: device VARCHAR - | device booked, else of the exam
-- column: booked_device VARCHAR - | device booked, NULL where the appointment names none that is known
-- column: modality VARCHAR - | modality of the exam
-- column: priority VARCHAR - | priority of the exam
-- column: patient_class VARCHAR - | patient class of the exam
-- column: slot_at TIMESTAMP UTC | start of the slot
-- column: slot_local TIMESTAMP local | start of the slot, wall clock of the facility
-- column: slot_told_local TIMESTAMP local | when the slot was first told, wall clock of the facility
-- column: duration_min DOUBLE min | length of the slot
-- column: status VARCHAR - | booked, rescheduled, arrived, completed, cancelled, noshow, ...
-- column: outcome VARCHAR - | kept, no_show or cancelled; NULL where nobody told, or the booking was made in error
-- column: cancelled_at TIMESTAMP UTC | when a cancelled slot was cancelled: first word of it, else of the order
-- column: cancelled_local TIMESTAMP local | the same, wall clock of the facility
-- column: exam_started_at TIMESTAMP UTC | begin of the exam
-- column: exam_duration_min DOUBLE min | length of the exam, negative where its ends cross
-- column: exam_device VARCHAR - | device of the exam
-- column: is_countable BOOLEAN - | the exam counts
-- column: exclusion_reason VARCHAR - | why it does not
SELECT o.appointment_key, o.exam_key, o.facility, o.device, o.booked_device, o.modality, o.priority, o.patient_class,
       o.slot_at, local_at(o.slot_at, o.zone) AS slot_local,
       local_at(o.slot_told_at, o.zone) AS slot_told_local, o.duration_min, o.status, o.outcome,
       CASE WHEN o.outcome = 'cancelled' THEN o.cancelled_at END AS cancelled_at,
       CASE WHEN o.outcome = 'cancelled' THEN local_at(o.cancelled_at, o.zone) END AS cancelled_local,
       o.exam_started_at, minutes_between(o.exam_started_at, o.exam_ended_at) AS exam_duration_min, o.exam_device,
       o.exclusion_reason IS NULL AS is_countable, o.exclusion_reason
FROM (SELECT a.appointment_key, a.exam_key, f.facility, f.zone, coalesce(v.device, t.device, f.device) AS device,
             coalesce(v.device, t.device) AS booked_device, p.modality, f.priority, f.patient_class, a.slot_at, a.slot_told_at,
             a.duration_min, a.status, f.exam_started_at, f.exam_ended_at, f.device AS exam_device, g.exclusion_reason,
             CASE WHEN a.status = 'deleted' THEN NULL
                  WHEN a.status IN ('arrived', 'completed') THEN 'kept'
                  WHEN a.is_last AND (f.arrived_at IS NOT NULL OR f.exam_started_at IS NOT NULL) THEN 'kept'
                  WHEN a.status IN ('cancelled', 'discontinued') THEN 'cancelled'
                  WHEN a.status = 'noshow' THEN 'no_show'
                  WHEN a.is_last AND f.is_cancelled THEN 'cancelled'
                  WHEN a.is_last AND f.is_no_show THEN 'no_show' END AS outcome,
             CASE WHEN a.status IN ('cancelled', 'discontinued') THEN a.cancelled_at ELSE f.cancelled_at END
                 AS cancelled_at
      FROM (SELECT l.*, row_number() OVER (PARTITION BY l.exam_key ORDER BY l.told_at DESC NULLS LAST,
                                           l.appointment_key) = 1 AS is_last
            FROM stg_slot l) a
      JOIN stg_exam_fact f ON f.exam_key = a.exam_key
      JOIN stg_exam_flag g ON g.exam_key = a.exam_key
      JOIN stg_procedure p ON p.exam_key = a.exam_key
      LEFT JOIN device_by_ae v ON v.facility = f.facility AND v.ae_title = a.resource
      LEFT JOIN device_by_station t ON t.facility = f.facility AND t.station = a.resource) o
