-- name: fct_exam
-- grain: exam
-- key: exam_key
-- purpose: One requested procedure for one patient, with milestones, durations, people, counts and flags.
-- materialize: table
-- scope: exam
-- sorted_by: month of placed_local, facility, placed_local
-- column: exam_key VARCHAR - | keyed canonical identifier of the exam
-- column: accession VARCHAR - | keyed pseudonym, or as sent where the site publishes it
-- column: facility VARCHAR - | facility, unmapped where no alias is known
-- column: patient_key VARCHAR - | keyed patient
-- column: study_key VARCHAR - | keyed study
-- column: device VARCHAR - | device that made the images, else performed the step, else was booked
-- column: modality VARCHAR - | DICOM modality of the images, else as ordered
-- column: procedure_local VARCHAR - | local procedure code
-- column: procedure VARCHAR - | harmonized procedure, NULL where unmapped
-- column: procedure_name VARCHAR - | its name
-- column: region VARCHAR - | body region of the procedure
-- column: laterality VARCHAR - | N, L, R or B of the procedure
-- column: contrast VARCHAR - | WO, W, WWO or N of the procedure
-- column: service_line VARCHAR - | reading service
-- column: priority VARCHAR - | stat, urgent or routine
-- column: patient_class VARCHAR - | emergency, inpatient or outpatient
-- column: age_band VARCHAR years | age at the exam: 0-17, 18-39, 40-64, 65-79, 80+
-- column: sex VARCHAR - | as sent
-- column: location VARCHAR - | point of care that ordered
-- column: ordered_at TIMESTAMP UTC | first order
-- column: booked_at TIMESTAMP UTC | first booking was made
-- column: scheduled_at TIMESTAMP UTC | start of the last booked slot
-- column: door_at TIMESTAMP UTC | first registered arrival of the visit
-- column: arrived_at TIMESTAMP UTC | arrival in imaging
-- column: protocoled_at TIMESTAMP UTC | protocol chosen
-- column: exam_started_at TIMESTAMP UTC | begin of the exam
-- column: exam_ended_at TIMESTAMP UTC | end of the exam
-- column: images_available_at TIMESTAMP UTC | images in the archive
-- column: read_started_at TIMESTAMP UTC | reading began
-- column: dictated_at TIMESTAMP UTC | dictation
-- column: first_prelim_at TIMESTAMP UTC | first preliminary report
-- column: last_prelim_at TIMESTAMP UTC | last preliminary report
-- column: first_final_at TIMESTAMP UTC | first final report
-- column: last_final_at TIMESTAMP UTC | last final report
-- column: critical_found_at TIMESTAMP UTC | critical result found
-- column: critical_communicated_at TIMESTAMP UTC | critical result told
-- column: cancelled_at TIMESTAMP UTC | last cancel of the order
-- column: ordered_source VARCHAR - | origin that won the milestone
-- column: arrived_source VARCHAR - | origin that won
-- column: exam_started_source VARCHAR - | origin that won
-- column: exam_ended_source VARCHAR - | origin that won
-- column: images_available_source VARCHAR - | origin that won
-- column: first_prelim_source VARCHAR - | origin that won
-- column: first_final_source VARCHAR - | origin that won
-- column: ordered_local TIMESTAMP local | wall clock of the facility
-- column: scheduled_local TIMESTAMP local | wall clock of the facility
-- column: arrived_local TIMESTAMP local | wall clock of the facility
-- column: exam_started_local TIMESTAMP local | wall clock of the facility
-- column: exam_ended_local TIMESTAMP local | wall clock of the facility
-- column: exam_local TIMESTAMP local | wall clock of its begin, else of its end
-- column: placed_local TIMESTAMP local | wall clock of its end, else of its begin, its slot, its order
-- column: first_final_local TIMESTAMP local | wall clock of the facility
-- column: order_to_exam_min DOUBLE min | ordered to exam start
-- column: wait_min DOUBLE min | arrived to exam start
-- column: exam_duration_min DOUBLE min | exam start to exam end
-- column: schedule_lag_days DOUBLE d | ordered to booked slot
-- column: image_availability_min DOUBLE min | exam end to images available
-- column: time_to_read_min DOUBLE min | exam end to begin of reading
-- column: report_prelim_min DOUBLE min | exam end to first preliminary
-- column: report_final_min DOUBLE min | exam end to first final
-- column: read_final_min DOUBLE min | images available to first final
-- column: first_read_min DOUBLE min | exam end to first preliminary or final
-- column: prelim_to_final_min DOUBLE min | first preliminary to first final
-- column: order_to_final_min DOUBLE min | ordered to first final
-- column: arrival_to_final_min DOUBLE min | arrived to first final
-- column: radiologist VARCHAR - | keyed interpreter of the first final report
-- column: assistant VARCHAR - | keyed assistant interpreter
-- column: wrvu DOUBLE wRVU | by charges and the site's fee schedule
-- column: n_series BIGINT series | series with images
-- column: n_images BIGINT images | images not rejected
-- column: n_rejected BIGINT images | images named by rejection notes
-- column: n_addenda BIGINT reports | addenda
-- column: n_corrections BIGINT reports | corrected versions
-- column: target_min DOUBLE min | most specific report_final target
-- column: is_within_target BOOLEAN - | report_final_min is at most target_min; NULL without target or final
-- column: has_order BOOLEAN - | an order message was seen
-- column: has_study BOOLEAN - | images were seen
-- column: has_report BOOLEAN - | a report was seen
-- column: has_booking BOOLEAN - | a booking was told
-- column: has_status BOOLEAN - | the RIS told its status
-- column: has_step BOOLEAN - | a performed procedure step (MPPS) told it
-- column: is_cancelled BOOLEAN - | cancelled and not performed
-- column: is_no_show BOOLEAN - | patient did not come
-- column: is_discontinued BOOLEAN - | performed step given up
-- column: discontinued_reason VARCHAR - | why, as sent: a code of DICOM CID 9300 by the performed step
-- column: is_imported BOOLEAN - | outside study, imported
-- column: is_follow_up BOOLEAN - | planned serial imaging by procedure or order reason
-- column: is_declared_repeat BOOLEAN - | the order says why the exam must be done again (OBR-48)
-- column: is_after_hours BOOLEAN - | ended outside the hours of the site's regular shifts
-- column: is_countable BOOLEAN - | counts in metrics
-- column: exclusion_reason VARCHAR - | why it does not count
-- column: first_loaded_batch BIGINT - | first batch that mentioned it; not in the digest
SELECT f.exam_key, published_accession(f.accession) AS accession, f.facility, f.patient_key, f.study_key, f.device,
       p.modality, f.procedure_code AS procedure_local, p.procedure, p.procedure_name, p.region, p.laterality,
       p.contrast, p.service_line, f.priority, f.patient_class, age_band(g.age) AS age_band, f.sex, f.location,
       f.ordered_at, f.booked_at, f.scheduled_at, f.door_at, f.arrived_at, f.protocoled_at, f.exam_started_at,
       f.exam_ended_at, f.images_available_at, f.read_started_at, f.dictated_at, f.first_prelim_at, f.last_prelim_at,
       f.first_final_at, f.last_final_at, f.critical_found_at, f.critical_communicated_at, f.cancelled_at,
       f.ordered_source, f.arrived_source, f.exam_started_source, f.exam_ended_source, f.images_available_source,
       f.first_prelim_source, f.first_final_source, g.ordered_local, g.scheduled_local, g.arrived_local,
       g.exam_started_local, g.exam_ended_local, coalesce(g.exam_started_local, g.exam_ended_local) AS exam_local,
       coalesce(g.exam_ended_local, g.exam_started_local, g.scheduled_local, g.ordered_local) AS placed_local,
       g.first_final_local, i.order_to_exam_min, i.wait_min, i.exam_duration_min, i.schedule_lag_days,
       i.image_availability_min, i.time_to_read_min, i.report_prelim_min, i.report_final_min, i.read_final_min,
       i.first_read_min, i.prelim_to_final_min, i.order_to_final_min, i.arrival_to_final_min, f.radiologist, f.assistant,
       f.wrvu, f.n_series, f.n_images, f.n_rejected, f.n_addenda, f.n_corrections, t.target_min,
       i.report_final_min <= t.target_min AS is_within_target, f.has_order, f.has_study, f.has_report, f.has_booking,
       f.has_status, f.has_step, f.is_cancelled, f.is_no_show, f.is_discontinued, f.discontinued_reason, f.is_imported,
       coalesce(p.is_follow_up, FALSE) OR coalesce(f.reason, '') = 'FU' AS is_follow_up, g.is_declared_repeat,
       c.is_after_hours, g.exclusion_reason IS NULL AS is_countable, g.exclusion_reason, f.first_loaded_batch
FROM stg_exam_fact f JOIN stg_exam_flag g ON g.exam_key = f.exam_key JOIN stg_interval i ON i.exam_key = f.exam_key
JOIN stg_procedure p ON p.exam_key = f.exam_key LEFT JOIN stg_target t ON t.exam_key = f.exam_key
LEFT JOIN clock_shift c ON c.minute_of_week = minute_of_week(g.exam_ended_local)
