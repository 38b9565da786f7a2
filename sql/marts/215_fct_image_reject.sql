-- name: fct_image_reject
-- grain: rejected image
-- key: reject_key, exam_key
-- purpose: Images that a rejection note names, with device, view, reason and operator.
-- materialize: table
-- scope: exam
-- column: reject_key VARCHAR - | keyed image
-- column: exam_key VARCHAR - | exam
-- column: facility VARCHAR - | facility
-- column: device VARCHAR - | device of the image, else of the exam
-- column: modality VARCHAR - | modality
-- column: view VARCHAR - | view position
-- column: reason_code VARCHAR - | CID 7011 code
-- column: reason VARCHAR - | its meaning
-- column: operator VARCHAR - | keyed technologist
-- column: rejected_at TIMESTAMP UTC | when the note was made
-- column: rejected_local TIMESTAMP local | wall clock of the facility
-- column: taken_local TIMESTAMP local | acquisition of the image, else of the exam, else the note
SELECT keyed('image', r.sop_hash) AS reject_key, r.exam_key, f.facility, coalesce(i.device, f.device) AS device,
       coalesce(i.modality, p.modality) AS modality, i.view, r.reason_code, c.meaning AS reason,
       actor_key(f.facility, NULL, coalesce(i.operator, r.operator)) AS operator, r.rejected_at,
       local_at(r.rejected_at, f.zone) AS rejected_local,
       local_at(coalesce(i.acquired_at, f.exam_started_at, r.rejected_at), f.zone) AS taken_local
FROM stg_reject r
JOIN stg_exam_fact f ON f.exam_key = r.exam_key
JOIN stg_procedure p ON p.exam_key = r.exam_key
LEFT JOIN stg_instance i ON i.exam_key = r.exam_key AND i.sop_hash = r.sop_hash
LEFT JOIN reject_reason c ON c.code = r.reason_code
