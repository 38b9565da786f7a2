-- name: stg_exam_modality
-- grain: exam with image objects
-- key: exam_key
-- purpose: The modality and device of most of its images; secondary objects such as reports and states do not count.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: modality VARCHAR - | DICOM modality of most images
-- column: device VARCHAR - | device of these images
SELECT b.exam_key, b.modality, b.device, b.body_part
FROM (SELECT n.exam_key, n.modality, n.device, n.body_part,
             row_number() OVER (PARTITION BY n.exam_key ORDER BY n.n DESC, n.modality, n.device NULLS LAST) AS choice
      FROM (SELECT i.exam_key, i.modality, i.device, min(i.body_part) AS body_part, count(*) AS n
            FROM stg_instance i
            WHERE i.modality IS NOT NULL
                AND i.modality NOT IN ('SR', 'KO', 'PR', 'OT', 'REG', 'SEG', 'DOC', 'RTSTRUCT', 'RTDOSE', 'RTPLAN')
            GROUP BY i.exam_key, i.modality, i.device) n) b
WHERE b.choice = 1
