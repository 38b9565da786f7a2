-- name: fct_image_count
-- grain: exam, device, modality, view, operator
-- key: exam_key, device, modality, view, operator, taken_local
-- purpose: Accepted and rejected images, the two parts of a reject rate.
-- materialize: table
-- scope: exam
-- column: facility VARCHAR - | facility
-- column: device VARCHAR - | device
-- column: modality VARCHAR - | modality
-- column: view VARCHAR - | view position
-- column: operator VARCHAR - | keyed technologist
-- column: exam_key VARCHAR - | exam
-- column: procedure VARCHAR - | harmonized procedure of the exam
-- column: service_line VARCHAR - | of the exam
-- column: priority VARCHAR - | of the exam
-- column: patient_class VARCHAR - | of the exam
-- column: taken_local DATE local | day of acquisition
-- column: n_accepted BIGINT images | images that no rejection note names
-- column: n_rejected BIGINT images | images that one names
SELECT c.facility, c.device, c.modality, c.view, c.operator, c.exam_key, c.procedure, c.service_line, c.priority,
       c.patient_class, c.taken_local,
       count(*) FILTER (WHERE NOT c.is_rejected) AS n_accepted, count(*) FILTER (WHERE c.is_rejected) AS n_rejected
FROM (SELECT f.facility, coalesce(i.device, f.device) AS device, coalesce(i.modality, p.modality) AS modality, i.view,
             actor_key(f.facility, NULL, i.operator) AS operator, i.exam_key,
             p.procedure, p.service_line, f.priority, f.patient_class,
             CAST(local_at(coalesce(i.acquired_at, f.exam_started_at), f.zone) AS DATE) AS taken_local,
             r.sop_hash IS NOT NULL AS is_rejected
      FROM stg_instance i
      JOIN stg_exam_fact f ON f.exam_key = i.exam_key
      JOIN stg_procedure p ON p.exam_key = i.exam_key
      LEFT JOIN stg_reject r ON r.exam_key = i.exam_key AND r.sop_hash = i.sop_hash
      UNION ALL
      SELECT j.facility, j.device, j.modality, j.view, j.operator, j.exam_key, p.procedure, p.service_line, f.priority,
             f.patient_class, CAST(j.taken_local AS DATE), TRUE
      FROM fct_image_reject j
      JOIN stg_exam_fact f ON f.exam_key = j.exam_key
      JOIN stg_procedure p ON p.exam_key = j.exam_key
      LEFT JOIN stg_instance k ON k.exam_key = j.exam_key AND keyed('image', k.sop_hash) = j.reject_key
      WHERE k.sop_hash IS NULL) c
GROUP BY c.facility, c.device, c.modality, c.view, c.operator, c.exam_key, c.procedure, c.service_line, c.priority,
         c.patient_class, c.taken_local
