-- name: fct_read
-- grain: exam, role
-- key: exam_key, role
-- purpose: Who read what when: the interpreter at the first final, the assistant at the first preliminary report.
-- materialize: table
-- scope: exam
-- sorted_by: month of read_at, facility, read_at
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: radiologist VARCHAR - | keyed reader
-- column: role VARCHAR - | final or preliminary
-- column: read_at TIMESTAMP UTC | first final or first preliminary report
-- column: read_local TIMESTAMP local | wall clock of the facility
-- column: read_started_at TIMESTAMP UTC | this reader began, where told and not after the report
-- column: is_alone BOOLEAN - | a final read in which nobody else took part
-- column: reported_at TIMESTAMP UTC | this reader's first report: read alone, the preliminary where it came before the final
-- column: wrvu DOUBLE wRVU | of the exam
-- column: modality VARCHAR - | modality
-- column: region VARCHAR - | region of the procedure
-- column: device VARCHAR - | device
-- column: procedure VARCHAR - | harmonized procedure
-- column: service_line VARCHAR - | service line
-- column: priority VARCHAR - | priority
-- column: patient_class VARCHAR - | patient class
-- column: shift VARCHAR - | shift at the read
-- column: is_after_hours BOOLEAN - | outside the hours of regular shifts
-- column: first_prelim_source VARCHAR - | source of the first preliminary report
-- column: first_final_source VARCHAR - | source of the first final report
SELECT r.exam_key, r.facility, r.radiologist, r.role, r.read_at, r.read_local, r.read_started_at, r.is_alone,
       CASE WHEN r.is_alone THEN least(r.first_prelim_at, r.read_at) ELSE r.read_at END AS reported_at, r.wrvu,
       r.modality, r.region, r.device, r.procedure, r.service_line, r.priority, r.patient_class, c.shift, c.is_after_hours,
       r.first_prelim_source, r.first_final_source
FROM (SELECT f.exam_key, f.facility, CASE WHEN o.role = 'final' THEN f.radiologist ELSE f.assistant END AS radiologist,
             o.role, CASE WHEN o.role = 'final' THEN f.first_final_at ELSE f.first_prelim_at END AS read_at,
             local_at(CASE WHEN o.role = 'final' THEN f.first_final_at ELSE f.first_prelim_at END, f.zone)
                 AS read_local,
             CASE WHEN o.role = 'preliminary' AND f.read_started_at <= f.first_prelim_at THEN f.read_started_at
                  WHEN o.role = 'final' AND f.read_started_at <= f.first_final_at
                      AND (f.assistant IS NULL OR f.assistant = f.radiologist
                           OR f.first_prelim_at IS NULL OR f.first_prelim_at < f.read_started_at
                           OR f.first_prelim_at >= f.first_final_at) THEN f.read_started_at
             END AS read_started_at,
             o.role = 'final' AND coalesce(f.assistant, f.radiologist) = f.radiologist AS is_alone, f.first_prelim_at,
             f.wrvu, p.modality, p.region, f.device, p.procedure, p.service_line, f.priority, f.patient_class,
             f.first_prelim_source, f.first_final_source
      FROM stg_exam_fact f
      JOIN stg_procedure p ON p.exam_key = f.exam_key
      CROSS JOIN (SELECT 'final' AS role UNION ALL SELECT 'preliminary') o) r
LEFT JOIN clock_shift c ON c.minute_of_week = minute_of_week(r.read_local)
WHERE r.radiologist IS NOT NULL AND r.read_at IS NOT NULL
