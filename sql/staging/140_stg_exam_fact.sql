-- name: stg_exam_fact
-- grain: exam
-- key: exam_key
-- purpose: Everything known of an exam side by side, before names are harmonized and flags decided.
-- materialize: table
-- column: exam_key VARCHAR - | exam
SELECT x.exam_key, x.facility, coalesce(z.zone, s.default_zone) AS zone, x.patient_key, x.accession,
       x.first_loaded_batch, coalesce(i.study_key, h.study_key) AS study_key, v.device,
       coalesce(b.modality, a.modality) AS modality, a.procedure_code, a.procedure_text, a.procedure_system,
       a.alternate_code, a.alternate_text, a.alternate_system, a.laterality, b.body_part, a.location, a.reason,
       a.outside_prior, a.outside_modality, a.outside_body_part, a.duplicate_reason, a.birth_date, a.sex,
       CASE WHEN upper(a.priority) IN ('S', 'T', 'STAT') THEN 'stat'
            WHEN upper(a.priority) IN ('A', 'P', 'ASAP', 'URGENT') THEN 'urgent' ELSE 'routine' END AS priority,
       CASE WHEN upper(a.patient_class) IN ('E', 'EMER') THEN 'emergency'
            WHEN upper(a.patient_class) IN ('I', 'IMP', 'ACUTE', 'NONAC') THEN 'inpatient'
            ELSE 'outpatient' END AS patient_class,
       t.ordered_at, t.booked_at, t.scheduled_at, d.door_at, t.arrived_at, t.protocoled_at, t.exam_started_at,
       t.exam_ended_at, t.images_available_at, t.read_started_at, t.dictated_at, t.first_prelim_at, t.last_prelim_at,
       t.first_final_at,
       t.last_final_at, t.critical_found_at, t.critical_communicated_at, t.cancelled_at, t.ordered_source,
       t.arrived_source, t.exam_started_source, t.exam_ended_source, t.images_available_source, t.first_prelim_source,
       t.first_final_source,
       r.radiologist, r.prelim_radiologist, r.assistant, c.wrvu, coalesce(i.n_series, 0) AS n_series,
       coalesce(i.n_images, 0) AS n_images, coalesce(j.n_rejected, 0) AS n_rejected,
       coalesce(r.n_addenda, 0) AS n_addenda, coalesce(r.n_corrections, 0) AS n_corrections,
       coalesce(a.has_order, FALSE) AS has_order, i.exam_key IS NOT NULL OR h.exam_key IS NOT NULL AS has_study,
       coalesce(r.has_report, FALSE) AS has_report, coalesce(o.has_booking, FALSE) AS has_booking,
       coalesce(o.has_status, FALSE) AS has_status, coalesce(o.has_step, FALSE) AS has_step,
       coalesce(k.is_cancelled, FALSE) AS is_cancelled,
       coalesce(k.is_no_show, FALSE) AS is_no_show, coalesce(k.is_discontinued, FALSE) AS is_discontinued,
       CASE WHEN k.is_discontinued THEN k.discontinued_reason END AS discontinued_reason,
       (coalesce(k.is_imported, FALSE) OR coalesce(i.is_imported, FALSE)) AND NOT coalesce(a.has_order, FALSE)
           AS is_imported
FROM stg_exam x
CROSS JOIN site_zone s
LEFT JOIN site_facility z ON z.facility = x.facility
LEFT JOIN stg_attribute a ON a.exam_key = x.exam_key
LEFT JOIN stg_timeline t ON t.exam_key = x.exam_key
LEFT JOIN stg_door d ON d.exam_key = x.exam_key
LEFT JOIN stg_state k ON k.exam_key = x.exam_key
LEFT JOIN stg_image i ON i.exam_key = x.exam_key
LEFT JOIN stg_shared_study h ON h.exam_key = x.exam_key
LEFT JOIN stg_exam_modality b ON b.exam_key = x.exam_key
LEFT JOIN stg_exam_device v ON v.exam_key = x.exam_key
LEFT JOIN stg_reading r ON r.exam_key = x.exam_key
LEFT JOIN stg_charge c ON c.exam_key = x.exam_key
LEFT JOIN (SELECT w.exam_key, bool_or(w.origin = 'schedule') AS has_booking, bool_or(w.origin = 'ris') AS has_status,
                  bool_or(w.origin = 'mpps') AS has_step
           FROM stg_event w GROUP BY w.exam_key) o ON o.exam_key = x.exam_key
LEFT JOIN (SELECT q.exam_key, count(*) AS n_rejected FROM stg_reject q GROUP BY q.exam_key) j ON j.exam_key = x.exam_key
