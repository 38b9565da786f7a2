-- name: stg_exam_device
-- grain: exam
-- key: exam_key
-- purpose: The device of an exam: of its images, else of its performed step, else as scheduled.
-- materialize: table
-- column: exam_key VARCHAR - | exam
-- column: device VARCHAR - | device id
SELECT x.exam_key, x.device
FROM (SELECT c.exam_key, coalesce(a.device, t.device, c.facility || ':' || c.station) AS device,
             row_number() OVER (
                 PARTITION BY c.exam_key
                 ORDER BY c.preference, c.message_at DESC NULLS LAST,
                          coalesce(a.device, t.device, c.facility || ':' || c.station)) AS choice
      FROM (SELECT e.exam_key, e.facility, e.station, CASE WHEN e.origin = 'mpps' THEN 2 ELSE 3 END AS preference,
                   e.message_at
            FROM stg_event e
            WHERE e.station <> ''
                AND (e.origin = 'mpps' OR (e.origin = 'ris' AND e.code IN ('exam_started', 'exam_ended')))
            UNION ALL
            SELECT o.exam_key, o.facility, o.station, 4, o.message_at FROM stg_order o WHERE o.station <> ''
            UNION ALL
            SELECT p.exam_key, p.facility, p.resource, 5, p.message_at FROM stg_appointment p WHERE p.resource <> '') c
      LEFT JOIN device_by_ae a ON a.facility = c.facility AND a.ae_title = c.station
      LEFT JOIN device_by_station t ON t.facility = c.facility AND t.station = c.station
      WHERE c.exam_key NOT IN (SELECT i.exam_key FROM stg_exam_modality i WHERE i.device IS NOT NULL)) x
WHERE x.choice = 1
UNION ALL
SELECT i.exam_key, i.device FROM stg_exam_modality i WHERE i.device IS NOT NULL
