-- name: fct_appointment
-- grain: appointment of an exam
-- key: appointment_key, exam_key
-- purpose: The last word on each booked slot.
-- materialize: table
-- scope: exam
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
-- column: duration_min DOUBLE min | length of the slot
-- column: status VARCHAR - | booked, rescheduled, arrived, completed, cancelled, noshow, ...
SELECT a.appointment_key, a.exam_key, f.facility, coalesce(v.device, t.device, f.device) AS device,
       coalesce(v.device, t.device) AS booked_device, p.modality, f.priority, f.patient_class, a.slot_at, local_at(a.slot_at, f.zone) AS slot_local, a.duration_min,
       a.status
FROM (SELECT s.exam_key, s.appointment_key,
             arg_max(s.slot_at, s.version) FILTER (WHERE s.slot_at IS NOT NULL) AS slot_at,
             arg_max(s.duration_min, s.version) FILTER (WHERE s.duration_min IS NOT NULL) AS duration_min,
             arg_max(s.resource, s.version) FILTER (WHERE s.resource IS NOT NULL) AS resource,
             arg_max(s.status, s.version) FILTER (WHERE s.status IS NOT NULL) AS status
      FROM (SELECT q.exam_key, q.appointment_key, q.slot_at, q.duration_min, q.resource, q.status,
                   row_number() OVER (
                       PARTITION BY q.exam_key, q.appointment_key
                       ORDER BY q.message_at NULLS FIRST, q.source, q.message_id, q.row_number, q.status, q.slot_at,
                                q.duration_min, q.resource) AS version
            FROM stg_appointment q
            WHERE q.appointment_key IS NOT NULL) s
      GROUP BY s.exam_key, s.appointment_key) a
JOIN stg_exam_fact f ON f.exam_key = a.exam_key
JOIN stg_procedure p ON p.exam_key = a.exam_key
LEFT JOIN device_by_ae v ON v.facility = f.facility AND v.ae_title = a.resource
LEFT JOIN device_by_station t ON t.facility = f.facility AND t.station = a.resource
