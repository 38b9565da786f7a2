-- name: stg_instance
-- grain: image object of an exam
-- key: exam_key, sop_hash
-- purpose: Image objects, each once; its own header wins over a study listing, a newer one over an older.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: sop_hash VARCHAR - | hash of the SOP Instance UID
-- column: device VARCHAR - | device by serial number, AE title or station, else a name made of these
SELECT i.exam_key, i.sop_hash, i.study_key, i.series_key, i.modality, i.body_part, i.view, i.laterality,
       i.contrast_agent, i.acquired_at, i.acquired_ended_at, i.acquired_clock, i.is_original, i.operator, i.imported_at,
       i.import_source,
       i.procedure_code, i.procedure_text, i.procedure_system, i.alternate_code, i.alternate_text, i.alternate_system,
       i.birth_date, i.sex, i.manufacturer, i.model, i.station, i.facility, i.message_at,
       i.standard = 'dicom' AS is_header, i.accession IS NOT NULL AND i.patient_id IS NOT NULL AS has_identity,
       coalesce(i.series_description, i.protocol) AS series_text,
       coalesce(s.device, a.device, t.device,
                i.facility || ':' || coalesce(i.model || '/' || i.serial, i.station, i.ae_title)) AS device
FROM (SELECT r.*, m.exam_key, m.facility, m.study_key, keyed('series', r.series_uid) AS series_key,
             add_seconds(r.acquired_at, coalesce(r.acquisition_duration_s, 0)) AS acquired_ended_at,
             row_number() OVER (
                 PARTITION BY m.exam_key, r.sop_hash
                 ORDER BY CASE WHEN r.standard = 'dicom' THEN 0 ELSE 1 END, r.message_at DESC NULLS LAST, r.acquired_at,
                          r.series_uid, r.station, r.serial, r.ae_title, r.modality, r.view, r.body_part, r.operator, r.is_original, r.acquisition_duration_s,
                          r.imported_at, r.procedure_code, r.procedure_text, m.study_key) AS choice
      FROM raw_instance r
      JOIN exam_mention m ON m.mention = r.mention) i
LEFT JOIN device_by_serial s ON s.serial = i.serial AND s.model = i.model
LEFT JOIN device_by_ae a ON a.facility = i.facility AND a.ae_title = i.ae_title
LEFT JOIN device_by_station t ON t.facility = i.facility AND t.station = i.station
WHERE i.choice = 1
